"""The fault lab of one server: which faults are set, for all connections or for one, and where they are put to work."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from ...errors import UsageError
from ...events import Kind as EventKind
from ..sockets import ObservedDatagramSocket
from .kinds import KINDS, Fault, checked, named
from .mail import Mail
from .sockets import FaultyDatagramSocket, can_be_faulty
from .wire import Wire

if TYPE_CHECKING:
    from ..connection import Connection
    from ..observation import Observation

MOST_FAULTS = 50
"""How many faults one server has at most."""


class Lab:
    """All the faults of one server. Thread: any.

    Attributes:
        mail: Of a datagram server: where they act.
    """

    def __init__(self, observation: Observation) -> None:
        """No fault yet."""
        self._set: tuple[Fault, ...] = ()  # replaced as a whole, never changed
        self.mail = Mail(observation)
        self._observation = observation
        self._last_number = 0
        # One change at a time, from the list of faults to each connection's wire. Taken before any wire's lock.
        self._lock = threading.RLock()
        self._lingering: set[Wire] = set()  # whose connections have ended, and what is queued goes on

    @property
    def is_datagram(self) -> bool:
        """Whether its server serves datagrams."""
        return self._observation.is_datagram

    @property
    def is_in_use(self) -> bool:
        """Whether a fault is set, perhaps for a connection that has ended."""
        return bool(self._set)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Those that are set, in the order of their numbers. That of one connection ends with it."""
        return tuple(fault for fault in self._set if not fault.connection or self._lives(fault.connection))

    def _lives(self, number: int) -> bool:
        connection = self._observation.connections.get(number)
        return connection is not None and not connection.is_over

    def add(self, name: str, connection: Connection | None, direction: Any, values: dict[str, Any]) -> Fault:
        """See `Faults.add`."""
        kind = named(name, self._observation.is_datagram)
        direction, found = checked(name, kind, direction, values)
        self._must_act(connection)
        with self._lock:
            if len(self.faults) >= MOST_FAULTS:
                raise UsageError(
                    f"a server has at most {MOST_FAULTS} faults: undo one first, as in server.faults.clear()"
                )
            self._last_number += 1
            number = connection.number if connection is not None else 0
            fault = Fault(self._last_number, name, number, direction, found, self.undo)
            self._set = (*self.faults, fault)
            self._tell(fault, f"fault {fault.number} is set: {fault.sentence}")
            self._refresh(number)
        return fault

    def undo(self, fault: Fault) -> None:
        """See `Fault.undo`."""
        with self._lock:
            fault.is_set = False
            if fault not in self._set:
                return
            self._set = tuple(other for other in self._set if other is not fault)
            acted = f"it acted {fault.acted} times" if fault.acted != 1 else "it acted once"
            self._tell(fault, f"fault {fault.number} is undone, {acted}: {fault.sentence}")
            self._refresh(fault.connection)

    def _must_act(self, connection: Connection | None) -> None:
        """Raises `UsageError` where no fault could."""
        if self._observation.is_closing:
            raise UsageError("the server has been stopped: nothing is sent that a fault could act on")
        if connection is None:
            sock = self._observation.datagram_socket
            is_ours = type(sock) is socket.socket or isinstance(sock, ObservedDatagramSocket)
            if self._observation.is_datagram and not is_ours:
                raise UsageError("this server has a socket class of its own, in which no fault can act")
            return
        sock = connection._must_live()
        if not connection.is_datagram and not can_be_faulty(sock):
            raise UsageError(
                f"no fault can act on connection {connection.number}: its socket is wrapped by the program (TLS?)"
            )

    def _tell(self, fault: Fault, text: str) -> None:
        """In the journal, and in the transcript of each connection that it is for."""
        if not fault.connection:
            self._observation.tell(EventKind.NOTICE, text)
        for connection in self._observation.live:
            if fault.connection in (0, connection.number):
                connection.notice(text)

    def _refresh(self, number: int) -> None:
        if self._observation.is_datagram:
            self.refresh_datagrams()
            return
        for connection in self._observation.live:
            if number in (0, connection.number):
                self._put_to_work(connection)
        for wire in list(self._lingering):
            wire.change(fault for fault in self._set if fault.connection in (0, wire.number))

    def refresh_datagrams(self) -> None:
        """Let the faults act in a datagram server's socket, which is there when it is served."""
        sock = self._observation.datagram_socket
        if isinstance(sock, ObservedDatagramSocket):
            with self._lock:
                if self._set:
                    sock.__class__ = FaultyDatagramSocket  # of the same layout
                self.mail.change(self._set, sock)

    def mail_is_idle(self) -> bool:
        """Nothing is held and no fault is set: the socket gets its own class back. False: not yet, ask again."""
        sock = self._observation.datagram_socket
        if not isinstance(sock, FaultyDatagramSocket):
            return True
        # Whoever sets a fault holds this lock, and waits for the mail's, which the carrier holds here.
        if not self._lock.acquire(blocking=False):
            return False
        try:
            if self.mail.is_idle:
                cast(Any, sock).__class__ = ObservedDatagramSocket
        finally:
            self._lock.release()
        return True

    def accepted(self, connection: Connection) -> None:
        """A connection begins while faults are set."""
        with self._lock:
            faults = [fault for fault in self._set if not fault.connection]
            for fault in faults:
                connection.notice(f"fault {fault.number} is set: {fault.sentence}")
            if faults and not connection.is_datagram:
                self._put_to_work(connection)

    def _put_to_work(self, connection: Connection) -> None:
        faults = [fault for fault in self._set if fault.connection in (0, connection.number)]
        with connection.descriptor_lock:
            sock, wire = connection.socket, connection.wire
            if sock is None or not can_be_faulty(sock):
                if faults and sock is not None:
                    connection.notice("no fault acts here: the socket is wrapped by the program")
                return
            if wire is None:
                if connection._is_hung_up:
                    return  # it was not there to be cut, and would hold the end
                wire = connection.wire = Wire(connection, sock)
            wire.change(faults)

    def of(self, connection: Connection | None) -> Faults:
        """Those of one connection, or of the server."""
        return Faults(self, connection)

    def lingers(self, wire: Wire) -> None:
        """What is queued outlives its connection."""
        self._lingering.add(wire)

    def has_lingered(self, wire: Wire) -> None:
        """It has gone."""
        self._lingering.discard(wire)

    def end(self) -> None:
        """The server has been stopped: nothing is held any more."""
        for wire in list(self._lingering):
            wire.outgoing.end()
        self.mail.end()


