"""The sockets that faults act in: the class that a socket is given while one is set, of the same layout as its own.

So where no fault is set nothing of this lies on the path of a byte. What a handler calls on its socket it finds here
from the next call on; a ``recv`` that waits already is caught when it returns (`Incoming.late`).
"""

from __future__ import annotations

import _socket
import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..sockets import ObservedDatagramSocket, ObservedSocket, Seen, datagram_servers, seen_recv, seen_send, seen_sendall
from ..tls import TLSSocket

if TYPE_CHECKING:
    from .mail import Mail

_DONT_WAIT = getattr(socket, "MSG_DONTWAIT", 0)


def _receive(self: Seen, bufsize: int = 1024, flags: int = 0, /) -> bytes:
    wire = self.connection.wire
    return _socket.socket.recv(self, bufsize, flags) if wire is None else wire.incoming.receive(self, bufsize, flags)


def _send(self: Seen, data: Any, flags: int = 0, /) -> int:
    wire = self.connection.wire
    if wire is None or wire.outgoing.is_idle:
        return _socket.socket.send(self, data, flags)
    size = wire.outgoing.put(data, 0 if flags & _DONT_WAIT else self.gettimeout())
    return size if size >= 0 else _socket.socket.send(self, data, flags)


def _send_all(self: Seen, data: Any, flags: int = 0, /) -> None:
    wire = self.connection.wire
    if wire is None or wire.outgoing.is_idle:
        _socket.socket.sendall(self, data, flags)
        return
    view = memoryview(data).cast("B")
    while view:
        view = view[_send(self, view, flags) :]


class _Faulty(Seen):
    """What the sockets of streams share: how they end, while something may be queued.

    They name `Seen`, not ``super()``: the carrier may take the class away in the middle of a call.
    """

    __slots__ = ()

    def shutdown(self, how: int) -> None:
        """As the socket's own; the end comes after what is queued."""
        wire = self.connection.wire
        if wire is None or how == socket.SHUT_RD or not wire.outgoing.shut(socket.SHUT_WR):
            Seen.shutdown(self, how)
        elif how == socket.SHUT_RDWR:
            Seen.shutdown(self, socket.SHUT_RD)

    def detach(self) -> int:
        """As the socket's own; faults act no more on whatever takes the descriptor."""
        wire = self.connection.wire
        if wire is not None:
            wire.cut(False)
        return Seen.detach(self)

    def _real_close(self, _ss: Any = _socket.socket) -> None:
        connection = self.connection
        with connection.descriptor_lock:
            wire = connection.wire
            if wire is not None:
                wire.close(connection._is_resetting)
        Seen._real_close(self, _ss)


class FaultySocket(_Faulty, ObservedSocket):
    """A connection's socket while a fault is set."""

    __slots__ = ()
    recv = seen_recv(_receive)
    send = seen_send(_send)
    sendall = seen_sendall(_send_all)
    recv_unseen = _receive
    send_unseen = _send_all

    def late(self, data: bytes, bufsize: int) -> bytes:
        """See `Seen.late`."""
        wire = self.connection.wire
        return data if wire is None else wire.incoming.late(self, data, bufsize)

    def push(self, data: Any, flags: int) -> int:
        """See `ObservedSocket.push`."""
        return _send(self, data, flags)

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """As the socket's own; seen."""
        view = memoryview(buffer).cast("B")
        data = self.recv(min(nbytes or len(view), len(view)), flags)
        view[: len(data)] = data
        return len(data)

    def recvmsg(self, bufsize: int, *args: Any) -> Any:
        """As the socket's own; seen. Nothing beside the bytes comes with it."""
        return self.recv(bufsize, *args[1:2]), [], 0, None

    def recvmsg_into(self, buffers: Iterable[Any], *args: Any) -> Any:
        """As the socket's own; seen. Nothing beside the bytes comes with it."""
        views = [memoryview(buffer).cast("B") for buffer in buffers]
        data = memoryview(self.recv(sum(map(len, views)), *args[1:2]))
        left = data
        for view in views:
            part = left[: len(view)]
            view[: len(part)] = part
            left = left[len(part) :]
        return len(data), [], 0, None

    def sendmsg(self, buffers: Iterable[Any], *args: Any) -> int:
        """As the socket's own; seen. Nothing goes beside the bytes."""
        return self.send(b"".join(bytes(memoryview(buffer).cast("B")) for buffer in buffers), *args[1:2])


class FaultyTLSSocket(TLSSocket, _Faulty):
    """A connection's socket that speaks TLS, while a fault is set: what is held and split are its records."""

    __slots__ = ()
    carry_in = _receive
    carry_out = _send


def _mail_of(sock: ObservedDatagramSocket) -> Mail:
    return datagram_servers[sock].lab.mail  # no method: the class may be taken away in the middle of a call


class FaultyDatagramSocket(ObservedDatagramSocket):
    """A datagram server's one socket while a fault is set."""

    __slots__ = ()

    def carry_out(self, data: Any, *args: Any) -> int:
        """As ``sendto``."""
        return _mail_of(self).send(self, data, args)

    def carry_in(self, bufsize: int, *args: Any) -> Any:
        """As ``recvmsg``."""
        return _mail_of(self).receive(self, bufsize, args)

    def recvfrom(self, bufsize: int, flags: int = 0, /) -> tuple[bytes, Any]:
        """As the socket's own; what a handler receives by itself is seen."""
        result = self.recvmsg(bufsize, 0, flags)
        return result[0], result[3]

    def recvfrom_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> tuple[int, Any]:
        """As the socket's own; what a handler receives by itself is seen."""
        view = memoryview(buffer).cast("B")
        data, address = self.recvfrom(nbytes or len(view), flags)
        view[: len(data)] = data
        return len(data), address


_FAULTY: dict[type, type] = {ObservedSocket: FaultySocket, TLSSocket: FaultyTLSSocket}
_PLAIN = {faulty: plain for plain, faulty in _FAULTY.items()}


def can_be_faulty(sock: Any) -> bool:
    """Whether faults can act in it: whether it is one of ours."""
    return type(sock) in _FAULTY or type(sock) in _PLAIN


def make_faulty(sock: socket.socket, is_faulty: bool) -> None:
    """Give it the class in which faults act, or take it away. Thread: any, its handler's may be in a call."""
    wanted = (_FAULTY if is_faulty else _PLAIN).get(type(sock))
    if wanted is not None:
        sock.__class__ = wanted
