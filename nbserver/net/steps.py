"""The calls by which ``socketserver`` serves one client, as they are made.

A *lane* is what one thread calls for one connection: what and when, what and when, … Nobody but that thread adds to it,
so there is no lock; and where several things happen at one place in the program they are one mark, since what this
costs a short connection is counted in microseconds. `nbserver.teach.callchain` reads it.
"""

from __future__ import annotations

import socketserver
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MethodType
from typing import TYPE_CHECKING, Any, ClassVar, cast

from ..teach import hide, supplier

if TYPE_CHECKING:
    from .slowmotion import SlowMotion

MOST = 256
"""Of one lane, then it is full: a chain has some thirty, and a handler that calls its server again and again no end."""
NOTED_A_SECOND = 1000
"""Of so many clients a second the calls are noted: nobody looks at more, and each costs its connection a tenth."""
now: Callable[[], float] = time.perf_counter

RETURNED, RAISED = None, False
"""In place of a name: the call that was begun last, and has not ended, returned; or raised."""

One = str | None | bool
Mark = One | tuple[One, ...]

# With a stroke before it, a name is the end of that call and of all inside it.
ACCEPTS = ("_handle_request_noblock", "get_request")
ACCEPTED = "/_handle_request_noblock"
PROCESSES = (RETURNED, "process_request")
FINISHES = ("finish_request",)
FINISHES_IN_THREAD = ("process_request_thread", "finish_request")
FINISHED = "/finish_request"
SHUT_DOWN = ("/shutdown_request", "/process_request_thread")
_SETS_UP = ("__init__", "setup")
_HANDLES = (RETURNED, "handle")
_FINISHES = {RETURNED: (RETURNED, "finish"), RAISED: (RAISED, "finish")}


class Lane(list[Any]):
    """What one thread calls for one connection. Thread: that one; any may read.

    It holds what, when, what, when, …: a name is a call that was made, `RETURNED` or `RAISED` is the end of the one
    that was made last and has not ended, a tuple is several of these at once. Times are in seconds, on the clock of
    `time.perf_counter`.

    Attributes:
        slow: Who may hold it.
        thread: The thread's name; "" between two threads, see `hand_over`.
        first: The name of the thread that has handed it over, or "".
        number: Of the connection; 0 before it is accepted, and of what belongs to the server itself.
        request: The `id` of the request, which tells one datagram of a peer from the next.
        made: The handler's class, once a handler is made.
        then: The lane of the thread that goes on with it.
        is_slow: Whether its calls are held one by one; None: as the server's.
    """

    is_noted: ClassVar[bool] = True
    __slots__ = ("first", "is_slow", "made", "number", "request", "slow", "then", "thread")
    __hash__ = object.__hash__  # type: ignore[assignment]  # one of several, whatever is in it

    def __eq__(self, other: object) -> bool:
        return self is other

    def __init__(self, slow: SlowMotion, thread: str) -> None:
        self.slow, self.thread, self.first = slow, thread, ""
        self.number = self.request = 0
        self.made: type | None = None
        self.then: Lane | None = None
        self.is_slow: bool | None = None

    def begin(self, step: str) -> None:
        """`step` is called now; in slow motion, as soon as somebody says so."""
        if self.slow.is_used:
            self.slow.hold(self, step)
        self += (step, now())

    def end(self, how: Mark = RETURNED) -> None:
        """What was begun last has ended."""
        self += (how, now())

    def mark(self, several: tuple[One, ...]) -> None:
        """One has ended, and the next begins; in slow motion one after the other."""
        if not self.slow.is_used:
            self += (several, now())
            return
        for what in several:
            if what and what[0] != "/":  # type: ignore[index]
                self.begin(what)  # type: ignore[arg-type]
            else:
                self.end(what)

    def hand_over(self) -> None:
        """All that this thread has to do with it is done: the next one goes on, which saves each connection a lane."""
        self += (ACCEPTED, now())
        self.first, self.thread = self.thread, ""

    def take_back(self) -> None:
        """There is no next thread."""
        del self[-2:]
        self.first, self.thread = "", self.first

    def by_thread(self) -> list[tuple[str, list[Any]]]:
        """Its marks, by the name of the thread that made them."""
        marks = list(self)  # its thread goes on
        if not self.first:
            return [(self.thread, marks)]
        end = marks.index(ACCEPTED) + 2
        return [(self.first, marks[:end]), *([(self.thread, marks[end:])] if self.thread else [])]

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
        while lane.thread != thread:
            if not lane.thread:
                lane.thread = thread
                return lane
            if lane.then is None:
                made = Lane(self.slow, thread)
                made.number = self.number
                # Linked first, and then as slow as the one before: whoever changes that does it in the same order.
                lane.then = made
                made.is_slow = lane.is_slow
            lane = lane.then
        return lane

    def all(self) -> Iterator[Lane]:
        """This one, and those of the threads that go on with it."""
        lane: Lane | None = self
        while lane is not None:
            yield lane
            lane = lane.then


