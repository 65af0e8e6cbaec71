"""What is known of a server: where it listens, how it stands, whom it serves. Nothing in here changes anything."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..journal import Journal
from ..states import LoopState, ServerState
from . import proc
from .connection import Connection
from .door import Access
from .limits import Limits
from .observation import Observation
from .peer import address_text
from .reach import Reach
from .rules import Rules
from .savedreplies import SavedReplies, saved_replies

if TYPE_CHECKING:
    from .resilient import Loop


class Known:
    """All that is read of a `Server`.

    Attributes:
        base: The ``socketserver`` object itself.
        observation: What is known of its clients: see `Observation`.
    """

    base: Any
    observation: Observation
    _state: ServerState
    _own_class: type[socketserver.BaseServer]
    _thread: threading.Thread | None
    _loop: Loop

    @property
    def state(self) -> ServerState:
        """Where it is in its life."""
        return self._state

    @property
    def journal(self) -> Journal:
        """All the facts, bounded; read with a cursor."""
        return self.observation.journal

    @property
    def limits(self) -> Limits:
        """What it allows; may be changed while it serves."""
        return self.observation.limits

    @property
    def address(self) -> Any:
        """Where it listens: ``(host, port)``, or a Unix socket's path."""
        address = self.base.server_address
        return address[:2] if isinstance(address, tuple) else address

    @property
    def address_text(self) -> str:
        """Where it listens, as people write it: ``127.0.0.1:8008``."""
        return address_text(self.base.server_address)

    @property
    def kind(self) -> str:
        """The name of the server's class."""
        return self._own_class.__name__

    @property
    def thread(self) -> threading.Thread | None:
        """The thread of the accept loop."""
        return self._thread

    @property
    def access(self) -> Access:
        """Who may connect."""
        return self.observation.access

    @property
    def token(self) -> str:
        """What a client's first line must show, as ``HELLO <token>``; "" if it need not."""
        return self.access.token

    @property
    def reach(self) -> Reach:
        """Who can reach it, and the addresses that they type."""
        return Reach.of(self.base.server_address, self.access.lan, self.access.allow_public)

    @property
    def backlog(self) -> int | None:
        """How many clients the operating system has connected that wait to be accepted; None if it does not tell."""
        return proc.backlog(self.base.socket) if not self.is_datagram else None

    @property
    def backlog_peers(self) -> list[tuple[str, int]]:
        """Who waits to be accepted: their addresses, in no order, as far as the operating system tells (Linux, TCP).

        Reads a table of all TCP sockets of the machine: some milliseconds where there are thousands.
        """
        return proc.backlog_peers(self.base.socket) if self.backlog else []

    @property
    def loop(self) -> LoopState:
        """What the accept loop is doing at this moment."""
        loop = self._loop
        if self._state is not ServerState.SERVING:
            return LoopState.ENDED
        if loop.thread is None:
            return LoopState.UNSEEN
        if not loop.is_selecting:
            return LoopState.RUNNING if loop.serving is None else LoopState.SERVING
        if self.is_pausing:
            return LoopState.PAUSED
        return LoopState.SELECTING if self.is_datagram or self.observation.has_room else LoopState.FULL

    @property
    def serving(self) -> Connection | None:
        """The connection that the accept loop serves itself, while it does: then it accepts nobody."""
        return self._loop.serving if self._loop.thread is not None else None

    @property
    def speaks_http(self) -> bool:
        """Whether a browser can ask it: its handler is one of `http.server`."""
        handler = getattr(self.base, "RequestHandlerClass", None)
        return isinstance(handler, type) and any(c.__module__ == "http.server" for c in handler.__mro__)

    @property
    def family(self) -> socket.AddressFamily:
        """The kind of its address: `socket.AF_INET`, ``AF_INET6`` or ``AF_UNIX``."""
        return socket.AddressFamily(getattr(self.base, "address_family", socket.AF_INET))

    @property
    def is_pausing(self) -> bool:
        """Whether it accepts nobody for a moment, after a lack of descriptors."""
        return self._loop.pause() > 0

    @property
    def is_datagram(self) -> bool:
        """Whether it serves datagrams (UDP), and so has peers in place of connections."""
        return getattr(self.base, "socket_type", None) == socket.SOCK_DGRAM

    @property
    def connections(self) -> Mapping[int, Connection]:
        """The connections by number: all that live, and the last 1 000 that have ended. A copy."""
        return dict(self.observation.connections)

    def __getitem__(self, number: int) -> Connection:
        """Connection `number`. Raises `UsageError` when there is none."""
        try:
            return self.observation.connections[number]
        except KeyError:
            known = ", ".join(f"#{n}" for n in list(self.observation.connections)[-10:]) or "none yet"
            raise UsageError(f"there is no connection #{number} here (known: {known})") from None

    @property
    def accepted(self) -> int:
        """How many connections it has accepted in all."""
        return self.observation._last_number

    @property
    def rules(self) -> Rules:
        """What answers an ``input()`` of a handler in place of a person: ``server.rules.add("hello", "hi there")``."""
        return self.observation.rules

    @property
    def saved_replies(self) -> SavedReplies:
        """Texts that the board offers to reply with; all servers of this process have the same."""
        return saved_replies
