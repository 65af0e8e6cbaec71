"""What a program's own sockets carry: seen by giving a socket a class of ours while its program runs.

Only sockets that a program has connected are seen. Whatever happens to be in the process besides keeps its class.
"""

from __future__ import annotations

import socket
import sys
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from ..events import KEPT_BYTES
from ..teach import Track, line_of, site_of

_PEEK = int(socket.MSG_PEEK)


recent: deque[Tap] = deque(maxlen=64)
"""The last taps of all programs: those of programs that are gone, too, whose connections are still looked at."""


class Tap:
    """One connection of a program, as its client knows it.

    Attributes:
        local, remote: The addresses, as in `Ends`.
        owner: Who has made it, in a few words: ``client 2``.
        opened: When it was made, in seconds since 1970.
        sent, received: What it has carried; see `Track`.
        unseen: Why nothing of it is seen: ``tls``, or "".
    """

    def __init__(self, local: Any, remote: Any, owner: str) -> None:
        self.local, self.remote, self.owner = local, remote, owner
        self.opened = time.time()
        self.sent, self.received = Track(), Track()
        self.unseen = ""
        self._socket: Callable[[], socket.socket | None] = lambda: None
        recent.append(self)

    def watch(self, sock: socket.socket) -> None:
        """See what `sock` carries from now on, until `let_go`; one of a class of its own is left alone."""
        if type(sock) in (socket.socket, TappedSocket):
            _taps[sock] = self
            self._socket = weakref.ref(sock)
            sock.__class__ = TappedSocket
        else:
            self.unseen = "tls" if type(sock).__name__ == "SSLSocket" else "elsewhere"

    def let_go(self) -> None:
        """The program has ended: its socket, if it is still there, is a plain one again."""
        sock = self._socket()
        if sock is not None and _taps.get(sock) is self:
            del _taps[sock]
            sock.__class__ = socket.socket

    def said(self, data: Any, size: int, began: float, call: str) -> None:
        """Its program has sent `size` bytes, the beginning of `data`."""
        self.sent.add(_kept(data, size), size, began, call, _line())

    def heard(self, data: Any, size: int, call: str, flags: int = 0) -> None:
        """Its program has received `size` bytes, which `data` begins with."""
        if not flags & _PEEK:
            self.received.add(_kept(data, size), size, time.time(), call, _line())


def _kept(data: Any, size: int) -> bytes:
    return bytes(memoryview(data).cast("B")[: min(size, KEPT_BYTES)])


def _line() -> str:
    return line_of(site_of(sys._getframe(3)))


_taps: weakref.WeakKeyDictionary[socket.socket, Tap] = weakref.WeakKeyDictionary()
"""Whose socket it is."""


def note_first(sock: socket.socket, data: Any, size: int, began: float) -> None:
    """What `sock` has sent just before it was given a tap."""
    tap = _taps.get(sock)
    if tap is not None:
        tap.said(data, size, began, "sendto")


def _said(sock: socket.socket, data: Any, size: int, began: float, call: str) -> int:
    tap = _taps.get(sock)
    if tap is not None:
        tap.said(data, size, began, call)
    return size


def _heard(sock: socket.socket, data: Any, size: int, call: str, flags: int) -> None:
    tap = _taps.get(sock)
    if tap is not None and (size or sock.type == socket.SOCK_DGRAM):
        tap.heard(data, size, call, flags)


class TappedSocket(socket.socket):
    """A program's socket. It does what a plain one does, and tells its tap.

    Neither ``super()`` nor methods of its own: a call may wait when its program ends and the class is taken away.
    """

    __slots__ = ()

    def send(self, data: Any, *flags: Any) -> int:
        """As the socket's own; seen."""
        began, size = time.time(), socket.socket.send(self, data, *flags)
        return _said(self, data, size, began, "send")

    def sendall(self, data: Any, *flags: Any) -> None:
        """As the socket's own; seen."""
        began = time.time()
        socket.socket.sendall(self, data, *flags)
        _said(self, data, memoryview(data).nbytes, began, "sendall")

    def sendto(self, data: Any, *args: Any) -> int:
        """As the socket's own; seen."""
        began, size = time.time(), socket.socket.sendto(self, data, *args)
        return _said(self, data, size, began, "sendto")

    def sendmsg(self, buffers: Iterable[Any], *args: Any) -> int:
        """As the socket's own; seen."""
        buffers = list(buffers)
        began, size = time.time(), socket.socket.sendmsg(self, buffers, *args)
        data = b"".join(bytes(memoryview(b).cast("B")[:KEPT_BYTES]) for b in buffers)
        return _said(self, data, size, began, "sendmsg")

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """As the socket's own; not from descriptor to descriptor, which would go past every method here."""
        return int(self._sendfile_use_send(file, offset, count))  # type: ignore[attr-defined]

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """As the socket's own; seen."""
        data = socket.socket.recv(self, bufsize, flags)
        _heard(self, data, len(data), "recv", flags)
        return data

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """As the socket's own; seen. Files that ``makefile()`` gives come here."""
        size = socket.socket.recv_into(self, buffer, nbytes, flags)
        _heard(self, buffer, size, "recv_into", flags)
        return size

    def recvfrom(self, bufsize: int, flags: int = 0, /) -> tuple[bytes, Any]:
        """As the socket's own; seen."""
        data, address = socket.socket.recvfrom(self, bufsize, flags)
        _heard(self, data, len(data), "recvfrom", flags)
        return data, address

    def recvfrom_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> tuple[int, Any]:
        """As the socket's own; seen."""
        size, address = socket.socket.recvfrom_into(self, buffer, nbytes, flags)
        _heard(self, buffer, size, "recvfrom_into", flags)
        return size, address

    def recvmsg(self, bufsize: int, *args: Any) -> Any:
        """As the socket's own; seen."""
        result = socket.socket.recvmsg(self, bufsize, *args)
        _heard(self, result[0], len(result[0]), "recvmsg", args[1] if len(args) > 1 else 0)
        return result

    def recvmsg_into(self, buffers: Iterable[Any], *args: Any) -> Any:
        """As the socket's own; seen."""
        buffers = list(buffers)
        result = socket.socket.recvmsg_into(self, buffers, *args)
        data = b"".join(bytes(memoryview(b).cast("B")[:KEPT_BYTES]) for b in buffers)
        _heard(self, data, result[0], "recvmsg_into", args[1] if len(args) > 1 else 0)
        return result

    def dup(self) -> socket.socket:  # type: ignore[override]
        """A plain socket, which is not seen."""
        duplicate = socket.socket(self.family, self.type, self.proto, fileno=socket.dup(self.fileno()))
        duplicate.settimeout(self.gettimeout())
        return duplicate

    def detach(self) -> int:
        """As the socket's own; what takes the descriptor is not seen: TLS does so."""
        tap = _taps.get(self)
        if tap is not None:
            tap.unseen = "tls"
        return socket.socket.detach(self)


# For its repr and its name it is what it was.
TappedSocket.__module__, TappedSocket.__name__, TappedSocket.__qualname__ = "socket", "socket", "socket"


def after_fork() -> None:
    """In a forked child: no program runs here, and none is seen."""
    for tap in list(_taps.values()):
        tap.let_go()
