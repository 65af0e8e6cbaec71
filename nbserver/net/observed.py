"""An observed, hardened subclass of any ``socketserver`` class.

``observed_class(Cls)`` builds a class with this method resolution order::

    Observed            in front of all: tells who is served, sets the thread's console
    Cls, and its own    what the user wrote, with every hook that it overrides
    PooledThreads       in front of ThreadingMixIn
    Accepting           in front of TCPServer     (Datagrams in front of UDPServer)
    ResilientLoop       in front of BaseServer

so that a hook which the user overrides runs as before, and its ``super()`` reaches the hardened one.
"""

from __future__ import annotations

import _socket
import contextlib
import os
import socket
import socketserver
import sys
import threading
import traceback
import types
import weakref
from typing import Any, cast

from .. import context, teach
from ..errors import InputClosed, UsageError
from ..events import KEPT_BYTES, Kind
from .connection import Connection
from .observation import Observation
from .peer import address_text
from .resilient import ResilientLoop
from .sockets import ObservedDatagramSocket, ObservedSocket, Seen, datagram_servers
from .steps import ACCEPTED, FINISHED, FINISHES, MOST, RAISED, SHUT_DOWN, Lane, Mark, here, now, stepped
from .tls import TLSSocket
from .workers import PooledThreads

_TRUNCATED = getattr(socket, "MSG_TRUNC", 0)
_DONT_WAIT = getattr(socket, "MSG_DONTWAIT", 0)


class _KnownOf:
    """The `Observation` of a server, made when it is asked for first; from then on the object's own attribute."""

    def __get__(self, server: Observed | None, owner: object = None) -> Any:
        return self if server is None else vars(server).setdefault("observation", Observation(server))


