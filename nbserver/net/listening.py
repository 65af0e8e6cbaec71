"""From a handler and an address to a server that is bound."""

from __future__ import annotations

import socketserver
from typing import Any

from ..errors import UsageError
from ..text import safe_text
from .binding import bind
from .door import Access
from .handlers import Conversation
from .limits import Limits
from .observed import refuse_forking
from .server import Server


def listen(
    handler: Any = None,
    address: Any = ("127.0.0.1", 0),
    server_class: type[socketserver.BaseServer] = socketserver.ThreadingTCPServer,
    limits: Limits | None = None,
    access: Access | None = None,
) -> Server:
    """Bind a server; it serves after `Server.start`.

    Args:
        handler: A `socketserver.BaseRequestHandler` subclass, or anything that is called as one; None replies by hand.
        address: ``(host, port)``, port 0 for any that is free; a path for a Unix socket.
        server_class: Any class built on ``socketserver``.
        limits: What it allows.
        access: Who may connect; by default this machine only.

    Raises:
        UsageError: The handler is no handler, or the class no server class.
        AddressError: The address cannot be bound; the message says why, and what would do.
    """
    handler = Conversation if handler is None else handler
    if not callable(handler) or not (not isinstance(handler, type) or hasattr(handler, "handle")):
        raise UsageError(
            f"the handler must be a class with a handle() method, such as a subclass of "
            f"socketserver.BaseRequestHandler, not {safe_text(repr(handler), 80)}"
        )
    if not (isinstance(server_class, type) and issubclass(server_class, socketserver.BaseServer)):
        raise UsageError(f"server_class must be a class built on socketserver, not {safe_text(repr(server_class), 80)}")
    refuse_forking(server_class)
    base = bind(server_class, address, handler)
    try:
        return Server(base, limits, access)
    except BaseException:
        base.server_close()
        raise
