"""The other end: how its address is written, and what its socket says of it."""

from __future__ import annotations

import errno
import select
import socket
from typing import Any

from ..text import safe_text

_HALF_CLOSED = getattr(select, "POLLRDHUP", 0)  # Linux
_UNREACHABLE = {errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN}


def address_text(address: Any) -> str:
    """An address as people write it: ``127.0.0.1:8008``, ``[::1]:8008``, or a Unix socket's path. Safe to show."""
    if isinstance(address, tuple) and len(address) >= 2:
        host = f"[{address[0]}]" if ":" in str(address[0]) else str(address[0])
        return safe_text(f"{host}:{address[1]}")
    if isinstance(address, bytes):
        address = "@" + address.lstrip(b"\0").decode("utf-8", "backslashreplace")
    return safe_text(str(address or "")) or "(unnamed)"


def host_text(address: Any) -> str:
    """The part of an address that tells who it is: without the port, and IPv4 written as such. Safe to show."""
    if isinstance(address, tuple) and address:
        return safe_text(str(address[0]).partition("%")[0].removeprefix("::ffff:"))
    return address_text(address)


def is_vanished(error: BaseException) -> bool:
    """Whether this is what a socket says when the other end is gone."""
    return isinstance(error, ConnectionError) or (isinstance(error, OSError) and error.errno in _UNREACHABLE)


def words_of(error: BaseException) -> str:
    """The class of an error and its text."""
    try:
        text = str(error)
    except Exception:  # the user's own __str__
        text = "(its text cannot be made)"
    return f"{type(error).__name__}: {text}"


def wait_writable(sock: socket.socket, timeout: float) -> bool:
    """Whether something can be sent; True as well when the socket was closed meanwhile, which sending will tell."""
    try:
        if not hasattr(select, "poll"):
            return bool(select.select([], [sock], [], timeout)[1])
        poll = select.poll()  # not select(): descriptors may be above 1 024
        poll.register(sock, select.POLLOUT)
        return bool(poll.poll(timeout * 1000))
    except (OSError, ValueError):
        return True


def look(sock: socket.socket) -> tuple[bool, bool, bool]:
    """Whether the peer has closed its side, whether nothing can be sent to it either, and whether it broke off."""
    if not _HALF_CLOSED:
        return True, False, False  # not Linux: the watch has found the end of what it sent, and no more can be known
    try:
        poll = select.poll()
        poll.register(sock, _HALF_CLOSED)  # errors and POLLHUP are always told
        told = sum(flags for _, flags in poll.poll(0))
    except (OSError, ValueError):
        return True, True, False  # closed meanwhile
    return bool(told), bool(told & ~_HALF_CLOSED), bool(told & select.POLLERR)


def tcp_ends(sock: socket.socket, peer: Any) -> tuple[str, int, str, int]:
    """Peer's host and port, and ours; hosts that are no IP addresses make `proc.is_alive` say "not known"."""
    if not isinstance(peer, tuple):
        return "", 0, "", 0
    host = str(peer[0]).split("%")[0].removeprefix("::ffff:")
    try:
        own = sock.getsockname()
        return host, peer[1], str(own[0]).removeprefix("::ffff:"), own[1]
    except OSError:
        return "", 0, "", 0
