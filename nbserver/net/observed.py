"""An observed, hardened subclass of any ``socketserver`` class, and the sockets that tell what they carry.

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
import errno
import os
import socket
import socketserver
import sys
import threading
import time
import traceback
import types
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, cast

from .. import context
from ..errors import InputClosed
from ..events import KEPT_BYTES, Kind, text_event
from ..journal import Journal
from ..states import Activity
from .connection import Connection
from .resilient import PooledThreads, ResilientLoop

_RECEIVING, _SENDING, _RUNNING = Activity.RECEIVING, Activity.SENDING, Activity.RUNNING
_PEEK = socket.MSG_PEEK
_TRUNCATED = getattr(socket, "MSG_TRUNC", 0)
_DONT_WAIT = getattr(socket, "MSG_DONTWAIT", 0)
_REMEMBERED = 1000  # how many connections that have ended stay in the table


class ObservedSocket(socket.socket):
    """A connection's socket, which counts and keeps what it carries. Made straight from the accepted descriptor.

    No lock and no call that the byte does not need: two stores say what the thread does, and the connection keeps the
    data.
    """

    __slots__ = ("connection",)
    connection: Connection

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """As the socket's own; seen."""
        connection = self.connection
        connection.activity = _RECEIVING
        try:
            data = _socket.socket.recv(self, bufsize, flags)
        except BaseException as error:
            connection.broke(error)
            raise
        connection.activity = _RUNNING
        if data:
            if not flags & _PEEK:
                size = len(data)
                connection.received(data if size <= KEPT_BYTES else data[:KEPT_BYTES], size)
        elif bufsize:
            connection.peer_closed()
        return data

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """As the socket's own; seen."""
        connection = self.connection
        connection.activity = _RECEIVING
        try:
            size = _socket.socket.recv_into(self, buffer, nbytes, flags)
        except BaseException as error:
            connection.broke(error)
            raise
        connection.activity = _RUNNING
        if size:
            if not flags & _PEEK:
                connection.received(bytes(memoryview(buffer).cast("B")[: min(size, KEPT_BYTES)]), size)
        elif nbytes or len(buffer):
            connection.peer_closed()
        return size

    def recvfrom(self, bufsize: int, flags: int = 0, /) -> tuple[bytes, Any]:
        """As the socket's own; seen."""
        return self.recv(bufsize, flags), None

    def recvfrom_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> tuple[int, Any]:
        """As the socket's own; seen."""
        return self.recv_into(buffer, nbytes, flags), None

    def recvmsg(self, bufsize: int, *args: Any) -> Any:
        """As the socket's own; seen."""
        result = self._observed(_RECEIVING, _socket.socket.recvmsg, bufsize, *args)
        if result[0]:
            self.connection.received(result[0][:KEPT_BYTES], len(result[0]))
        elif bufsize:
            self.connection.peer_closed()
        return result

    def recvmsg_into(self, buffers: Iterable[Any], *args: Any) -> Any:
        """As the socket's own; seen."""
        buffers = list(buffers)
        result = self._observed(_RECEIVING, _socket.socket.recvmsg_into, buffers, *args)
        if result[0]:
            data = b"".join(bytes(memoryview(b).cast("B")[:KEPT_BYTES]) for b in buffers)
            self.connection.received(data[: min(result[0], KEPT_BYTES)], result[0])
        elif any(len(b) for b in buffers):
            self.connection.peer_closed()
        return result

    def send(self, data: Any, flags: int = 0, /) -> int:
        """As the socket's own; seen."""
        connection = self.connection
        connection.activity = _SENDING
        try:
            size = _socket.socket.send(self, data, flags)
        except BaseException as error:
            connection.broke(error)
            raise
        connection.activity = _RUNNING
        connection.sent(_kept(data, size), size)
        return size

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """As the socket's own; seen."""
        connection = self.connection
        connection.activity = _SENDING
        try:
            _socket.socket.sendall(self, data, flags)
        except BaseException as error:
            connection.broke(error)
            raise
        connection.activity = _RUNNING
        if type(data) is bytes and len(data) <= KEPT_BYTES:
            connection.sent(data, len(data))
        else:
            size = memoryview(data).nbytes
            connection.sent(_kept(data, size), size)

    def sendmsg(self, buffers: Iterable[Any], *args: Any) -> int:
        """As the socket's own; seen."""
        buffers = list(buffers)
        size = cast(int, self._observed(_SENDING, _socket.socket.sendmsg, buffers, *args))
        data = b"".join(bytes(memoryview(b).cast("B")[:KEPT_BYTES]) for b in buffers)
        self.connection.sent(data[: min(size, KEPT_BYTES)], size)
        return size

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """As the socket's own; seen."""
        # Not with os.sendfile, which goes from descriptor to descriptor, past every method here.
        return cast(int, self._sendfile_use_send(file, offset, count))  # type: ignore[attr-defined]

    def _observed(self, activity: Activity, call: Callable[..., Any], *args: Any) -> Any:
        connection = self.connection
        connection.activity = activity
        try:
            result = call(self, *args)
        except BaseException as error:
            connection.broke(error)
            raise
        connection.activity = _RUNNING
        return result

    def shutdown(self, how: int) -> None:
        """As the socket's own; nothing while it is being reset."""
        # A connection that is being reset must end with RST; a FIN that goes first would make it an orderly end.
        if not self.connection._is_resetting:
            super().shutdown(how)

    def detach(self) -> int:
        """As the socket's own; the connection goes on with whatever takes the descriptor."""
        with self.connection.descriptor_lock:
            fd = super().detach()
        self.connection._observation.taken_over(fd, self.connection)
        return fd

    def dup(self) -> socket.socket:  # type: ignore[override]
        """A plain socket, which is not seen: closing the duplicate does not end the connection."""
        duplicate = socket.socket(self.family, self.type, self.proto, fileno=socket.dup(self.fileno()))
        duplicate.settimeout(self.gettimeout())
        return duplicate

    def _real_close(self, _ss: Any = _socket.socket) -> None:
        # The descriptor goes now, so the connection has ended for the peer, whoever closed it.
        self.connection.end()
        with self.connection.descriptor_lock:
            super()._real_close(_ss)  # type: ignore[misc]


