"""What is known of one server."""

from __future__ import annotations

import _socket
import contextlib
import errno
import socket
import threading
import time
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..events import Kind, text_event
from ..journal import Journal
from ..states import ConnectionState
from .clock import Clock, Ticked
from .connection import Connection
from .deadlines import Deadlines
from .door import Access, Door, Gate
from .faults import Lab
from .lens import Lens
from .limits import Limits
from .onecore import OneCore
from .peer import host_text
from .rules import Rules
from .slowmotion import SlowMotion
from .steps import Lane, Lanes, here
from .traffic import CREDIT, Traffic

if TYPE_CHECKING:
    from .observed import Observed
    from .shared import SharedData

_ENDED_BYTES = 2**16  # of one that has ended
_FORKED = "the process was forked, and it is the parent's"
# Of all connections of one server together, between two ticks of the clock: what is kept must not slow what is carried.
_KEPT_A_TICK = 512
_RENEWED_A_TICK = 256
_LEAST_CREDIT = 2
_LOOKED_AT = 32  # after so many connections the clock looks whether they come fast
_REMEMBERED = 1000  # how many connections that have ended stay in the table

clock = Clock("nbserver-clock")
"""The one of this process."""


class Observation:
    """What is known of one server: its journal and its connections.

    Thread: any may read.

    Attributes:
        journal: All the facts, bounded.
        connections: The connections by number: all that live, and the last 1 000 that have ended.
        access: Who may come in.
        door, gate: Asked about each client: before it is accepted, and in its own thread.
        is_closing: Whether the server is being stopped, or was.
        turned_away: How many were not let in; of the last one `why_turned_away` says why, and `turned_away_at` when, on
            the monotonic clock.
        errors: How many handlers have raised.
        lens: Where messages begin and end, for the byte ruler.
        sees_lines: Whether it is noted which line of a handler has carried something: in notebooks, where people look.
        rules: Who answers an ``input()`` in place of a person.
        server_class: The server's class; ours are in it, and left out by `nbserver.teach.order`.
        slow_motion: Who is held before which call.
        lanes: Where the calls for the next client are noted.
        life: How the server object was made; its ``then`` is the thread that serves.
        lab: What goes wrong on purpose.
        trouble: What the accept loop met last, in words.
        shared: What the handlers share and somebody watches, or watched last.
    """

    def __init__(self, server: Observed) -> None:
        self.journal = Journal()
        self.connections: dict[int, Connection] = {}
        self._limits = Limits()
        self._is_timed = False
        self._deadlines = Deadlines()
        self.access = Access()
        self.door, self.gate = Door(self), Gate(self)
        self.is_closing = False
        self.turned_away = 0
        self.why_turned_away, self.turned_away_at = "", 0.0
        self.errors = 0
        self.lens = Lens()
        self.sees_lines = False  # half a microsecond for each message that is kept
        self.rules = Rules(lambda: self.live)
        self.lab = Lab(self)
        self.trouble = ""
        self.shared: SharedData | None = None
        # Connections, messages in and out, bytes in and out of those that are no longer in the table.
        self.forgotten = [0, 0, 0, 0, 0]
        self.on_serving: Callable[[bool], None] = lambda is_serving: None
        self.on_idle: Callable[[], None] = lambda: None  # told when the last that lived has ended
        self.server_class = type(server)
        self.slow_motion = SlowMotion(self.journal)
        self.lanes = Lanes(self.slow_motion)
        self.life = self.new_lane(is_slow=False)
        self._server = weakref.ref(server)
        # The accept loop adds, handlers' threads remove; the lock keeps number and table in step. Reentrant, because a
        # signal handler or a __del__ may stop the server in a thread that holds it.
        self._lock = threading.RLock()
        # One row for one peer, whoever hears of it first. Never taken while `_lock` or the journal's lock is held.
        self._peers_lock = threading.RLock()
        self._last_number = self._last_seen = 0
        self._one_core = OneCore(self._threads)
        self._live: set[Connection] = set()
        self._ended: deque[int] = deque()
        self._peers: OrderedDict[Any, Connection] = OrderedDict()  # heard longest ago first
        self._foreign: dict[int, Connection] = {}  # of requests that are not our sockets, by the request's id
        self._spent: deque[Traffic] = deque()  # those whose credit is used up
        self._taken_over: dict[int, Connection] = {}  # whose descriptor was detached, to be wrapped in another socket

    @property
    def limits(self) -> Limits:
        """What the server allows; may be changed while it serves."""
        return self._limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self._limits = limits
        limits.tell(self._limits_changed)
        self._limits_changed()

    @property
    def server(self) -> Observed | None:
        """The server that is observed; None once it is gone."""
        return self._server()

    def _limits_changed(self) -> None:
        self._is_timed = self._limits.are_timed
        if self._is_timed:
            clock.add(self)
        self._look_again()

    def _look_again(self) -> None:
        """Let the accept loop look again: there may be room now."""
        loop = vars(self._server() or object).get("_nbserver_loop")
        if loop is not None:
            loop.wake()

    def may_not_enter(self, request: Any, peer: Any) -> str:
        """Why whoever comes from `peer` is not let in; "" lets it in. Told once for each that is turned away."""
        why = self.door.why_not(request, peer)
        if why:
            self.turned_away += 1
            self.why_turned_away, self.turned_away_at = why, time.monotonic()
            self.trouble = f"{host_text(peer)} was turned away: {why}"
            # In powers of two: a flood must not push out of the journal what it is about.
            if self.turned_away & (self.turned_away - 1) == 0:
                self.tell(Kind.TROUBLE, f"{self.trouble} ({self.turned_away} turned away so far)")
        return why

    @property
    def is_datagram(self) -> bool:
        """Whether it serves datagrams (UDP)."""
        return getattr(self._server(), "socket_type", None) == socket.SOCK_DGRAM

    @property
    def datagram_socket(self) -> Any:
        """The one socket of a datagram server."""
        return getattr(self._server(), "socket", None) if self.is_datagram else None

    def call_regularly(self, ticked: Ticked) -> None:
        """Have the clock call `ticked` ten times a second, until it says that it needs no more."""
        clock.add(ticked)

    def spent(self, connection: Traffic) -> None:
        """A connection has no credit left: the clock gives it new."""
        self._spent.append(connection)
        clock.add(self)

    def tick(self) -> bool:
        """What is due ten times a second: new credit, and the limits of time. Thread: the clock's."""
        if self._is_timed:
            self._deadlines.look(self.live, self._limits)
        is_kept_together = self._one_core.look(*self._renew())
        return bool(self._spent) or is_kept_together or (self._is_timed and bool(self._live))

    def _renew(self) -> tuple[int, int, float]:
        """Give new credit to those who have spent it; returns what `OneCore.look` wants to know."""
        # The busier the server, the smaller the share of each.
        count = min(len(self._spent), _RENEWED_A_TICK)
        passed = messages = carried = 0
        for _ in range(count):
            connection = self._spent.popleft()
            passed += connection.renew(max(_LEAST_CREDIT, min(CREDIT, _KEPT_A_TICK // count)))
            messages += connection.messages_in + connection.messages_out
            carried += connection.bytes_in + connection.bytes_out
        accepted, self._last_seen = self._last_number - self._last_seen, self._last_number
        # One thread alone has nobody to hand the lock to.
        return passed if count > 1 else 0, accepted, carried / max(1, messages)

    def _threads(self) -> list[threading.Thread]:
        """The server's threads, the accept loop's first, which starts the others."""
        known = vars(self._server() or object)
        loop, workers = known.get("_nbserver_loop"), known.get("_nbserver_workers")
        first = [loop.thread] if loop is not None and loop.thread is not None else []
        return first + (list(workers.threads) if workers is not None else [])

    @property
    def handler_class(self) -> Any:
        """What makes its handlers, while the server is there."""
        return getattr(self._server(), "RequestHandlerClass", None)

    def new_lane(self, is_slow: bool | None = None) -> Lane:
        """A lane for what this thread calls; `is_slow` as there."""
        lane = Lane(self.slow_motion, here.name)
        lane.is_slow = is_slow
        return lane

    def open(self, peer: Any, sock: socket.socket | None, is_datagram: bool = False) -> Connection:
        """A new connection."""
        with self._lock:
            number = self._last_number + 1
            connection = self.connections[number] = Connection(number, peer, self, sock, is_datagram)
            self._live.add(connection)
            self._last_number = number  # last: who waits for the third finds it in the table
        if self._is_timed or not number % _LOOKED_AT:
            clock.add(self)
        if self.is_closing and is_datagram:
            connection.hang_up("the server was stopped")  # a handler that began late: nobody else will end its row
        if self.lab.is_in_use:
            self.lab.accepted(connection)
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
            with contextlib.suppress(KeyError):  # it ended this moment
                self._peers.move_to_end(address)
            return known
        with self._peers_lock:
            known = self._peers.get(address)
            if known is None or known.is_over:
                if not self.has_room and self._peers:
                    self._peers.popitem(last=False)[1].end("not heard for longest, and the table is full")
                known = self._peers[address] = self.open(address, None, is_datagram=True)
            return known

    def ended(self, connection: Connection) -> None:
        """A connection has ended: it stays in the table for a while, to be read."""
        if connection.bytes_in + connection.bytes_out > _ENDED_BYTES:
            connection.transcript.forget(_ENDED_BYTES)
        with self._lock:
            was_full = not self.has_room
            self._live.discard(connection)
            self._ended.append(connection.number)
            if len(self._ended) > _REMEMBERED:
                self._forget(self.connections.pop(self._ended.popleft()))
            if connection.is_datagram and self._peers.get(connection.peer) is connection:
                del self._peers[connection.peer]
            for table in (self._foreign, self._taken_over):
                for key in [key for key, other in table.items() if other is connection] if table else ():
                    del table[key]
            is_idle = not self._live
        if is_idle:
            self.on_idle()
        if was_full:
            self._look_again()

    def _forget(self, old: Connection) -> None:
        """Count one that is no longer in the table."""
        sums = self.forgotten
        carried = (old.messages_in, old.messages_out, old.bytes_in, old.bytes_out)
        self.forgotten = [sums[0] + 1, *(total + one for total, one in zip(sums[1:], carried, strict=True))]

    @property
    def address(self) -> Any:
        """Where the server listens, as its socket has it; None when the server is gone."""
        return getattr(self._server(), "server_address", None)

    @property
    def live(self) -> list[Connection]:
        """The connections that have not ended."""
        with self._lock:
            return list(self._live)

    @property
    def open_count(self) -> int:
        """How many connections have not ended."""
        return len(self._live)

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
        self.lab = Lab(self)
        self.journal._after_fork()
        self.slow_motion.after_fork()
        for connection in list(self.connections.values()):
            connection.descriptor_lock, connection._sending_past = threading.RLock(), threading.Lock()
            connection.wire = None
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
        send = getattr(server.socket, "carry_out", None)  # a socket class of the user's own has none
        send(data, peer) if send else _socket.socket.sendto(server.socket, data, peer)


def close_copy(sock: Any) -> None:
    """Close a forked child's copy of a socket: no method of its class, no ``shutdown``, whatever files are made of it.

    The connection is the parent's, too, and goes on.
    """
    if isinstance(sock, socket.socket):
        with contextlib.suppress(OSError):  # its descriptor was closed behind its back
            _socket.socket.close(sock)
