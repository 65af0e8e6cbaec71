"""Notices where a program connects to, and where its datagrams go: a step in front of a few methods of a socket.

The steps are in place while programs run.
"""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from typing import Any, NamedTuple

from .. import context
from . import tap

_BEGUN = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)  # what connect_ex says of a connection that is there, or will be


class Ends(NamedTuple):
    """The two ends of a connection, as its client knows them.

    Attributes:
        local: The client's own address, which the server sees as its peer's.
        remote: What it connected to.
    """

    local: Any
    remote: Any


def _connect(self: socket.socket, address: Any, /, *rest: Any) -> None:
    """``socket.connect``, which also tells the program that calls it."""
    try:
        super(socket.socket, self).connect(address, *rest)  # one argument too many: let it say so in its own words
    except BlockingIOError:  # on its way: asyncio connects like this
        _tell(self, address)
        raise
    _tell(self, address)


def _connect_ex(self: socket.socket, address: Any) -> int:
    """``socket.connect_ex``, which also tells the program that calls it."""
    code = super(socket.socket, self).connect_ex(address)
    if code in _BEGUN:
        _tell(self, address)
    return code


def _sendto(self: socket.socket, data: Any, *args: Any) -> int:
    """``socket.sendto``: a program that sends datagrams without connecting first tells where it sends the first."""
    connected = getattr(context.current(), "connected", None) if type(self) is socket.socket else None
    began, size = time.time(), super(socket.socket, self).sendto(data, *args)
    if connected is not None and self.type == socket.SOCK_DGRAM:
        connected(Ends(_seen_as(self.getsockname(), args[-1]), args[-1]), self)
        tap.note_first(self, data, size, began)
    return size


def _seen_as(local: Any, remote: Any) -> Any:
    """What the other end sees as the address of a socket that is bound to all: on this machine, the other's own."""
    if not isinstance(local, tuple) or local[0] not in ("0.0.0.0", "::"):
        return local
    host = remote[0]
    return ("127.0.0.1" if host == "localhost" and local[0] == "0.0.0.0" else host, *local[1:])


def _tell(sock: socket.socket, address: Any) -> None:
    connected = getattr(context.current(), "connected", None)  # a program's; a handler has none
    if connected is not None:
        connected(Ends(sock.getsockname(), address), sock)


_lock = threading.Lock()  # programs begin and end in threads of their own
_users = 0


def acquire() -> None:
    """A program begins. Thread: any."""
    global _users
    with _lock:
        _users += 1
        if _users == 1:  # in front of the C methods that it inherits
            socket.socket.connect = _connect  # type: ignore[method-assign, assignment]
            socket.socket.connect_ex = _connect_ex  # type: ignore[method-assign, assignment]
            socket.socket.sendto = _sendto  # type: ignore[method-assign, assignment]


def release() -> None:
    """A program has ended; with the last, everything is as it was. Thread: any."""
    global _users
    with _lock:
        _users = max(0, _users - 1)  # 0 in a forked child, where everything is undone already
        if _users == 0:
            _undo()


def _undo() -> None:
    for name, ours in (("connect", _connect), ("connect_ex", _connect_ex), ("sendto", _sendto)):
        if vars(socket.socket).get(name) is ours:  # not what somebody else has put there meanwhile
            delattr(socket.socket, name)


def _after_fork() -> None:
    """In a forked child: no program runs here."""
    global _lock, _users
    _lock, _users = threading.Lock(), 0  # another thread, which is not here, may have held it
    _undo()
    tap.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
