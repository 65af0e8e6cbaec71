"""The limits of time: who lets a handler wait for longer than a limit allows is hung up on.

Looked at by the clock, ten times a second, and never by a socket's own time-out: that one is asked before each call
(it costs 9 % of a busy connection), begins anew with each byte of a client that drips, and belongs to the handler.
Only time in which the handler waits for the client counts: a person who thinks about a reply is not the client's fault.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..states import Activity

if TYPE_CHECKING:
    from .connection import Connection
    from .limits import Limits


class _Patience:
    """How long one client has let its handler wait, in seconds."""

    __slots__ = ("first", "idle", "messages_in", "messages_out", "request", "seen_in", "send")

    def __init__(self, connection: Connection) -> None:
        self.messages_in = self.seen_in = connection.messages_in  # at the last answer; at the last look
        self.messages_out = connection.messages_out
        self.first = self.request = self.idle = self.send = 0.0

    def pass_time(self, connection: Connection, seconds: float) -> None:
        """`seconds` have gone by since the last look."""
        if connection.messages_out != self.messages_out:
            self.messages_in, self.messages_out = connection.messages_in, connection.messages_out
            self.request = self.idle = self.send = 0.0
        if connection.messages_in != self.seen_in:
            self.seen_in = connection.messages_in
            self.idle = 0.0
        if connection.activity is Activity.SENDING:
            self.send += seconds
        elif connection.activity is Activity.RECEIVING:
            self.idle += seconds
            if not connection.messages_in:
                self.first += seconds
            elif connection.messages_in != self.messages_in:
                self.request += seconds

    def lost(self, limits: Limits) -> str:
        """Which limit is passed, in words; "" if none is."""
        checks = (
            (self.first, limits.first_byte_seconds, "it sent nothing for {} s after it had connected"),
            (self.request, limits.request_seconds, "its request was not complete after {} s"),
            (self.idle, limits.idle_seconds, "it was idle for {} s"),
            (self.send, limits.send_seconds, "it did not read for {} s"),
        )
        found = (words.format(f"{most:g}") for waited, most, words in checks if most is not None and waited > most)
        return next(found, "")


class Deadlines:
    """The patience that one server has with each of its clients. Thread: the clock's."""

    def __init__(self) -> None:
        self._patience: dict[Connection, _Patience] = {}
        self._looked = 0.0  # on the monotonic clock

    def look(self, live: list[Connection], limits: Limits) -> None:
        """Hang up on those who have let their handlers wait too long."""
        now = time.monotonic()
        seconds, self._looked = now - self._looked, now
        known, self._patience = self._patience, {}
        for connection in live:
            patience = known.get(connection)
            if patience is None:
                patience = _Patience(connection)
            elif not connection.is_datagram:
                patience.pass_time(connection, seconds)
                why = patience.lost(limits)
                if why:
                    connection.hang_up(f"{why}, the most allowed")
                    continue
            self._patience[connection] = patience
