"""The calls by which ``socketserver`` serves one client, as they are made.

A *lane* is what one thread calls for one connection: a flat list of names and times, to which nobody but that thread
adds. It costs a connection 13 names and 26 times, and no lock. `nbserver.teach.callchain` reads it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MethodType
from typing import TYPE_CHECKING, Any

from ..teach import hide

if TYPE_CHECKING:
    from .slowmotion import SlowMotion

_MOST = 256  # marks of one lane; a chain has some thirty, and a handler that calls its server again and again has no end
_now: Callable[[], float] = time.perf_counter

RETURNED, RAISED = None, False
"""In place of a name: the call that was begun last, and has not ended, returned; or raised."""


class Lane:
    """What one thread calls for one connection. Thread: that one; any may read.

    Attributes:
        marks: Name, time, name, time, …; in place of a name `RETURNED` or `RAISED`. Times are in seconds, on the clock
            of `time.perf_counter`.
        thread: The thread's name.
        number: Of the connection; 0 before it is accepted, and of what belongs to the server itself.
        request: The `id` of the request, which tells one datagram of a peer from the next.
        made: The handler's class, once a handler is made.
        then: The lane of the thread that goes on with it.
        is_slow: Whether its steps are held one by one; None: as the server's.
    """

    __slots__ = ("_slow", "is_slow", "made", "marks", "number", "request", "then", "thread")

    def __init__(self, slow: SlowMotion, thread: str, number: int = 0, request: int = 0) -> None:
        self._slow = slow
        self.thread = thread
        self.number, self.request = number, request
        self.marks: list[Any] = []
        self.made: type | None = None
        self.then: Lane | None = None
        self.is_slow: bool | None = None

    def begin(self, step: str) -> None:
        """`step` is called now; in slow motion, as soon as somebody says so."""
        if self._slow.is_used:
            self._slow.hold(self, step)
        if len(self.marks) < _MOST:
            self.marks += (step, _now())

    def end(self, how: bool | None = RETURNED) -> None:
        """What was begun last has ended."""
        if len(self.marks) < _MOST:
            self.marks += (how, _now())

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Mark what is done inside the ``with`` block, where the cost of one does not matter."""
        self.begin(name)
        try:
            yield
        except BaseException:
            self.end(RAISED)
            raise
        self.end()

    def in_thread(self, thread: str) -> Lane:
        """The lane of the thread of this name, for the same connection; a new one at its first call."""
        lane = self
        while lane.thread != thread and lane.then is not None:
            lane = lane.then
        if lane.thread != thread:
            # Linked first, and then as slow as the one before: whoever changes that does it in the same order.
            lane.then = Lane(self._slow, thread, self.number, self.request)
            lane = lane.then
            lane.is_slow = self.is_slow
        return lane

    def __iter__(self) -> Iterator[Lane]:
        lane: Lane | None = self
        while lane is not None:
            yield lane
            lane = lane.then


class _Here(threading.local):
    lane: Lane | None = None


here = _Here()
"""The lane of this thread: ``here.lane``, None while it serves nobody."""


class _Once:
    """In the place of one method of a handler until it is called: then gone, and the handler has its own again."""

    __slots__ = ("_handler", "_lane", "_rest", "name")

    def __init__(self, handler: Any, lane: Lane, name: str, rest: tuple[str, ...]) -> None:
        self._handler, self._lane, self.name, self._rest = handler, lane, name, rest

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        handler, lane, name = self._handler, self._lane, self.name
        try:
            object.__delattr__(handler, name)
        except AttributeError:  # somebody kept this, and calls it once more
            return getattr(handler, name)(*args, **kwargs)
        lane.begin(name)
        try:
            result = getattr(handler, name)(*args, **kwargs)
        except BaseException:
            lane.end(RAISED)
            raise
        else:
            lane.end()
        finally:
            _put_next(handler, lane, self._rest)
        return result


def _put_next(handler: Any, lane: Lane, names: tuple[str, ...]) -> None:
    """Mark the call of the first of `names` that is an ordinary method, and then of those behind it.

    One at a time, each while nothing of the student's runs, so that ``vars(self)`` never shows it to a method of theirs.
    """
    for at, name in enumerate(names):
        method = getattr(handler, name, None)
        if type(method) is MethodType and method.__func__ is getattr(type(handler), name, None):
            try:
                object.__setattr__(handler, name, _Once(handler, lane, name, names[at + 1 :]))
            except (AttributeError, TypeError):  # it has slots, and no room for more
                return
            return


def run_handler(handler: Any, lane: Lane, *args: Any, **kwargs: Any) -> None:
    """Call the handler's ``__init__``, which calls its ``setup``, ``handle`` and ``finish``; all are marked."""
    lane.made = type(handler)
    lane.begin("__init__")
    _put_next(handler, lane, ("setup", "handle", "finish"))
    try:
        handler.__init__(*args, **kwargs)
    except BaseException:
        lane.end(RAISED)
        raise
    else:
        lane.end()
    finally:
        for name in ("setup", "handle", "finish"):  # an __init__ that never came to them
            if type(getattr(handler, name, None)) is _Once:
                object.__delattr__(handler, name)


@hide
class SteppedThreads:
    """In front of a class with threads: what its threads call is theirs."""

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """As the class's own, with a lane for this thread."""
        lane = self._connection_of(request, client_address).lane_of(request)  # type: ignore[attr-defined]
        previous, here.lane = here.lane, lane
        lane.begin("process_request_thread")
        try:
            super().process_request_thread(request, client_address)  # type: ignore[misc]
        except BaseException:
            lane.end(RAISED)
            raise
        else:
            lane.end()
        finally:
            here.lane = previous


@hide
class SteppedBinding:
    """In front of a class that binds an address."""

    def server_bind(self) -> None:
        """As the class's own."""
        with self.observation.life.step("server_bind"):  # type: ignore[attr-defined]
            super().server_bind()  # type: ignore[misc]
