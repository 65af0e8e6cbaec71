"""Framing lenses: where messages begin and end in a stream of bytes that has no boundaries of its own.

A lens is asked what it sees in some bytes, and answers with places; it copies nothing, and makes room for nothing that
a length in the stream announces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Literal, NamedTuple

from ..text import safe_text

MOST_MESSAGES = 500
"""So many are told of one direction at most."""
BELIEVED_BYTES = 2**24
"""A length above this is not believed: whoever sends one lies, or speaks something else."""

_PREFIXES: dict[str, tuple[int, Literal["big", "little"]]] = {
    "length1": (1, "big"),
    "length2big": (2, "big"),
    "length2little": (2, "little"),
    "length4big": (4, "big"),
    "length4little": (4, "little"),
}
LENSES = ("raw", "line", *_PREFIXES)
"""The names of those that are there: no framing; lines; the message's length in front of it, in 1, 2 or 4 bytes."""


class Message(NamedTuple):
    """One message.

    Attributes:
        begin: Where it begins, counted from the first byte of the connection.
        size: How long it is in all, in bytes.
        head: So many of them, at its beginning, are no content: its length.
        tail: So many of them, at its end, are no content: the line end.
    """

    begin: int
    size: int
    head: int = 0
    tail: int = 0

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return self.begin + self.size


class Framed(NamedTuple):
    """What a lens sees.

    Attributes:
        messages: Those that are whole, in their order.
        rest: Where what is not whole yet begins.
        have: How many bytes of that are there.
        needs: How many bytes more it needs before more can be said; None if that cannot be known.
        trouble: Why it sees no further, as a code and what belongs to it: ``("huge", 4294967295)``, a length that is
            not believed; ``("error", text)``, the function raised; ``("late", seconds)``, it has not finished;
            ``("many", number)``, more messages are not told. None if there is none.
        begin: Which byte is the first that it has looked at. After a gap that may be inside a message, and then
            what it sees is wrong.
    """

    messages: tuple[Message, ...] = ()
    rest: int = 0
    have: int = 0
    needs: int | None = None
    trouble: tuple[str, Any] | None = None
    begin: int = 0


def framed(lens: str, data: bytes, begin: int = 0) -> Framed:
    """What the lens of this name sees in `data`, whose first byte is byte `begin` of the connection."""
    if lens == "raw" or not data:
        return Framed(rest=begin + len(data))
    found = _lines(data) if lens == "line" else _prefixed(data, *_PREFIXES[lens])
    return _collect(found, len(data), begin)


Found = Iterator[tuple[int, int, int] | int | tuple[str, int]]
"""Messages as size, head and tail; then, of one that is not whole, how long it will be; or why no more can be seen."""


def _lines(data: bytes) -> Found:
    at = 0
    while (end := data.find(b"\n", at) + 1) > 0:
        yield end - at, 0, 2 if data[at : end - 1].endswith(b"\r") else 1
        at = end


def _prefixed(data: bytes, head: int, order: Literal["big", "little"]) -> Found:
    at = 0
    while at + head <= len(data):
        size = int.from_bytes(data[at : at + head], order)
        if size > BELIEVED_BYTES:
            yield "huge", size
            return
        if at + head + size > len(data):
            yield head + size
            return
        yield head + size, head, 0
        at += head + size
    if at < len(data):
        yield head


def _collect(found: Found, length: int, begin: int) -> Framed:
    messages: list[Message] = []
    at, needs, trouble = 0, None, None
    for one in found:
        if isinstance(one, int):
            needs = one - (length - at)
        elif isinstance(one[0], str):
            trouble = (one[0], one[1])
        elif len(messages) == MOST_MESSAGES:
            trouble = ("many", MOST_MESSAGES)
            break
        else:
            messages.append(Message(begin + at, *one))
            at += messages[-1].size
    return Framed(tuple(messages), begin + at, length - at, needs, trouble, begin)


# ── a function of the user's ──

Splitter = Callable[[bytes], Iterable[Any]]
"""Given the bytes so far; gives the lengths of the messages in them, one after the other, or a slice for each.

A length that is more than is there says how long the message will be.
"""


def framed_by(function: Splitter, data: bytes, begin: int = 0) -> Framed:
    """What a function of the user's sees. Its errors are part of the answer, never raised; it may take for ever."""
    try:
        return _collect(_asked(function, data), len(data), begin)
    except BaseException as error:  # a stroke that ends it, too: whoever asked has given up by then
        return Framed((), begin, len(data), None, ("error", _words_of(error)), begin)


def _asked(function: Splitter, data: bytes) -> Found:
    at = 0
    for one in islice(function(data), MOST_MESSAGES + 1):
        size = _size_of(one, at, len(data))
        if at + size > len(data):
            yield size
            return
        yield size, 0, 0
        at += size


def _size_of(one: Any, at: int, length: int) -> int:
    """How long a message is, given as a length or as a slice."""
    if isinstance(one, slice):
        start, stop = (at if one.start is None else one.start), (length if one.stop is None else one.stop)
        if start != at or one.step not in (None, 1):
            raise ValueError(f"{one!r} does not begin at byte {at}, where the message before it ends")
        one = stop - start
    if type(one) is not int:
        raise TypeError(f"a lens gives lengths or slices, not {type(one).__name__}")
    if one <= 0:
        raise ValueError(f"a message of {one} bytes: a length is 1 or more")
    return int(one)


def _words_of(error: BaseException) -> str:
    try:
        said = str(error)
    except BaseException:  # an exception of the user's may raise here, too
        said = "(it cannot be written)"
    return safe_text(f"{type(error).__name__}: {said}", 200)
