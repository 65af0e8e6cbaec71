"""What can happen: an event is one fact, never changed after."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import NamedTuple

KEPT_BYTES = 4096
"""How much of one message is kept to be shown, in bytes; its true size is kept beside it."""


class Kind(str, Enum):
    """The kinds of event. The value is the word that travels to a view."""

    STATE = "state"  # the server changed its state: data is the state's word
    TROUBLE = "trouble"  # the server met something that it survives: data says what
    OPENED = "opened"  # accepted: data is the peer's address
    RECEIVED = "received"  # bytes from the other end
    SENT = "sent"  # bytes to the other end
    PASSED = "passed"  # messages that went by too fast to be kept: size says how many
    NOTICE = "notice"  # something that nbserver noticed about a connection: data says what
    STEP = (
        "step"  # slow motion: data says before which call of its chain a connection is held, or that it began or ended
    )
    EOF = "eof"  # the peer has closed its side
    ASKED = "asked"  # input() asks: data is the prompt
    ANSWERED = "answered"  # a person typed, or a notice before it says who did: data is the text
    PRINTED = "printed"  # a line of print()
    CARD = "card"  # what went wrong, in words: data is a card as JSON; the error follows, if there is one
    ERROR = "error"  # the handler raised: data is the traceback
    CLOSED = "closed"  # ended: data says how


class Event(NamedTuple):
    """One fact.

    Attributes:
        kind: What happened.
        time: When, in seconds since 1970 (the wall clock: for people to read, never to measure with).
        connection: The number of the connection, or 0 for the server itself.
        data: What was carried, cut at `KEPT_BYTES`; text is UTF-8.
        size: Its true length in bytes; of `Kind.PASSED`, how many messages.
    """

    kind: Kind
    time: float
    connection: int
    data: bytes
    size: int


new_event: Callable[[tuple[Kind, float, int, bytes, int]], Event] = partial(tuple.__new__, Event)
"""An `Event` from a tuple of its five fields: a third of the cost of the constructor, for the path of a byte."""


def text_event(kind: Kind, time: float, connection: int, text: str) -> Event:
    """An event that carries text, encoded as UTF-8; what cannot be encoded is written as an escape."""
    data = text.encode("utf-8", "backslashreplace")
    return new_event((kind, time, connection, data[:KEPT_BYTES], len(data)))
