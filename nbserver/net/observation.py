"""What is known of one server."""

from __future__ import annotations

import _socket
import contextlib
import errno
import socket
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..events import Kind, text_event
from ..journal import Journal
from ..states import ConnectionState
from .connection import Connection, host_text
from .limits import Limits

if TYPE_CHECKING:
    from .observed import Observed

_ENDED_BYTES = 2**16  # of one that has ended
_FORKED = "the process was forked, and it is the parent's"
_REMEMBERED = 1000  # how many connections that have ended stay in the table


class Observation:
    """What is known of one server: its journal and its connections.

    Thread: any may read.

    Attributes:
        journal: All the facts, bounded.
        connections: The connections by number: all that live, and the last 1 000 that have ended.
        limits: What it allows.
        door: Who may come in: functions of a request and its client's address, that give the reason why not, or "".
        turned_away: How many were not let in.
        errors: How many handlers have raised.
        trouble: What the accept loop met last, in words.
    """

    def __init__(self, server: Observed) -> None:
        self.journal = Journal()
        self.connections: dict[int, Connection] = {}
        self.limits = Limits()
        self.door: list[Callable[[Any, Any], str]] = [self._too_many_from_there]
        self.turned_away = 0
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

    def may_not_enter(self, request: Any, peer: Any) -> str:
        """Why whoever comes from `peer` is not let in; "" lets it in. Told once for each that is turned away."""
        why = next((reason for check in self.door if (reason := check(request, peer))), "")
        if why:
            self.turned_away += 1
            self.trouble = f"{host_text(peer)} was turned away: {why}"
            # In powers of two: a flood must not push out of the journal what it is about.
            if self.turned_away & (self.turned_away - 1) == 0:
                self.tell(Kind.TROUBLE, f"{self.trouble} ({self.turned_away} turned away so far)")
        return why

    def _too_many_from_there(self, request: Any, peer: Any) -> str:
        most = self.limits.max_per_peer
        if most is None:
            return ""
        host = host_text(peer)
        count = sum(host_text(connection.peer) == host for connection in self.live)
        return f"{count} connections from its address are open, the most allowed" if count >= most else ""

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
        connection.transcript.forget(_ENDED_BYTES)
        with self._lock:
            was_full = len(self._live) >= self.limits.max_connections
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
    def transcript_bytes(self) -> int:
        """How much data each living connection's transcript may hold now, in bytes."""
        limits = self.limits
        return min(limits.transcript_bytes, limits.transcripts_bytes // max(1, len(self._live)))

    @property
    def has_room(self) -> bool:
        """Whether one more may be accepted."""
        return len(self._live) < self.limits.max_connections

    def after_fork(self) -> None:
        """In a forked child: the connections are the parent's, and have ended here."""
        self._lock, self._peers_lock = threading.RLock(), threading.RLock()
        self.journal._after_fork()
        for connection in list(self.connections.values()):
            connection.descriptor_lock, connection._sending_past = threading.RLock(), threading.Lock()
            connection._after_fork(_FORKED)
            if not connection.is_over:
                connection._state, connection.note = ConnectionState.CLOSED, _FORKED
                close_copy(connection.socket)
                connection.socket = None
        self._live.clear()

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


def close_copy(sock: Any) -> None:
    """Close a forked child's copy of a socket: no method of its class, no ``shutdown``, whatever files are made of it.

    The connection is the parent's, too, and goes on.
    """
    if isinstance(sock, socket.socket):
        with contextlib.suppress(OSError):  # its descriptor was closed behind its back
            _socket.socket.close(sock)