class _Unnoted(deque[Any]):
    """In place of a lane, for all connections whose calls are not noted: what is added to it is gone."""

    is_noted = is_slow = False
    number = request = 0
    first = ""
    __slots__ = ("slow",)

    def __init__(self, slow: SlowMotion) -> None:
        super().__init__(maxlen=0)
        self.slow = slow

    def begin(self, *what: Mark) -> None:
        """Nothing is noted, and nobody held."""

    end = mark = hand_over = begin

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Nothing is noted."""
        yield

    def in_thread(self, thread: str) -> _Unnoted:
        """In each thread the same."""
        return self

    def all(self) -> Iterator[Lane]:
        """None."""
        return iter(())


class Lanes:
    """Gives a lane for each client that comes. Thread: that of the accept loop.

    A machine may connect ten thousand times a second, and nobody looks at each: see `NOTED_A_SECOND`.
    """

    def __init__(self, slow: SlowMotion) -> None:
        self._slow = slow
        self._left, self._since = 0, 0.0
        self._unnoted = cast(Lane, _Unnoted(slow))

    def next(self, thread: str) -> Lane:
        """A new lane; or, while too many come and none is held, one that notes nothing."""
        if self._left <= 0:
            if now() - self._since < 1.0 and not self._slow.is_used:
                return self._unnoted
            self._left, self._since = NOTED_A_SECOND, now()
        self._left -= 1
        return Lane(self._slow, thread)


class _Here(threading.local):
    def __init__(self) -> None:  # once in each thread
        self.name = threading.current_thread().name
        self.lane: Lane | None = None
        self.closing: Lane | None = None


here = _Here()
"""This thread: its name, and as ``here.lane`` its lane, None while it serves nobody; as
``here.closing`` that of the connection that it shut down last."""


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

    One at a time, each while nothing of the student's runs: ``vars(self)`` never shows it to one of these methods.
    """
    for at, name in enumerate(names):
        method = getattr(handler, name, None)
        if type(method) is MethodType and method.__func__ is getattr(type(handler), name, None):
            try:
                object.__setattr__(handler, name, _Once(handler, lane, name, names[at + 1 :]))
            except (AttributeError, TypeError):  # it has slots, and no room for more
                return
            return


_plain_init = socketserver.BaseRequestHandler.__init__


def run_handler(handler: Any, lane: Lane, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Call the handler's ``__init__``, which calls its ``setup``, ``handle`` and ``finish``; all are marked."""
    if not lane.is_noted:
        handler.__init__(*args, **kwargs)
        return
    made = lane.made = type(handler)
    if made.__init__ is _plain_init and len(args) == 3 and not kwargs:
        _run_plain(handler, lane, *args)
        return
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


def _run_plain(handler: Any, lane: Lane, request: Any, client_address: Any, server: Any) -> None:
    """What ``BaseRequestHandler.__init__`` does, line for line; to mark it from outside costs twenty times as much."""
    slow = lane.slow
    if slow.is_used:
        lane.begin("__init__")
    handler.request = request
    handler.client_address = client_address
    handler.server = server
    if slow.is_used:
        lane.begin("setup")
    else:
        lane += (_SETS_UP, now())
    done: bool | None = RAISED  # how what is under way ends; `whole` is how __init__ itself does
    whole: bool | None = RAISED
    try:
        handler.setup()
        if slow.is_used:
            lane.mark(_HANDLES)
        else:
            lane += (_HANDLES, now())
        try:
            handler.handle()
            done = whole = RETURNED
        finally:
            if slow.is_used:
                lane.mark(_FINISHES[done])
            else:
                lane += (_FINISHES[done], now())
            done = RAISED
            handler.finish()
            done = RETURNED
    finally:
        if done is RAISED or whole is RAISED:  # else the end of finish_request(), which comes next, is theirs
            lane += ((done, whole if done is RETURNED else RAISED), now())


@hide
class SteppedThreads:
    """In front of a class that has its own way with threads, or datagrams: what a thread calls is noted there."""

    _enters = FINISHES

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """As the class's own, with a lane for this thread."""
        lane = self._connection_of(request, client_address).lane_of(request)  # type: ignore[attr-defined]
        previous, here.lane = here.lane, lane
        try:
            with lane.step("process_request_thread"):
                super().process_request_thread(request, client_address)  # type: ignore[misc]
        finally:
            here.lane = previous


@hide
class SteppedClosing:
    """In front of a class that has its own ``shutdown_request``, or datagrams."""

    def close_request(self, request: Any) -> None:
        """As the class's own."""
        with self._lane_for(self.observation.of_request(request)).step("close_request"):  # type: ignore[attr-defined]
            super().close_request(request)  # type: ignore[misc]

    def _closes(self) -> None:
        """Noted above, whoever calls it."""


@hide
class SteppedBinding:
    """In front of a class that binds an address."""

    def server_bind(self) -> None:
        """As the class's own."""
        with self.observation.life.step("server_bind"):  # type: ignore[attr-defined]
            super().server_bind()  # type: ignore[misc]


def stepped(cls: type) -> list[type]:
    """What stands in front of a server class besides, for the hooks that not every class has, or that this one has."""
    is_datagram = issubclass(cls, socketserver.UDPServer)

    def has_own(*names: str) -> bool:
        return is_datagram or any(supplier(cls, name).__module__ != "socketserver" for name in names)

    front: list[type] = []
    if hasattr(cls, "process_request_thread") and has_own("process_request", "process_request_thread"):
        front.append(SteppedThreads)
    if has_own("shutdown_request"):
        front.append(SteppedClosing)
    return [*front, SteppedBinding] if hasattr(cls, "server_bind") else front
