"""Sockets that tell what they carry."""

from __future__ import annotations

import _socket
import io
import socket
import socketserver
import sys
import weakref
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

from .. import context, teach
from ..events import KEPT_BYTES
from ..states import Activity
from .connection import Connection
from .lines import BoundedLines

if TYPE_CHECKING:
    from .observation import Observation

_FINISH = socketserver.DatagramRequestHandler.finish.__code__
_RECEIVING, _SENDING, _RUNNING = Activity.RECEIVING, Activity.SENDING, Activity.RUNNING
_PEEK = int(socket.MSG_PEEK)  # the plain number: with the enum "&" is a call in Python, and costs a microsecond


# The three calls that most handlers make are written out, each bound to the class that does the work: between the call
# and the system there is then one function. They look alike because what they share would be a second one.


def seen_recv(recv: Callable[..., bytes]) -> Callable[..., bytes]:
    """A ``recv`` that is seen; `recv` does the work."""

    def seen(self: Seen, bufsize: int = 1024, flags: int = 0, /) -> bytes:
        connection = self.connection
        connection.activity = _RECEIVING
        try:
            data = recv(self, bufsize, flags) if flags else recv(self, bufsize)
        except BaseException as error:
            connection.broke(error)
            raise
        connection.activity = _RUNNING
        if connection.credit or flags or not data:
            return _heard(self, data, bufsize, flags)
        connection.bytes_in += len(data)
        connection.messages_in += 1
        connection.payload = data
        return data

    return seen


def seen_send(send: Callable[..., int]) -> Callable[..., int]:
    """A ``send`` that is seen; `send` does the work."""

    def seen(self: Seen, data: Any, flags: int = 0, /) -> int:
        connection = self.connection
        connection.activity = _SENDING
        try:
            size = send(self, data, flags) if flags else send(self, data)
        except BaseException as error:
            connection.broke(error)
            raise
        connection.activity = _RUNNING
        if connection.credit or type(data) is not bytes:
            connection.sent(_kept(data, size), size)
        else:
            connection.bytes_out += size
            connection.messages_out += 1
            connection.payload = data if len(data) == size else data[:size]
        return size

    return seen


def seen_sendall(sendall: Callable[..., None]) -> Callable[..., None]:
    """A ``sendall`` that is seen; `sendall` does the work."""

    def seen(self: Seen, data: Any, flags: int = 0, /) -> None:
        connection = self.connection
        connection.activity = _SENDING
        try:
            sendall(self, data, flags) if flags else sendall(self, data)
        except BaseException as error:
            connection.broke(error)
            raise
        connection.activity = _RUNNING
        if connection.credit or type(data) is not bytes:
            size = memoryview(data).nbytes
            connection.sent(_kept(data, size), size)
        else:
            connection.bytes_out += len(data)
            connection.messages_out += 1
            connection.payload = data

    return seen


def _heard(sock: Seen, data: bytes, bufsize: int, flags: int) -> bytes:
    """What ``recv`` gave, when there is more to do than to count it; gives what the handler gets."""
    connection = sock.connection
    if data and connection.wire is not None and not flags:
        connection.activity = _RECEIVING
        data = sock.late(data, bufsize)
        connection.activity = _RUNNING
    if not data:
        if bufsize:
            connection.heard_end()
    elif not flags & _PEEK:
        connection.received(data, len(data))
    return data


@teach.hide
class Seen(socket.socket):
    """In front of a socket class: a connection's socket, which counts and keeps what it carries."""

    __slots__ = ()
    connection: Connection
    unsent = b""  # what was taken to be sent and has not gone yet

    def late(self, data: bytes, bufsize: int) -> bytes:
        """What the handler is given of what a ``recv`` has read that may have begun before a fault was set."""
        return data

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """As the socket's own; seen."""
        connection = self.connection
        size = cast(int, self._observed(_RECEIVING, super().recv_into, buffer, nbytes, flags))
        if size and connection.wire is not None and not flags:
            view = memoryview(buffer).cast("B")
            size = len(self._observed(_RECEIVING, self.late, bytes(view[:size]), size))
        if size:
            if not flags & _PEEK:
                kept = min(size, KEPT_BYTES) if connection.credit else 0
                connection.received(bytes(memoryview(buffer).cast("B")[:kept]), size)
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
        result = self._observed(_RECEIVING, super().recvmsg, bufsize, *args)
        if result[0]:
            self.connection.received(result[0][:KEPT_BYTES], len(result[0]))
        elif bufsize:
            self.connection.peer_closed()
        return result

    def recvmsg_into(self, buffers: Iterable[Any], *args: Any) -> Any:
        """As the socket's own; seen."""
        buffers = list(buffers)
        result = self._observed(_RECEIVING, super().recvmsg_into, buffers, *args)
        if result[0]:
            data = b"".join(bytes(memoryview(b).cast("B")[:KEPT_BYTES]) for b in buffers)
            self.connection.received(data[: min(result[0], KEPT_BYTES)], result[0])
        elif any(len(b) for b in buffers):
            self.connection.peer_closed()
        return result

    def sendmsg(self, buffers: Iterable[Any], *args: Any) -> int:
        """As the socket's own; seen."""
        buffers = list(buffers)
        size = cast(int, self._observed(_SENDING, super().sendmsg, buffers, *args))
        data = b"".join(bytes(memoryview(b).cast("B")[:KEPT_BYTES]) for b in buffers)
        self.connection.sent(data[: min(size, KEPT_BYTES)], size)
        return size

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """As the socket's own; seen."""
        # Not with os.sendfile, which goes from descriptor to descriptor, past every method here.
        return cast(int, self._sendfile_use_send(file, offset, count))  # type: ignore[attr-defined]

    def makefile(self, mode: str = "r", buffering: int | None = None, **options: Any) -> Any:
        """As the socket's own; its lines may have a longest length."""
        file = super().makefile(mode, buffering, **options)  # type: ignore[call-overload]
        if self.connection.limits.max_line is None or type(file) is not io.BufferedReader:
            return file
        size = io.DEFAULT_BUFFER_SIZE if buffering is None or buffering < 0 else buffering
        return BoundedLines(file.detach(), size, self.connection)

    def _observed(self, activity: Activity, call: Callable[..., Any], *args: Any) -> Any:
        connection = self.connection
        connection.activity = activity
        try:
            result = call(*args)
        except BaseException as error:
            connection.broke(error)
            raise
        connection.activity = _RUNNING
        return result

    def shutdown(self, how: int) -> None:
        """As the socket's own; nothing while it is being reset."""
        # A connection that is being reset must end with RST; a FIN that goes first would make it an orderly end.
        connection = getattr(self, "connection", None)  # none yet: it was turned away
        if connection is None or not connection._is_resetting:
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
        connection = getattr(self, "connection", None)
        if connection is None:  # it was turned away
            super()._real_close(_ss)  # type: ignore[misc]
            return
        connection.end()
        with connection.descriptor_lock:
            super()._real_close(_ss)  # type: ignore[misc]


