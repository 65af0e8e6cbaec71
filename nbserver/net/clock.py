"""A thread that calls what needs it some ten times a second, and ends when nothing does."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Protocol

PERIOD = 0.1  # seconds
_END_SECONDS = 1.0


class Ticked(Protocol):
    """What is called."""

    def tick(self) -> bool:
        """Do what is due; returns whether to be called again."""


class Clock:
    """One thread for all that is to be done regularly, alive while something is. Thread: any may `add` and `hurry`."""

    def __init__(self, name: str, period: float = PERIOD) -> None:
        """No thread yet.

        Args:
            name: What it will be called.
            period: From one tick to the next, in seconds; a tick that takes longer is followed by a pause of a fifth.
        """
        self._name = name
        self._period = period
        # Reentrant, because a signal handler or a __del__ may need a tick in a thread that holds it. A thread that is
        # about to end must not be given something new to call.
        self._lock = threading.RLock()
        self._ticked: list[Ticked] = []
        self._thread: threading.Thread | None = None
        self._hurry = threading.Event()
        self._is_over = False
        if hasattr(os, "register_at_fork"):  # a clock is there as long as its process
            os.register_at_fork(after_in_child=self._after_fork)

    def _after_fork(self) -> None:
        """In a forked child: nothing is ticked, by nobody; whoever held the lock is not here."""
        self._lock, self._hurry = threading.RLock(), threading.Event()
        self._ticked, self._thread = [], None

    def add(self, ticked: Ticked) -> None:
        """Call `ticked` until it says that it needs no more; adding it twice is adding it once.

        With no thread to be had it is called once one can be started, at the next `add`.
        """
        with self._lock:
            if ticked not in self._ticked:
                self._ticked.append(ticked)
            if self._thread is None and not self._is_over:
                # A daemon: it serves what must not keep the kernel alive either.
                thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                try:
                    thread.start()
                except (RuntimeError, MemoryError):
                    return
                self._thread = thread

    def hurry(self) -> None:
        """Tick now: the effect of a click is seen at once."""
        self._hurry.set()

    def end(self) -> None:
        """Tick no more, and wait for the tick that is under way. Thread: any but its own."""
        with self._lock:
            self._is_over, thread = True, self._thread
            self._ticked.clear()
        self._hurry.set()
        if thread is not None:
            thread.join(_END_SECONDS)

    def _run(self) -> None:
        while due := self._due():
            began = time.monotonic()
            for ticked in due:
                self._tick(ticked)
            self._hurry.wait(max(self._period / 5, began + self._period - time.monotonic()))
            self._hurry.clear()

    def _tick(self, ticked: Ticked) -> None:
        try:
            is_wanted = ticked.tick()
        except Exception:
            # Told as that of any thread is; what else ticks goes on, and so does this one.
            threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))
            is_wanted = True
        if is_wanted:
            with self._lock:
                if ticked not in self._ticked:
                    self._ticked.append(ticked)

    def _due(self) -> list[Ticked]:
        """What is to be called now. Taken out of the list, so that what is added during its own call stays in."""
        with self._lock:
            due, self._ticked = [] if self._is_over else self._ticked, []
            if not due:
                self._thread = None
            return due
