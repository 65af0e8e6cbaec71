"""Taking over a server object that somebody else has made."""

from __future__ import annotations

import socket
import socketserver
import sys
import threading
from typing import Any

from ..errors import UsageError
from ..text import safe_text
from .door import Access
from .observed import Observed, observed_class, refuse_forking


def take_over(base: socketserver.BaseServer, access: Access) -> Observed:
    """Give `base` its observed class; it stays the same object.

    Raises:
        UsageError: It is no ``socketserver`` server, one that forks or is served already; or `access` is not for its
            kind.
    """
    if not isinstance(base, socketserver.BaseServer):
        raise UsageError(f"only a socketserver server object can be observed, not {type(base).__name__}")
    refuse_forking(type(base))
    thread = _thread_that_serves(base)
    if thread:
        raise UsageError(
            f"this {type(base).__name__} is served already, by {safe_text(thread)}: call its shutdown() first"
        )
    if getattr(base, "socket_type", None) == socket.SOCK_DGRAM and (access.token or access.tls is not None):
        raise UsageError("a token and TLS are for streams: datagrams have no first line and no handshake")
    try:
        base.__class__ = observed_class(type(base))
    except TypeError as error:
        raise UsageError(f"{type(base).__name__} cannot be observed: {error}") from error
    sock = getattr(base, "socket", None)
    if isinstance(sock, socket.socket) and _is_listening(sock):
        sock.listen(base.request_queue_size)  # type: ignore[attr-defined]  # again, so that the longer backlog holds
    return base  # type: ignore[return-value]


def _thread_that_serves(base: socketserver.BaseServer) -> str:
    """The name of the thread that runs the standard library's loop for `base`; two loops would take turns, unseen."""
    frames = sys._current_frames()
    for thread in threading.enumerate():
        frame = frames.get(thread.ident or 0)
        while frame is not None:
            if frame.f_code is socketserver.BaseServer.serve_forever.__code__ and frame.f_locals.get("self") is base:
                return thread.name
            frame = frame.f_back
    return ""


def _is_listening(sock: Any) -> bool:
    try:
        return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except (OSError, AttributeError):
        return False  # closed; or a system that does not tell, where the backlog stays as it is
