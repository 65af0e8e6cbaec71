"""What is sent to a client past its handler: what a person types, and what nbserver itself has to say."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, cast

from ..errors import Busy, ConnectionEnded, NbserverError, NotReading
from ..events import KEPT_BYTES, Kind, text_event
from ..states import Activity
from ..text import encoded
from .peer import address_text, wait_writable
from .standing import Standing

if TYPE_CHECKING:
    from .faults import Wire
    from .observation import Observation

_FINISHING_SECONDS = 0.1  # for how long a reply waits for the handler's own send() to end
_DONT_WAIT = getattr(socket, "MSG_DONTWAIT", 0)


class Sending(Standing):
    """Sends on a connection, beside the thread that serves it.

    Attributes:
        wire: What holds its bytes while a fault is set; None otherwise.
    """

    __slots__ = ("_sending_past", "descriptor_lock", "socket", "wire")

    def __init__(
        self, number: int, peer: Any, observation: Observation, sock: socket.socket | None, is_datagram: bool
    ) -> None:
        super().__init__(number, peer, observation, is_datagram)
        self.socket = sock
        # Who uses the descriptor from outside the handler's thread holds this, and so does who closes it: the next
        # connection gets the same number, and an answer must not reach it.
        self.descriptor_lock = threading.RLock()
        # Held while one message is sent past the handler, so that two do not mix.
        self._sending_past = threading.Lock()
        self.wire: Wire | None = None  # while a fault is set, and while it holds something

    def reply(self, text: str, ask: int = 0, timeout: float = 1.0) -> None:
        """Give the client `text`: as the answer of the ``input()`` that waits here, or else sent as it is, in UTF-8.

        Args:
            text: Without a line end; none is added.
            ask: The number of the question that is meant; 0 means whichever waits.
            timeout: How long to wait for a client that does not read, in seconds.

        Raises:
            ConnectionEnded: The connection has ended.
            AlreadyAnswered: Question `ask` waits no more.
            Busy, NotReading: See `send`.

        Thread: any.
        """
        self._must_live()
        if not self.answer(text, ask):
            self._must_be_free(timeout)
            self._tell(text_event(Kind.ANSWERED, time.time(), self.number, text), announce=True)
            self.send(encoded(text), timeout)

    def send(self, data: bytes, timeout: float = 1.0) -> None:
        """Send bytes to the client, past its handler.

        Args:
            data: What to send.
            timeout: How long to wait for a client that does not read, in seconds.

        Raises:
            ConnectionEnded: The connection has ended, or ended by this.
            Busy: The handler, or somebody else, is in the middle of sending.
            NotReading: The client does not read; the message says how much was sent.

        Thread: any but the handler's own, which uses its socket.
        """
        self._must_live()
        self._must_be_free(timeout)
        if not self._sending_past.acquire(timeout=timeout):
            raise Busy(f"somebody else is sending to connection {self.number}: try again")
        try:
            sent = self._send_datagram(data) if self.is_datagram else self._send_within(data, timeout)
        finally:
            self._sending_past.release()
        if sent < len(data):
            raise NotReading(f"connection {self.number} does not read: {sent} of {len(data)} bytes were sent")

    def _send_datagram(self, data: bytes) -> int:
        try:
            self._observation.send_datagram(data, self.peer)
        except OSError as error:
            why = error.strerror or error
            raise NbserverError(f"a datagram to {address_text(self.peer)} could not be sent: {why}") from error
        self._sent_past(data, len(data))
        return len(data)

    def _send_within(self, data: bytes, timeout: float) -> int:
        """Send as much as goes within `timeout` seconds without waiting in ``send``; returns how many bytes went."""
        view, deadline = memoryview(data), time.monotonic() + timeout
        self._must_live()
        # Told first, if it goes in one piece: its client may answer before this thread runs again.
        is_told = 0 < len(data) <= KEPT_BYTES
        if is_told:
            self._sent_past(data, len(data))
        try:
            while view or getattr(self._must_live(), "unsent", None):
                # Asked before: with a time-out of the handler's on the socket, send() itself would wait.
                if not self._wait_writable(max(0.0, deadline - time.monotonic())):
                    break
                went = self._send_some(view)
                if went < min(1, len(view)) and time.monotonic() > deadline:
                    break
                view = view[went:]
        finally:
            sent = len(data) - len(view)
            if is_told and view:
                self.bytes_out -= len(view)
                self.notice(f"{len(view)} bytes of that were not sent")
            elif sent and not is_told:
                self._sent_past(data, sent)
        return sent

    def _wait_writable(self, seconds: float) -> bool:
        sock, wire = self._must_live(), self.wire
        return wait_writable(sock, seconds) if wire is None else wire.outgoing.wait_room(seconds)

    def _sent_past(self, data: bytes, size: int) -> None:
        self.credit = max(self.credit, 1)  # what a person sends is always kept
        self.sent(data[: min(size, KEPT_BYTES)], size)

    def _send_some(self, view: memoryview) -> int:
        with self.descriptor_lock:
            try:
                push = getattr(self._must_live(), "push", None)  # a socket that its handler has wrapped has none
                return cast(int, push(view, _DONT_WAIT)) if push else 0
            except (BlockingIOError, TimeoutError):
                return 0
            except OSError as error:
                raise ConnectionEnded(f"connection {self.number} could not be sent to: {error}") from error

    def tell_client(self, text: str) -> None:
        """Send a last line to a client that is turned away, if it takes it at once."""
        with contextlib.suppress(NbserverError):  # it has gone already, or does not read
            self._send_within(encoded(f"{text}\r\n"), 0.0)

    def _must_live(self) -> socket.socket:
        sock = self.socket
        if self.is_over or (sock is None and not self.is_datagram):
            raise ConnectionEnded(f"connection {self.number} has ended: {self.note}")
        return cast(socket.socket, sock)

    def _must_be_free(self, timeout: float) -> None:
        # A handler whose send() has just returned is still marked for a moment; no byte's path takes a lock to tell us.
        deadline = time.monotonic() + min(timeout, _FINISHING_SECONDS)
        while self.activity is Activity.SENDING and time.monotonic() < deadline:
            time.sleep(0.001)
        if self.activity is Activity.SENDING:
            raise Busy(f"the handler of connection {self.number} is sending: try again when it has finished")
        sock = self.socket
        if sock is not None and (sock.fileno() < 0 or not hasattr(sock, "connection")) and not self.is_over:
            raise NbserverError(
                f"connection {self.number} is wrapped by its handler (TLS?): answer its input() instead"
            )