@teach.hide
class Observed(ResilientLoop):
    """In front of the user's class: says who is served, and lets the thread speak to that connection's console."""

    RequestHandlerClass: Any

    observation: Observation = _KnownOf()  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As the class's own."""
        with self.observation.life.step("__init__"):
            super().__init__(*args, **kwargs)

    def server_activate(self) -> None:
        """As the class's own."""
        with self.observation.life.step("server_activate"):
            super().server_activate()

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """As the class's own; the observation is told when it begins and ends."""
        observation = self.observation
        lane = observation.life.then = observation.new_lane(is_slow=False)
        lane.begin("serve_forever")
        if getattr(super().serve_forever, "__func__", None) is not ResilientLoop.serve_forever:
            self._begins()  # a loop of the user's own, which may never come to ours
        try:
            super().serve_forever(poll_interval)
        finally:
            lane.end()
            observation.on_serving(False)

    def handle_request(self) -> None:
        """As the class's own; the observation is told that it is served."""
        self._begins()
        super().handle_request()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """As the class's own, with this thread's ``input()`` and ``print()`` given to the connection."""
        connection = self._connection_of(request, client_address)
        connection.served()
        loop = self._loop
        if loop.thread is threading.current_thread():
            loop.serving = connection  # until it looks for the next one: those wait in the backlog
        previous, previous_lane = context.enter(connection), here.lane
        lane = here.lane = self._lane_for(connection)
        enters = FINISHES if lane and lane[-2] is not ACCEPTED else self._enters
        if lane.slow.is_used:
            lane.mark(enters)
        else:
            lane += (enters, now())
        how: Mark = RAISED
        try:
            why = self.observation.gate.why_not(connection, request)
            if why:
                connection.note = why
                how = FINISHED
                return
            shared = self.observation.shared
            if shared is None or not shared.is_on:
                super().finish_request(request, client_address)
                how = FINISHED
                return
            trace = shared.begin(connection.number)
            try:
                super().finish_request(request, client_address)
            finally:
                shared.end(trace)
            how = FINISHED
        except InputClosed:
            pass  # the client left while the handler asked a person: an ordinary end
        except SystemExit:
            connection.note = connection.note or "its handler called exit()"
            raise
        except BaseException as error:
            connection.failed(error, _report)
            raise
        finally:
            lane += (how, now())
            here.lane = previous_lane
            context.enter(previous)
            connection.left()

    def _lane_for(self, connection: Connection | None) -> Lane:
        """Where this thread marks what it calls for `connection`; None: for whomever it serves."""
        lane = here.lane
        if connection is not None and (lane is None or lane.number != connection.number):
            # A thread that has just begun, or one that does something for somebody else's connection.
            lane = connection.lane.in_thread(here.name)
        return lane if lane is not None and len(lane) < MOST else self.observation.new_lane(is_slow=False)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """As the class's own; what it prints is the connection's."""
        previous = self._speak_to(request, client_address)
        try:
            with self._lane_for(self._connection_of(request, client_address)).step("handle_error"):
                super().handle_error(request, client_address)
        finally:
            context.enter(previous)

    def shutdown_request(self, request: Any) -> None:
        """As the class's own, and what it prints is the connection's; the connection has ended then."""
        connection = self.observation.of_request(request)
        previous = context.enter(context.current() or connection)
        lane = self._lane_for(connection)
        here.closing = lane
        if lane.slow.is_used:
            lane.begin("shutdown_request")
        else:
            lane += ("shutdown_request", now())
        try:
            super().shutdown_request(request)
        finally:
            lane += (SHUT_DOWN, now())
            context.enter(previous)
            if connection is not None:
                connection.end()

    def server_close(self) -> None:
        """As the class's own, after the loop has ended: a closed listener would make it spin."""
        observation = self.observation
        if not sys.is_finalizing():  # then it has ended, see ResilientLoop.shutdown()
            self._end_loop()
        super().server_close()
        observation.on_serving(False)

    def _end_loop(self) -> None:
        loop = self._loop
        with loop.lock:
            was_told, loop.stop, loop.is_closed = loop.stop, loop.thread is not None, True
        self.observation.slow_motion.end()
        loop.wake()
        if not was_told and loop.thread is not threading.current_thread():
            loop.is_done.wait(1.0)

    def _begins(self) -> None:
        if self._is_datagram() and type(self.socket) is socket.socket:
            self.socket.__class__ = ObservedDatagramSocket
            datagram_servers[self.socket] = self.observation
            self.observation.lab.refresh_datagrams()
        self.observation.on_serving(True)

    def _woken(self) -> None:
        for _ in range(self.observation.lab.mail.due):  # a fault has held them, and the system knows nothing of it
            self._guarded(self._handle_request_noblock)

    def _has_room(self) -> bool:
        return self._is_datagram() or self.observation.has_room

    def _turn_away(self, request: Any, client_address: Any) -> bool:
        """Close what may not come in, with a line that says why; a datagram is dropped without one."""
        why = self.observation.may_not_enter(request, client_address)
        if not why:
            return False
        if isinstance(request, socket.socket) and self.observation.access.context is None:
            with contextlib.suppress(OSError):  # it has gone already
                _socket.socket.send(request, f"{why}\r\n".encode(), _DONT_WAIT)
        if not self._is_datagram():
            super().shutdown_request(request)
        return True

    def _begin(self, request: Any, client_address: Any) -> Any:
        observation = self.observation
        if type(request) is socket.socket:
            timeout = request.gettimeout()
            kind = request.family, request.type, request.proto
            request = self._new_socket(kind, request.detach())
            request.settimeout(timeout)
        if isinstance(request, Seen):
            request.connection = observation.open(client_address, request)
        elif self._is_datagram():
            data = request[0] if isinstance(request, tuple) and isinstance(request[0], bytes) else b""
            peer = observation.peer(client_address)
            peer.exchange(request)
            peer.received(data[:KEPT_BYTES], len(data))
        else:
            observation.adopt(request, observation.open(client_address, None))
        return request

    def _new_socket(self, kind: tuple[int, int, int], fd: int) -> Seen:
        """The socket of an accepted descriptor; `kind` is family, type and protocol."""
        context = self.observation.access.context
        return ObservedSocket(*kind, fd) if context is None else TLSSocket(context, *kind, fd)

    def _connection_of(self, request: Any, client_address: Any) -> Connection:
        observation = self.observation
        known = observation.of_request(request)
        if known is not None:
            return known
        if self._is_datagram():
            return observation.peer(client_address)
        return observation.adopt(request, observation.open(client_address, None))

    def _made(self, handler: Any) -> None:
        connection = context.current()
        if isinstance(connection, Connection):
            connection.handled_by(handler)

    def _failed(self, request: Any, client_address: Any, error: BaseException) -> None:
        self._connection_of(request, client_address).failed(error, _report)

    def _speak_to(self, request: Any, client_address: Any) -> context.Speaker | None:
        """Let this thread speak to the connection; returns who it spoke to before, to be entered again."""
        # In the loop of a program (%%server) a hook speaks to the program's console.
        return context.enter(context.current() or self._connection_of(request, client_address))

    def _refused(self, request: Any, client_address: Any) -> None:
        self._connection_of(request, client_address).note = "refused by verify_request()"

    def _trouble(self, text: str) -> None:
        # Not by the property: a worker may tell this after the object has its own class back.
        observation: Observation = vars(self)["observation"]
        observation.trouble = text
        observation.tell(Kind.TROUBLE, text)


def _report(error: BaseException) -> str:
    """The traceback, without the frames of this package; with the error that it followed or was caused by."""
    report = traceback.TracebackException.from_exception(error)
    own = os.path.dirname(__file__)
    part: traceback.TracebackException | None = report
    while part is not None:
        kept = [frame for frame in part.stack if os.path.dirname(frame.filename) != own]
        part.stack = traceback.StackSummary.from_list(kept)
        part = part.__cause__ or part.__context__
    return "".join(report.format())


