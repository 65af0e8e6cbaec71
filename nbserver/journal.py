"""What did happen: bounded, numbered, read by cursor."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from .events import Event, Kind, new_event

# Forgetting moves the events and their first number in one step, which a reader must not see half done. One lock for
# all records, since it is held for microseconds; a signal handler may come here while it is held, hence reentrant.
_forgetting = threading.RLock()

LOOK_SECONDS = 0.05
"""How often the main thread does what is to be done while it waits (`do_meanwhile`)."""

_work: Callable[[], None] | None = None


def do_meanwhile(work: Callable[[], None] | None) -> None:
    """Have the main thread call `work` now and then while it waits for a fact; None has it just wait.

    In an older kernel it is the main thread that hears what a page says.
    """
    global _work
    _work = work


def meanwhile() -> Callable[[], None] | None:
    """What this thread is to do now and then while it waits, or None."""
    return _work if threading.current_thread() is threading.main_thread() else None


class Record:
    """The last events of something, each with its number.

    Appending takes no lock, since it lies on the path of a byte: `list.append` is one step, and the place in the list
    is the number. Old events are forgotten many at a time.

    Thread: any may append, any may read.
    """

    __slots__ = ("_events", "_first", "_kept", "_most")

    def __init__(self, kept: int) -> None:
        """An empty record.

        Args:
            kept: How many events are kept; older ones are forgotten.
        """
        self._events: list[Event | tuple[Kind, float, int, bytes, int]] = []
        self._first = 1  # the number of the first in the list
        self._kept = kept
        self._most = kept + kept // 4 + 1

    def append(self, event: Event | tuple[Kind, float, int, bytes, int]) -> None:
        """Add one event; the plain tuple of its fields will do, which is cheaper on the path of a byte."""
        self._events.append(event)
        if len(self._events) > self._most:
            self.forget()

    @property
    def note(self) -> Callable[[tuple[Kind, float, int, bytes, int]], None]:
        """`append` without its check, for the path of a byte; whoever uses it calls `forget` now and then."""
        return self._events.append

    def forget(self, most_bytes: int | None = None) -> None:
        """Forget what is more than is kept, a quarter at a time.

        Args:
            most_bytes: So much data of the newest events is kept at most, in bytes; looks at every event that it keeps.
        """
        if most_bytes is None and len(self._events) <= self._most:
            return
        with _forgetting:
            kept = self._kept if most_bytes is None else min(self._kept, _newest(self._events, most_bytes))
            count = max(0, len(self._events) - kept)
            del self._events[:count]
            self._first += count

    @property
    def last(self) -> int:
        """The number of the newest event, counted from 1; 0 if there never was one."""
        with _forgetting:
            return self._first + len(self._events) - 1

    def read(self, since: int = 0) -> list[tuple[int, Event]]:
        """The events with a number above `since`, oldest first, as pairs of number and event.

        A first number above ``since + 1`` means that those between are no longer kept.
        """
        with _forgetting:
            skipped = max(0, since + 1 - self._first, len(self._events) - self._kept)
            first, events = self._first + skipped, self._events[skipped:]
        return list(enumerate(map(new_event, events), first))

    def tail(self, since: int) -> tuple[int, Sequence[Event | tuple[Kind, float, int, bytes, int]]]:
        """As `read`, for who reads much and often: the number of the newest event, and those above `since` as they are.

        When they are fewer than their numbers say, the first of them are no longer kept.
        """
        with _forgetting:
            last = self._first + len(self._events) - 1
            return last, self._events[max(0, since + 1 - self._first) :]

    def __iter__(self) -> Iterator[Event]:
        """The events that are kept, oldest first."""
        return iter([event for _, event in self.read()])

    def __len__(self) -> int:
        return min(self._kept, len(self._events))


def _newest(events: Sequence[Event | tuple[Kind, float, int, bytes, int]], most_bytes: int) -> int:
    """How many of the newest events hold at most `most_bytes` of data."""
    for count, event in enumerate(reversed(events)):
        most_bytes -= len(event[3])
        if most_bytes < 0:
            return count
    return len(events)


class Journal(Record):
    """A `Record` that others wait on: the facts of one server, or of one client."""

    __slots__ = ("_changed", "_told", "_waiting")

    def __init__(self, kept: int = 12_000) -> None:
        """As a record; with a quarter more before it forgets, 12 000 events of 4 KiB are less than 64 MiB."""
        super().__init__(kept)
        # Those who wait for a fact sleep on this; bytes do not announce themselves, so no byte takes the lock.
        self._changed = threading.Condition()
        self._waiting = 0  # how many wait, or are about to look whether they must
        self._told: list[Callable[[], None]] = []  # of those who wait without a thread: each is called once

    def announce(self, event: Event) -> None:
        """Add one event and wake those who wait."""
        self.append(event)
        self.wake()

    def wake(self) -> None:
        """Let those who wait look again."""
        # Who begins to wait after this look finds what has changed before it: nobody sleeps through a change.
        if self._waiting:
            with self._changed:
                self._changed.notify_all()
                told, self._told = self._told, []
            for tell in told:
                tell()

    @contextmanager
    def telling(self, tell: Callable[[], None]) -> Iterator[None]:
        """Call `tell` at the next announcement, once, if that comes inside the ``with`` block.

        Thread: any; `tell` is called in the one that announces, and must not block.
        """
        with self._changed:
            self._waiting += 1
            self._told.append(tell)
        try:
            yield
        finally:
            with self._changed:
                self._waiting -= 1
                if tell in self._told:
                    self._told.remove(tell)

    def _after_fork(self) -> None:
        """In a forked child: whoever held the lock is not here."""
        self._changed, self._waiting, self._told = threading.Condition(), 0, []

    def wait_for(self, predicate: Callable[[], object], timeout: float | None) -> bool:
        """Wait until `predicate` is true, looking again at each announcement.

        Args:
            timeout: In seconds; None and `math.inf` wait for ever.

        Returns:
            Whether it became true.
        """
        work = meanwhile()
        if work is None:
            return self._sleep(predicate, timeout)
        deadline = time.monotonic() + (math.inf if timeout is None else timeout)
        while not self._sleep(predicate, min(LOOK_SECONDS, max(0.0, deadline - time.monotonic()))):
            if time.monotonic() >= deadline:
                return False
            work()  # without the lock: what a page asks for may announce something
        return True

    def _sleep(self, predicate: Callable[[], object], timeout: float | None) -> bool:
        with self._changed:
            self._waiting += 1
            try:
                most = None if timeout is None else min(timeout, threading.TIMEOUT_MAX)
                return bool(self._changed.wait_for(predicate, most))
            finally:
                self._waiting -= 1


def _after_fork() -> None:
    """In a forked child: as `Journal._after_fork`."""
    global _forgetting
    _forgetting = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
