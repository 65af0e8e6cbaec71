"""What one connection carries: counted always, kept while it is slow.

A person reads some ten messages a second, a machine sends a hundred thousand. So each connection has credit for so many
messages, which `nbserver.net.clock` renews ten times a second. While credit lasts each message is kept, with its time;
what goes by without credit is counted, and the transcript says how many messages that were (`Kind.PASSED`). The path
of a byte is then four stores, and no clock, no tuple and no list.
"""

from __future__ import annotations

import errno
import sys
import time
from collections import deque
from typing import TYPE_CHECKING

from ..console import Console
from ..events import KEPT_BYTES, Kind, new_event, text_event
from ..states import Activity
from ..teach import Site, site_of
from .greeting import greeting_of

if TYPE_CHECKING:
    from .observation import Observation

CREDIT = 128
"""So many messages of one connection are kept at most between two ticks of the clock."""

_SITES = 256  # lines of the handler, of the newest messages

_time, _RECEIVED = time.time, Kind.RECEIVED


class Traffic(Console):
    """The counters of a connection, and what it carried last.

    Attributes:
        activity: What the thread that serves it is doing.
        bytes_in, bytes_out: What was carried, in bytes.
        messages_in, messages_out: How many calls of ``recv`` and ``send`` carried it, or how many datagrams.
        payload: What it carried last; cut when the clock ticks next, so that nothing large is held for long.
        last: When it carried something last, or else was accepted; in seconds since 1970. While more goes by than is
            kept it is a tenth of a second behind.
        ends_heard: How often ``recv`` has given ``b""``: the peer has closed its side, and once is enough.
        credit: How many messages more are kept before the clock ticks.
        sites: When the newest of what is kept was carried, and which line of the handler's did, if that is seen.
        speaks: What the client's first bytes look like: ``"HTTP"``, ``"TLS"``, ``"SSH"``, or "".
    """

    # Stored to at each message: slots are the quickest place there is, and the smallest.
    __slots__ = (
        *("activity", "bytes_in", "bytes_out", "credit", "ends_heard", "messages_in", "messages_out", "payload"),
        *("_is_resetting", "_note", "_note_for_all", "_noted", "_observation", "_told", "last", "sites", "speaks"),
    )

    def __init__(self, number: int, observation: Observation) -> None:
        super().__init__(number, observation.journal)
        self.activity = Activity.RUNNING
        self.bytes_in = self.bytes_out = self.messages_in = self.messages_out = 0
        self.payload = b""
        self.credit = CREDIT
        self.ends_heard = 0
        self.speaks = ""
        self.sites: deque[tuple[float, Site | None]] | None = None
        self.last = _time()
        self._observation = observation
        self._noted = self._told = 0  # of all messages: how many were kept, how many were told as passed by
        self._note, self._note_for_all = self.transcript.note, self._journal.note
        self._is_resetting = False

    def received(self, data: bytes, size: int) -> None:
        """Count and keep what came: `data` may be cut at `KEPT_BYTES`, `size` is its true length in bytes."""
        self.bytes_in += size
        self.messages_in += 1
        self._keep(_RECEIVED, data, size)
        if self.messages_in == 1:
            self._recognise(data)

    def sent(self, data: bytes, size: int) -> None:
        """Count and keep what went."""
        if not size and self.ends_heard > 1:
            return  # a loop that does not look sends back the nothing that it got, for ever: one word of it is enough
        self.bytes_out += size
        self.messages_out += 1
        self._keep(Kind.SENT, data, size)

    def _keep(self, kind: Kind, data: bytes, size: int) -> None:
        # Only our reading side is closed then, and Linux goes on to deliver what a busy peer sends.
        if self._is_resetting and kind is _RECEIVED:
            raise ConnectionResetError(errno.ECONNRESET, "reset by you")
        self.payload = data = data if size <= KEPT_BYTES else data[:KEPT_BYTES]
        self.last = now = _time()
        if self.credit <= 0:
            return
        self.credit -= 1
        if not self.credit:
            self._observation.spent(self)
        if self._observation.sees_lines:
            if self.sites is None:
                self.sites = deque(maxlen=_SITES)
            self.sites.append((now, site_of(sys._getframe(2))))
        fact = (kind, now, self.number, data, size)
        self._note(fact)
        self._note_for_all(fact)
        self._noted += 1
        if not self._noted & 63:
            self._forget()

    @property
    def preview(self) -> bytes:
        """What it carried last, cut at 4 096 bytes."""
        return self.payload[:KEPT_BYTES]

    def _recognise(self, data: bytes) -> None:
        self.speaks = greeting_of(data)
        if self.speaks:
            self.notice(f"speaks {self.speaks}")

    def notice(self, text: str) -> None:
        """Say in the transcript what was noticed about this connection. Thread: any."""
        self._tell(text_event(Kind.NOTICE, time.time(), self.number, text), announce=True)

    def renew(self, credit: int) -> int:
        """Give it new credit, and tell what has passed by without; returns how many messages that were.

        Thread: the clock's, or the one that ends it.
        """
        with self._asking:  # told once, by the clock or by the end
            passed = self.messages_in + self.messages_out - self._noted - self._told
            if passed > 0:
                self._told += passed
                self.last = now = _time()
                self._tell(new_event((Kind.PASSED, now, self.number, b"", passed)))
                self._forget()
            if len(self.payload) > KEPT_BYTES:
                self.payload = self.payload[:KEPT_BYTES]
            self.credit = credit
            return passed

    def _forget(self) -> None:
        self.transcript.forget(self._observation.transcript_bytes)
        self._journal.forget()