@teach.hide
class ObservedSocket(Seen):
    """A connection's socket. Made straight from the accepted descriptor.

    No lock and no call that the byte does not need.
    """

    __slots__ = ("connection",)
    recv = seen_recv(_socket.socket.recv)
    send = seen_send(_socket.socket.send)
    sendall = seen_sendall(_socket.socket.sendall)

    recv_unseen = _socket.socket.recv
    send_unseen = _socket.socket.sendall

    def push(self, data: Any, flags: int) -> int:
        """Send a part of `data`, uncounted. Raises as the socket's own ``send``."""
        return _socket.socket.send(self, data, flags)


def _kept(data: Any, size: int) -> bytes:
    """The part of what was sent that is kept; a copy, unless it is short and cannot change."""
    if type(data) is bytes and len(data) == size <= KEPT_BYTES:
        return data
    return bytes(memoryview(data).cast("B")[: min(size, KEPT_BYTES)])


datagram_servers: weakref.WeakKeyDictionary[socket.socket, Observation] = weakref.WeakKeyDictionary()
"""Whose socket it is."""


@teach.hide
class ObservedDatagramSocket(socket.socket):
    """A datagram server's one socket. What is sent with it is told to the row of the peer that it goes to.

    Without slots of its own, so that a socket which exists already can be given this class.
    """

    __slots__ = ()
    carry_out = _socket.socket.sendto
    carry_in: Any = getattr(_socket.socket, "recvmsg", None)  # not on Windows

    def sendto(self, data: Any, *args: Any) -> int:
        """As the socket's own; seen. An empty answer that nobody has written is not sent."""
        if not data and sys._getframe(1).f_code is _FINISH:
            return 0  # DatagramRequestHandler.finish() answers anybody who asks, and so whomever he says he is
        size = self.carry_out(data, *args)
        self._told(args[-1], _kept(data, size), size)
        return size

    def sendmsg(self, buffers: Iterable[Any], *args: Any) -> int:
        """As the socket's own; seen where it names the peer."""
        buffers = list(buffers)
        size = super().sendmsg(buffers, *args)
        if len(args) == 3:
            self._told(args[2], b"".join(bytes(b) for b in buffers)[:KEPT_BYTES], size)
        return size

    def recvfrom(self, bufsize: int, flags: int = 0, /) -> tuple[bytes, Any]:
        """As the socket's own; what a handler receives by itself is seen."""
        data, address = super().recvfrom(bufsize, flags)
        self._heard(address, data, len(data), flags)
        return data, address

    def recvfrom_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> tuple[int, Any]:
        """As the socket's own; what a handler receives by itself is seen."""
        size, address = super().recvfrom_into(buffer, nbytes, flags)
        self._heard(address, _kept(buffer, size), size, flags)
        return size, address

    def recvmsg(self, bufsize: int, *args: Any) -> Any:
        """As the socket's own; what a handler receives by itself is seen."""
        result = self.carry_in(bufsize, *args)
        self._heard(result[3], result[0], len(result[0]), args[1] if len(args) > 1 else 0)
        return result

    def _told(self, address: Any, data: bytes, size: int) -> None:
        observation = datagram_servers.get(self)
        if observation is not None:
            observation.peer(address).sent(data, size)

    def _heard(self, address: Any, data: bytes, size: int, flags: int) -> None:
        # What the loop receives it tells itself: it speaks to no connection then.
        observation, is_handler = datagram_servers.get(self), isinstance(context.current(), Connection)
        if observation is not None and address is not None and is_handler and not flags & _PEEK:
            observation.peer(address).received(data[:KEPT_BYTES], size)