def _kept(data: Any, size: int) -> bytes:
    """The part of what was sent that is kept; a copy, unless it is short and cannot change."""
    if type(data) is bytes and len(data) == size <= KEPT_BYTES:
        return data
    return bytes(memoryview(data).cast("B")[: min(size, KEPT_BYTES)])


_datagram_servers: weakref.WeakKeyDictionary[socket.socket, Observation] = weakref.WeakKeyDictionary()


class ObservedDatagramSocket(socket.socket):
    """A datagram server's one socket. What is sent with it is told to the row of the peer that it goes to.

    Without slots of its own, so that a socket which exists already can be given this class.
    """

    __slots__ = ()

    def sendto(self, data: Any, *args: Any) -> int:
        """As the socket's own; seen."""
        size = super().sendto(data, *args)
        observation = _datagram_servers.get(self)
        if observation is not None:
            observation.peer(args[-1]).sent(_kept(data, size), size)
        return size


class Observation:
    """What is known of one server: its journal and its connections.

    Thread: any may read.

    Attributes:
        journal: All the facts, bounded.
        connections: The connections by number: all that live, and the last 1 000 that have ended.
        max_connections: So many live at once; the rest wait in the operating system's backlog.
        errors: How many handlers have raised.
        trouble: What the accept loop met last, in words.
    """

    def __init__(self, server: Observed) -> None:
        self.journal = Journal()
        self.connections: dict[int, Connection] = {}
        self.max_connections = 1000
        self.errors = 0
        self.trouble = ""
        # Connections, messages in and out, bytes in and out of those that are no longer in the table.
        self.forgotten = [0, 0, 0, 0, 0]
        self.on_serving: Callable[[bool], None] = lambda is_serving: None
        self.on_idle: Callable[[], None] = lambda: None  # told when the last that lived has ended
        self._server = weakref.ref(server)
        # The accept loop adds, handlers' threads remove; the lock keeps number and table in step. Reentrant, because a
        # signal handler or a __del__ may stop the server in a thread that holds it.
        self._lock = threading.RLock()
        # One row for one peer, whoever hears of it first. Never taken while `_lock` or the journal's lock is held.
        self._peers_lock = threading.RLock()
        self._last_number = 0
        self._live: set[Connection] = set()
        self._ended: deque[int] = deque()
        self._peers: dict[Any, Connection] = {}
        self._foreign: dict[int, Connection] = {}  # of requests that are not our sockets, by the request's id
        self._taken_over: dict[int, Connection] = {}  # whose descriptor was detached, to be wrapped in another socket

    def open(self, peer: Any, sock: socket.socket | None, is_datagram: bool = False) -> Connection:
        """A new connection."""
        with self._lock:
            self._last_number += 1
            number = self._last_number
        connection = Connection(number, peer, self, sock, is_datagram)
        with self._lock:
            self.connections[number] = connection
            self._live.add(connection)
        self.journal.wake()
        return connection

    def of_request(self, request: Any) -> Connection | None:
        """The connection of what a hook was given: our socket, what it was wrapped in, or what `adopt` was told."""
        connection = getattr(request, "connection", None)
        if isinstance(connection, Connection):
            return connection
        if id(request) not in self._foreign and isinstance(request, socket.socket):
            wrapped = self._taken_over.pop(request.fileno(), None)
            if wrapped is not None:
                self.adopt(request, wrapped)
        return self._foreign.get(id(request))

    def adopt(self, request: Any, connection: Connection) -> Connection:
        """Let `request` stand for `connection`: a TLS socket, or whatever a ``get_request`` of the user's returned."""
        connection.socket = request if isinstance(request, socket.socket) else None
        self._foreign[id(request)] = connection
        return connection

    def taken_over(self, fd: int, connection: Connection) -> None:
        """The descriptor goes on without our socket (TLS wraps it so)."""
        if fd >= 0 and not connection.is_over:
            self._taken_over[fd] = connection

    def peer(self, address: Any) -> Connection:
        """The row of a datagram peer; made when it is heard for the first time."""
        known = self._peers.get(address)
        if known is not None and not known.is_over:
            return known
        with self._peers_lock:
            known = self._peers.get(address)
            if known is None or known.is_over:
                if not self.has_room:
                    min(self.live, key=lambda c: c.last).end("not heard for longest, and the table is full")
                known = self._peers[address] = self.open(address, None, is_datagram=True)
            return known

    def ended(self, connection: Connection) -> None:
        """A connection has ended: it stays in the table for a while, to be read."""
        with self._lock:
            was_full = len(self._live) >= self.max_connections
            self._live.discard(connection)
            self._ended.append(connection.number)
            forget = self._ended.popleft() if len(self._ended) > _REMEMBERED else 0
            old = self.connections.pop(forget, None)
            if self._peers.get(connection.peer) is connection:
                del self._peers[connection.peer]
            if old is not None:
                mine = (1, old.messages_in, old.messages_out, old.bytes_in, old.bytes_out)
                self.forgotten = [a + b for a, b in zip(self.forgotten, mine, strict=True)]
            for table in (self._foreign, self._taken_over):
                for key in [key for key, other in table.items() if other is connection]:
                    del table[key]
            is_idle = not self._live
        if is_idle:
            self.on_idle()
        server = self._server()
        if was_full and server is not None:
            server._loop.wake()

    @property
    def live(self) -> list[Connection]:
        """The connections that have not ended."""
        with self._lock:
            return list(self._live)

    @property
    def has_room(self) -> bool:
        """Whether one more may be accepted."""
        return len(self._live) < self.max_connections

    def count_error(self) -> None:
        """One more handler has raised."""
        with self._lock:
            self.errors += 1

    def tell(self, kind: Kind, text: str) -> None:
        """A fact of the server itself."""
        self.journal.announce(text_event(kind, time.time(), 0, text))

    def send_datagram(self, data: bytes, peer: Any) -> None:
        """Send one datagram to a peer, past the handlers. Raises `OSError` as the socket does."""
        server = self._server()
        if server is None:
            raise OSError(errno.EBADF, "the server is gone")
        if not peer:
            raise OSError(errno.EDESTADDRREQ, "it has no address")
        _socket.socket.sendto(server.socket, data, peer)


