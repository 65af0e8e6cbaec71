"""What did happen: bounded, numbered, read by cursor."""

from __future__ import annotations

import threading
from collections import deque
from itertools import count, islice
from typing import Callable

from .events import Event


class Record:
    """The last events of something, each with its number.

    Appending takes no lock, since it lies on the path of a byte: number and place are given by one call into C
    (`deque.extend` over `zip`), which no other thread can cut in two.

    Thread: any may append, any may read.
    """

    __slots__ = ("_events", "_numbers")

    def __init__(self, kept: int) -> None:
        """
        Args:
            kept: How many events are kept; older ones are forgotten.
        """
        self._events: deque[tuple[Event, int]] = deque(maxlen=kept)
        self._numbers = count(1)

    def append(self, event: Event) -> None:
        """Add one event."""
        self._events.extend(zip((event,), self._numbers))

    @property
    def last(self) -> int:
        """The number of the newest event, counted from 1; 0 if there never was one."""
        try:
            return self._events[-1][1]
        except IndexError:
            return 0

    def read(self, since: int = 0) -> list[tuple[int, Event]]:
        """The events with a number above `since`, oldest first, as pairs of number and event.

        A first number above ``since + 1`` means that those between are no longer kept.
        """
        fresh = list(islice(reversed(self._events), max(0, self.last - since)))
        return [(number, event) for event, number in reversed(fresh) if number > since]

    def __iter__(self):  # type: ignore[no-untyped-def]
        """The events that are kept, oldest first."""
        return iter([event for _, event in self.read()])

    def __len__(self) -> int:
        return len(self._events)


class Journal(Record):
    """A `Record` that others wait on: the facts of one server, or of one client."""

    __slots__ = ("_changed",)

    def __init__(self, kept: int = 16_384) -> None:
        super().__init__(kept)
        # Those who wait for a fact sleep on this; bytes do not announce themselves, so no byte takes the lock.
        self._changed = threading.Condition()

    def announce(self, event: Event) -> None:
        """Add one event and wake those who wait."""
        self.append(event)
        self.wake()

    def wake(self) -> None:
        """Let those who wait look again."""
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, predicate: Callable[[], object], timeout: float | None) -> bool:
        """Wait until `predicate` is true, looking again at each announcement.

        Args:
            timeout: In seconds; None waits for ever.

        Returns:
            Whether it became true.
        """
        with self._changed:
            return bool(self._changed.wait_for(predicate, timeout))