class Faults:
    """The faults that are set for a server, or for one connection: ``server.faults``, ``server[3].faults``.

    Call: `add`, `clear`, ``len``, iterate. Thread: any.
    """

    def __init__(self, lab: Lab, connection: Connection | None = None) -> None:
        """Those of all connections of the server, or of one."""
        self._lab = lab
        self._connection = connection

    def add(self, name: str, /, *, direction: str | None = None, **values: Any) -> Fault:
        """Set a fault: for the server, so also for those who connect later; or for one connection.

        =================  ============================================  =======================================
        name               parameters, with what they usually are        what the client will notice
        =================  ============================================  =======================================
        ``"delay"``        ``seconds=0.5, jitter=0.0``                   everything comes later (TCP, UDP)
        ``"bandwidth"``    ``rate=1000`` bytes per second                a long message drips in
        ``"split"``        ``at=1`` byte, ``pause=0.3`` seconds          one message comes in two pieces
        ``"merge"``        ``size=1024`` bytes, ``seconds=1.0``          several messages come in one piece
        ``"slow_reader"``  ``rate=10`` bytes per second, ``buffer=1024``  it reads so slowly that ``send()`` blocks
        ``"black_hole"``   none                                          silence, and no error (TCP, UDP)
        ``"drop"``         ``share=0.3``, ``seed``                       some datagrams never come (UDP)
        ``"duplicate"``    ``share=0.3``, ``seed``                       some datagrams come twice (UDP)
        ``"reorder"``      ``share=0.3``, ``seed``                       some are overtaken by the next (UDP)
        =================  ============================================  =======================================

        A stream keeps its order, whatever is set: its bytes come late, or in other pieces, and none is lost. What a
        fault holds is bounded (256 KiB a connection): then ``send()`` blocks, as on a full network.

        Args:
            name: See above.
            direction: ``"both"`` (usual), ``"to_client"`` or ``"from_client"``.
            **values: See above. With the same `seed` the same datagrams are met.

        Returns:
            The fault; ``fault.undo()`` ends it, and so does the end of ``with server.faults.add(…):``.

        Raises:
            UsageError: There is no such fault here, a parameter cannot be had, or the server has been stopped.
            ConnectionEnded: The connection has ended.
        """
        return self._lab.add(name, self._connection, direction, values)

    def seen(self) -> dict[str, list[Any]]:
        """What can be set here, and what is set, as plain data: lists of what `Kind`, `Parameter` and `Fault` have."""
        is_datagram = self._lab.is_datagram
        kinds = [
            [name, [list(parameter) for parameter in kind.parameters], list(kind.directions)]
            for name, kind in KINDS.items()
            if (kind.datagrams if is_datagram else kind.streams)
        ]
        faults = [[f.number, f.name, f.connection, f.sentence, f.acted, f.seen] for f in self._all()]
        return {"kinds": kinds, "faults": faults}

    def clear(self) -> None:
        """Undo all: of the server, those for single connections too; of a connection, its own."""
        for fault in self._all():
            fault.undo()

    def _all(self) -> tuple[Fault, ...]:
        faults, connection = self._lab.faults, self._connection
        return faults if connection is None else tuple(f for f in faults if f.connection == connection.number)

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return f"<Faults {list(self._all())}>"
