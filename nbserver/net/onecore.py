"""Keeps the threads of a busy server on one core.

The interpreter lock lets one of them run at a time, and handing it from core to core costs more than a second core
could give: on two cores 100 connections carried about twice as many messages with all threads on one, 1 000 six times
as many. So while much is carried in small messages, and only then, the threads share a core; nothing else of the
process does. A program that a handler starts meanwhile inherits the core, which is why this ends as soon as it is calm.

A thread that waits for the lock looks after it once in every switch interval of the interpreter, for some microseconds:
a thousand of them, every 5 ms, take all of that one core, and the thread that has the lock gets nothing done for
seconds. So meanwhile the interval is longer, the more threads there are.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Sequence

_BUSY_MESSAGES = 500  # between two ticks of the clock, beyond those that were kept
_BUSY_ACCEPTED = 30  # connections between two ticks
_SMALL = 4096  # bytes: larger messages are copied outside the interpreter lock, on as many cores as there are
_CALM_TICKS = 5
_EACH = 50e-6  # seconds of the switch interval for each thread: a tenth of the core, if all of them wait


class _SwitchInterval:
    """The interpreter's, which all servers of the process share. Thread: the clock's."""

    def __init__(self) -> None:
        self._asked: dict[object, float] = {}
        self._users = self._ours = sys.getswitchinterval()

    def ask(self, by: object, seconds: float) -> None:
        """Let it be at least so many seconds, until `by` asks anew; what a user sets it to counts, too."""
        self._asked[by] = seconds
        if (now := sys.getswitchinterval()) != self._ours:  # somebody has set it since
            self._users = now
        sys.setswitchinterval(max(self._users, *self._asked.values()))
        self._ours = sys.getswitchinterval()

    def release(self, by: object) -> None:
        """`by` asks for nothing any more."""
        self.ask(by, 0.0)
        del self._asked[by]


_switch_interval = _SwitchInterval()


class OneCore:
    """The core of one server's threads. Thread: the clock's."""

    def __init__(self, threads: Callable[[], Sequence[threading.Thread]]) -> None:
        """All cores for now; `threads` gives the server's threads, the one that starts the others first."""
        self._threads = threads
        self._cores: set[int] | None = None  # those that it may use, while it is kept to one of them
        self._calm = 0

    def look(self, messages: int, accepted: int, message_bytes: float) -> bool:
        """So much has happened since the last look; returns whether to look again.

        Args:
            messages: How many messages were carried beyond those that were kept.
            accepted: How many connections were accepted.
            message_bytes: The mean size of a message, in bytes.
        """
        if not hasattr(os, "sched_setaffinity"):
            return False
        is_busy = message_bytes <= _SMALL and (messages > _BUSY_MESSAGES or accepted > _BUSY_ACCEPTED)
        self._calm = 0 if is_busy else self._calm + 1
        if is_busy:
            _switch_interval.ask(self, _EACH * len(self._threads()))
            if self._cores is None:
                self._cores = os.sched_getaffinity(0)
                # By the process, so that several kernels on a machine do not all take the same.
                self._move({sorted(self._cores)[os.getpid() % len(self._cores)]})
        elif self._cores is not None and self._calm >= _CALM_TICKS:
            cores, self._cores = self._cores, None
            self._move(cores)
            _switch_interval.release(self)
        return self._cores is not None

    def _move(self, cores: set[int]) -> None:
        for thread in self._threads():
            if thread.native_id is not None:
                with contextlib.suppress(OSError):  # it has ended this moment
                    os.sched_setaffinity(thread.native_id, cores)