@teach.hide
class Accepting(socketserver.TCPServer):
    """In front of ``TCPServer``: sane defaults, and accepted descriptors that become observed sockets at once."""

    # The standard 5 makes the sixth of a burst of clients wait a second for its SYN to be sent again.
    request_queue_size = 1024
    # Windows lets two servers share a port with it; elsewhere it lets a port be bound again right after a server has
    # ended.
    allow_reuse_address = os.name == "posix"
    _accepts: tuple[Any, ...] = (None,)

    def get_request(self) -> tuple[Any, Any]:
        """``accept()``, without making a plain socket first."""
        listener = self.socket
        if type(listener) is not socket.socket or type(self).get_request is not Accepting.get_request:
            return super().get_request()  # a hook of the user's in front of this one expects a plain socket
        fd, address = listener._accept()  # type: ignore[attr-defined]
        known = self._accepts
        if known[0] is not listener:  # asked once for each listener: each answer is an enum, made anew
            known = self._accepts = (listener, listener.family, listener.type, listener.proto)
        request = cast(Observed, self)._new_socket(known[1:], fd)
        if sys.platform != "linux":
            request.setblocking(True)  # BSD's accept() hands the listener's own mode on
        return request, address

    def shutdown_request(self, request: Any) -> None:
        """As the standard library's, line for line; that it calls `close_request` is noted."""
        try:  # noqa: SIM105  # a third of a microsecond less, for each connection
            request.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the client has closed it already
        self._closes()
        self.close_request(request)

    def _closes(self) -> None:
        """``close_request`` is called next, by the standard library's `shutdown_request`."""
        lane = here.closing
        if lane is None:
            return
        if lane.slow.is_used:
            lane.begin("close_request")
        else:
            lane += ("close_request", now())


@teach.hide
class Datagrams(socketserver.UDPServer):
    """In front of ``UDPServer``: no datagram is cut, and what is sent is seen."""

    max_packet_size = 65_535

    def get_request(self) -> tuple[Any, Any]:
        """One datagram; one that is longer than ``max_packet_size`` is told as cut short."""
        if not hasattr(self.socket, "recvmsg"):
            return super().get_request()
        data, _, flags, address = self.socket.recvmsg(self.max_packet_size, 0, _DONT_WAIT)
        if flags & _TRUNCATED:
            text = f"was cut to max_packet_size, {self.max_packet_size} bytes: what came after is lost"
            observed = cast(Observed, self)
            observed._trouble(f"a datagram from {address_text(address)} {text}")
            observed.observation.peer(address).notice(f"the next datagram {text}")
        return (data, self.socket), address


_classes: weakref.WeakValueDictionary[type, type] = weakref.WeakValueDictionary()


def observed_class(cls: type[socketserver.BaseServer]) -> type[Any]:
    """The observed, hardened subclass of a ``socketserver`` class, with the standard library's own interface.

    Args:
        cls: `socketserver.TCPServer`, `socketserver.ThreadingUDPServer`, `http.server.HTTPServer`, a class of your
        own, …

    Returns:
        A subclass with the same name; the same one for the same class. Its instances have ``observation`` besides.

    Raises:
        TypeError: `cls` is no server class.
    """
    if not (isinstance(cls, type) and issubclass(cls, socketserver.BaseServer)):
        raise TypeError(f"observed_class() takes a subclass of socketserver.BaseServer, not {cls!r}")
    if issubclass(cls, Observed):
        return cls
    known = _classes.get(cls)
    if known is None:
        ours = [part for part in (PooledThreads, Datagrams, Accepting, ResilientLoop) if _is_in_use(part.__base__, cls)]
        # The standard library's own TCPServer and UDPServer come with the parts that stand in front of them.
        own = [] if any(issubclass(part, cls) for part in ours) else [cls]
        known = types.new_class(cls.__name__, (Observed, *stepped(cls), *own, *ours))
        known.__module__, known.__qualname__, known.__doc__ = cls.__module__, cls.__qualname__, cls.__doc__
        teach.hide(known)
        _classes[cls] = known
    return known


def refuse_forking(cls: type) -> None:
    """Raises `UsageError` when servers of this class fork: that must not happen to a kernel."""
    if issubclass(cls, getattr(socketserver, "ForkingMixIn", ())):
        raise UsageError(
            f"{cls.__name__} would fork the kernel, whose threads and sockets the child would share: "
            f"use the Threading class of the same name"
        )


def _is_in_use(part: type[Any] | None, cls: type[socketserver.BaseServer]) -> bool:
    """Whether `cls` is built on `part`, before `BaseServer`: a mix-in written after the server does nothing."""
    order = cls.__mro__
    return part is not None and part in order and order.index(part) <= order.index(socketserver.BaseServer)
