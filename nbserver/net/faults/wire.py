"""One connection's faults at work: what is between its handler's socket and the system, while one is set."""

from __future__ import annotations

import _socket
import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .incoming import Incoming
from .kinds import FROM_CLIENT, TO_CLIENT, Fault
from .outgoing import Outgoing
from .sockets import make_faulty

if TYPE_CHECKING:
    from ..connection import Connection


class Wire:
    """Made when the first fault is set, gone when the last is undone and nothing is held any more.

    Attributes:
        number: Of the connection.
        outgoing: What its handler sends goes through this.
        incoming: What its handler receives comes through this.
    """

    def __init__(self, connection: Connection, sock: socket.socket) -> None:
        """Nothing is held yet; `sock` is the connection's own."""
        self.number = connection.number
        self._connection = connection
        self._sock = sock
        self._lab = connection._observation.lab
        self.outgoing = Outgoing(connection, sock, self._idle)
        self.incoming = Incoming(_socket.socket.recv)

    def change(self, faults: Iterable[Fault]) -> None:
        """Let these hold from now on."""
        faults = tuple(faults)
        if faults and not self._connection.is_over:
            make_faulty(self._sock, True)
            self._connection.credit = max(self._connection.credit, 1)  # a recv() that waits looks here when it returns
        self.outgoing.change(tuple(fault for fault in faults if fault.direction != FROM_CLIENT))
        self.incoming.change(tuple(fault for fault in faults if fault.direction != TO_CLIENT))

    def _idle(self) -> None:
        """Nothing is queued. If no fault is set either the socket gets its own class back."""
        self._lab.has_lingered(self)
        if self.outgoing.is_idle and self.incoming.is_idle:
            self.outgoing.is_left = True
            make_faulty(self._sock, False)
            self._connection.wire = None

    def cut(self, loses: bool) -> None:
        """The connection is ended from outside; see `Outgoing.cut`."""
        self.incoming.cut()
        self.outgoing.cut(loses)

    def close(self, loses: bool) -> None:
        """Its handler closes the socket; see `Outgoing.linger`. With `loses` it is broken off."""
        self.incoming.cut()
        self._connection.wire = None
        if loses or not self.outgoing.linger():
            self.outgoing.cut(loses)
        else:
            self._lab.lingers(self)