class Observed(ResilientLoop):
    """In front of the user's class: says who is served, and lets the thread speak to that connection's console."""

    RequestHandlerClass: Any

    @property
    def observation(self) -> Observation:
        """What is known of this server."""
        try:
            return vars(self)["_nbserver_observation"]  # type: ignore[no-any-return]
        except KeyError:
            return vars(self).setdefault("_nbserver_observation", Observation(self))  # type: ignore[no-any-return]

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """As the class's own; the observation is told when it begins and ends."""
        observation = self.observation
        if getattr(super().serve_forever, "__func__", None) is not ResilientLoop.serve_forever:
            self._begins()  # a loop of the user's own, which may never come to ours
        try:
            super().serve_forever(poll_interval)
        finally:
            observation.on_serving(False)

    def handle_request(self) -> None:
        """As the class's own; the observation is told that it is served."""
        self._begins()
        super().handle_request()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """As the class's own, with this thread's ``input()`` and ``print()`` given to the connection."""
        connection = self._connection_of(request, client_address)
        connection.served()
        previous = context.enter(connection)
        try:
            super().finish_request(request, client_address)
        except InputClosed:
            pass  # the client left while the handler asked a person: an ordinary end
        except SystemExit:
            connection.note = connection.note or "its handler called exit()"
            raise
        except BaseException as error:
            connection.failed(error, _report)
            raise
        finally:
            context.enter(previous)
            connection.left()

    def shutdown_request(self, request: Any) -> None:
        """As the class's own; the connection has ended then."""
        connection = self.observation.of_request(request)
        try:
            super().shutdown_request(request)
        finally:
            if connection is not None:
                connection.end()

    def server_close(self) -> None:
        """As the class's own, after the loop has ended: a closed listener would make it spin."""
        loop, observation = self._loop, self.observation
        with loop.lock:
            was_told, loop.stop, loop.is_closed = loop.stop, loop.thread is not None, True
        loop.wake()
        if not was_told and loop.thread is not threading.current_thread():
            loop.is_done.wait(1.0)
        super().server_close()
        observation.on_serving(False)

    def _begins(self) -> None:
        self.observation.on_serving(True)

    def _has_room(self) -> bool:
        return self._is_datagram() or self.observation.has_room

    def _begin(self, request: Any, client_address: Any) -> Any:
        observation = self.observation
        if type(request) is socket.socket:
            timeout = request.gettimeout()
            request = ObservedSocket(request.family, request.type, request.proto, fileno=request.detach())
            request.settimeout(timeout)
        if isinstance(request, ObservedSocket):
            request.connection = observation.open(client_address, request)
        elif self._is_datagram():
            data = request[0] if isinstance(request, tuple) and isinstance(request[0], bytes) else b""
            observation.peer(client_address).received(data[:KEPT_BYTES], len(data))
        else:
            observation.adopt(request, observation.open(client_address, None))
        return request

    def _connection_of(self, request: Any, client_address: Any) -> Connection:
        observation = self.observation
        known = observation.of_request(request)
        if known is not None:
            return known
        if self._is_datagram():
            return observation.peer(client_address)
        return observation.adopt(request, observation.open(client_address, None))

    def _failed(self, request: Any, client_address: Any, error: BaseException) -> None:
        self._connection_of(request, client_address).failed(error, _report)

    def _refused(self, request: Any, client_address: Any) -> None:
        self._connection_of(request, client_address).note = "refused by verify_request()"

    def _trouble(self, text: str) -> None:
        # Not by the property: a worker may tell this after the object has its own class back.
        observation: Observation = vars(self)["_nbserver_observation"]
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


