"""Finding text in conversations, as far as their transcripts are kept."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from ..console import Console
from ..events import Event, Kind

_CARRIED = (Kind.RECEIVED, Kind.SENT)  # a stream: where one message ends says nothing, a word may go on in the next


def find(consoles: Iterable[Console], text: str, seconds: float | None = None) -> Iterator[int]:
    """The numbers of those whose transcripts hold `text`, in small or in capital letters.

    What a client sent is looked through as one text, so that a word cut in two is found, and so is what was sent to it.

    Args:
        consoles: Connections or clients.
        text: What to look for; what is not UTF-8 in a transcript is passed over.
        seconds: After so many it is given up.

    Raises:
        TimeoutError: It was given up; those found until then have been given.
    """
    wanted = text.casefold()
    deadline = None if seconds is None else time.monotonic() + seconds
    for console in consoles:
        if deadline is not None and time.monotonic() > deadline:
            raise TimeoutError(f"not all conversations were searched within {seconds} s")
        if any(wanted in said.casefold() for said in _texts(console.transcript)):
            yield console.number


def _texts(events: Iterable[Event]) -> Iterator[str]:
    """All that was said: what came and what went as one text each, everything else as a text of its own."""
    carried: dict[Kind, list[bytes]] = {kind: [] for kind in _CARRIED}
    for kind, _, _, data, size in events:
        if kind in carried:
            # What was cut off, or passed by uncounted, leaves a gap that no word reaches over.
            carried[kind].append(data if len(data) == size else data + b"\0")
        elif kind is Kind.PASSED:
            for parts in carried.values():
                parts.append(b"\0")
        elif data:
            yield data.decode("utf-8", "replace")
    for parts in carried.values():
        yield b"".join(parts).decode("utf-8", "replace")
