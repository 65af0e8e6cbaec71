"""The lens of a server: where its messages begin and end, by a name or by a function of the user's.

A function of the user's may take for ever, or never end. It runs in a thread of its own, one at a time, and nobody
waits for it longer than a second; what it gave last is shown meanwhile.
"""

from __future__ import annotations

import ctypes
import threading
import time
from typing import Any, NamedTuple

from ..errors import UsageError
from ..teach import LENSES, Framed, Splitter, framed, framed_by
from ..text import safe_text

_SECONDS = 1.0  # for one look of a function
_MOST_SEEN = 64  # directions of connections whose last answer is kept


class _Task(NamedTuple):
    function: Splitter
    data: bytes
    begin: int


class Lens:
    """Which lens a server has, and what it sees.

    Attributes:
        name: One of `nbserver.teach.LENSES`, or ``function``.

    Thread: any.
    """

    def __init__(self) -> None:
        self.name = "raw"
        self.function: Splitter | None = None
        # Held for moments; who waits for an answer sleeps on it.
        self._changed = threading.Condition()
        self._seen: dict[Any, tuple[_Task, Framed]] = {}
        self._wanted: dict[Any, _Task] = {}
        self._thread: threading.Thread | None = None
        self._now: tuple[Any, _Task, float] | None = None  # what the thread is doing, and since when

    def choose(self, how: str | Splitter) -> None:
        """Look in another way. Raises `UsageError` when there is no such lens."""
        if isinstance(how, str) and (how in LENSES or (how == "function" and self.function is not None)):
            self.name = how
        elif callable(how):
            self.name, self.function = "function", how
        else:
            known = ", ".join(LENSES)
            raise UsageError(f"a lens is one of {known}, or a function, not {safe_text(repr(how), 80)}")

    def look(self, place: Any, data: bytes, begin: int, patience: float = 0.0) -> Framed | None:
        """What it sees in `data`; None when that is not known yet.

        Args:
            place: What is looked at: a function's last answer there is given while it works on the next.
            data: The bytes.
            begin: Which byte of the connection the first of them is.
            patience: How long to wait for a function, in seconds.
        """
        function = self.function
        if self.name != "function" or function is None:
            return framed(self.name, data, begin)
        task = _Task(function, data, begin)
        with self._changed:
            if not self._is_seen(place, task):
                self._wanted[place] = task
                self._begin()
                self._changed.wait_for(lambda: self._is_seen(place, task), patience)
                self._give_up()
            return self._seen[place][1] if place in self._seen else None

    def _is_seen(self, place: Any, task: _Task) -> bool:
        return place in self._seen and self._seen[place][0] == task

    def _begin(self) -> None:
        """Have a thread for what is wanted. Called with the lock held."""
        if self._thread is None:
            # A daemon: a function that never ends must not keep the kernel alive.
            self._thread = threading.Thread(target=self._work, name="nbserver-lens", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # no thread left: the next look tries again
                self._thread = None

    def _give_up(self) -> None:
        """Say of a function that works for too long that it is late, and strike it. Called with the lock held."""
        if self._now is None or time.monotonic() - self._now[2] < _SECONDS or self._thread is None:
            return
        place, task, _ = self._now
        if not self._is_seen(place, task):
            late = Framed((), task.begin, len(task.data), None, ("late", _SECONDS), task.begin)
            self._note(place, task, late)
            thread = ctypes.c_ulong(self._thread.ident or 0)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(SystemExit))

    def _note(self, place: Any, task: _Task, seen: Framed) -> None:
        self._seen.pop(place, None)
        self._seen[place] = task, seen
        while len(self._seen) > _MOST_SEEN:
            del self._seen[next(iter(self._seen))]
        self._changed.notify_all()

    def _work(self) -> None:
        while (now := self._next()) is not None:
            place, task, _ = now
            seen = framed_by(*task)
            with self._changed:
                if not self._is_seen(place, task):  # or it was given up meanwhile
                    self._note(place, task, seen)

    def _next(self) -> tuple[Any, _Task, float] | None:
        with self._changed:
            if self._wanted:
                place = next(iter(self._wanted))
                self._now = place, self._wanted.pop(place), time.monotonic()
            else:
                self._now = self._thread = None
            return self._now