class Accepting(socketserver.TCPServer):
    """In front of ``TCPServer``: sane defaults, and accepted descriptors that become observed sockets at once."""

    # The standard 5 makes the sixth of a burst of clients wait a second for its SYN to be sent again.
    request_queue_size = 1024
    # Windows lets two servers share a port with it; elsewhere it lets a port be bound again right after a server has
    # ended.
    allow_reuse_address = os.name == "posix"

    def get_request(self) -> tuple[Any, Any]:
        """``accept()``, without making a plain socket first."""
        listener = self.socket
        if type(listener) is not socket.socket or type(self).get_request is not Accepting.get_request:
            return super().get_request()  # a hook of the user's in front of this one expects a plain socket
        fd, address = listener._accept()  # type: ignore[attr-defined]
        request = ObservedSocket(listener.family, listener.type, listener.proto, fileno=fd)
        if sys.platform != "linux":
            request.setblocking(True)  # BSD's accept() hands the listener's own mode on
        return request, address


class Datagrams(socketserver.UDPServer):
    """In front of ``UDPServer``: no datagram is cut, and what is sent is seen."""

    max_packet_size = 65_535

    def get_request(self) -> tuple[Any, Any]:
        """One datagram; one that is longer than ``max_packet_size`` is told as cut short."""
        if type(self.socket) is socket.socket:
            self.socket.__class__ = ObservedDatagramSocket
            _datagram_servers[self.socket] = cast(Observed, self).observation
        if not hasattr(self.socket, "recvmsg"):
            return super().get_request()
        data, _, flags, address = self.socket.recvmsg(self.max_packet_size, 0, _DONT_WAIT)
        if flags & _TRUNCATED:
            text = f"a datagram from {address} was cut to max_packet_size, {self.max_packet_size} bytes"
            cast(Observed, self)._trouble(text)
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
        known = types.new_class(cls.__name__, (Observed, *own, *ours))
        known.__module__, known.__qualname__, known.__doc__ = cls.__module__, cls.__qualname__, cls.__doc__
        _classes[cls] = known
    return known


def _is_in_use(part: type[Any] | None, cls: type[socketserver.BaseServer]) -> bool:
    """Whether `cls` is built on `part`, before `BaseServer`: a mix-in written after the server does nothing."""
    order = cls.__mro__
    return part is not None and part in order and order.index(part) <= order.index(socketserver.BaseServer)
