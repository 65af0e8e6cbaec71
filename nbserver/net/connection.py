"""One accepted client, or one UDP peer."""

from __future__ import annotations

import select
import socket
import struct
import time
from typing import TYPE_CHECKING, Any

from ..console import Console, Question
from ..errors import Busy, ConnectionEnded, NotHeard, NotReading
from ..events import KEPT_BYTES, Kind, new_event, text_event
from ..states import CONNECTION_TRANSITIONS, Activity, ConnectionState, is_over, may_follow
from ..text import safe_text
from . import proc
from .watch import peer_watch

if TYPE_CHECKING:
    from .observed import Observation

_DONT_WAIT = getattr(socket, "MSG_DONTWAIT", 0)


def address_text(address: Any) -> str:
    """An address as people write it: ``127.0.0.1:8008``, ``[::1]:8008``, or a Unix socket's path. Safe to show."""
    if isinstance(address, tuple) and len(address) >= 2:
        host = f"[{address[0]}]" if ":" in str(address[0]) else str(address[0])
        return safe_text(f"{host}:{address[1]}")
    if isinstance(address, bytes):
        address = "@" + address.lstrip(b"\0").decode("utf-8", "backslashreplace")
    return safe_text(str(address)) or "(unnamed)"


class Connection(Console):
    """One accepted client, or one UDP peer: its state, its counters, its transcript, and the ways to act on it.

    Call, from any thread: `reply`, `send`, `close`, `reset`, `wait_waiting`, `wait_closed`, and all that is read. Override:
    nothing. Leave alone: names with an underscore.

    Attributes:
        number: Counted from 1 in the order of accepting.
        peer: The other end's address, as the socket gave it.
        bytes_in, bytes_out: What was carried, in bytes.
        messages_in, messages_out: How many calls of ``recv`` and ``send`` carried it, or how many datagrams.
        opened, last: When it was accepted, and when it carried something last; in seconds since 1970.
        preview: What it carried last, cut at 4 096 bytes.
        note: How it ended, in words, or what the last error was.
        activity: What the thread that serves it is doing.
    """

    def __init__(self, number: int, peer: Any, observation: Observation, sock: socket.socket | None) -> None:
        super().__init__(number, observation.journal)
        self.peer = peer
        self.socket = sock
        self.activity = Activity.RUNNING
        self.bytes_in = self.bytes_out = self.messages_in = self.messages_out = 0
        self.opened = self.last = time.time()
        self.preview = b""
        self.note = ""
        self._observation = observation
        self._state = ConnectionState.ACCEPTED
        self._end_state = ConnectionState.CLOSED
        self._is_resetting = False
        self._tell(text_event(Kind.OPENED, self.opened, number, address_text(peer)), announce=True)

    # ── told by the sockets: on the path of every byte, so without a lock ──

    def received(self, data: bytes, size: int) -> None:
        """Count and keep what came: `data` may be cut at `KEPT_BYTES`, `size` is its true length in bytes."""
        self.bytes_in += size
        self.messages_in += 1
        self._carried(Kind.RECEIVED, data, size)

    def sent(self, data: bytes, size: int) -> None:
        """Count and keep what went."""
        self.bytes_out += size
        self.messages_out += 1
        self._carried(Kind.SENT, data, size)

    def _carried(self, kind: Kind, data: bytes, size: int) -> None:
        self.preview = data
        self.last = now = time.time()
        event = new_event((kind, now, self.number, data, size))
        self.transcript.append(event)
        self._journal.append(event)

    def peer_closed(self) -> None:
        """The peer has closed its side: told once, however often ``recv`` says so."""
        if self._become(ConnectionState.HALF_CLOSED):
            self._tell(new_event((Kind.EOF, time.time(), self.number, b"", 0)), announce=True)

    def broke(self, error: BaseException) -> None:
        """A socket call failed. A peer that vanished is no error of the handler's: it is how the connection will have ended."""
        if isinstance(error, ConnectionError):
            doing = "sending to it" if self.activity is Activity.SENDING else "waiting for it"
            self._end_state, self.note = ConnectionState.RESET, f"the peer vanished while {doing} ({type(error).__name__})"
        self.activity = Activity.RUNNING

    # ── told by the server ──

    def served(self) -> None:
        """A thread begins to serve it."""
        self._become(ConnectionState.OPEN)

    def failed(self, error: BaseException, report: str) -> None:
        """The handler raised; `report` is the traceback."""
        if self._end_state is not ConnectionState.RESET:
            self._end_state, self.note = ConnectionState.FAILED, safe_text(f"{type(error).__name__}: {error}", 200)
            self._observation.errors += 1
            self._tell(text_event(Kind.ERROR, time.time(), self.number, report), announce=True)

    def end(self, note: str = "") -> None:
        """It has ended; told once, whoever says so first. Thread: any."""
        self.flush()
        note = self.note or note or ("the client closed" if self._state is ConnectionState.HALF_CLOSED else "the server closed")
        if self._become(self._end_state):
            self.note = note
            self.close_input("the connection has ended")
            self.socket = None
            self._observation.ended(self)
            self._tell(text_event(Kind.CLOSED, time.time(), self.number, note), announce=True)

    def _become(self, state: ConnectionState) -> bool:
        with self._asking:
            if not may_follow(CONNECTION_TRANSITIONS, self._state, state):
                return False
            self._state = state
            return True

    # ── while input() waits: somebody must notice that the peer leaves ──

    def _wait(self, question: Question) -> str | None:
        peer_watch.add(self)
        try:
            return super()._wait(question)
        finally:
            if not self.is_waiting:
                peer_watch.remove(self)

    def peer_hung_up(self) -> bool:
        """Told by the watch; returns whether the peer can still be sent to, and so be watched on."""
        sock = self.socket
        if sock is None or not self.is_waiting:
            return False
        if _is_dead(sock) or proc.is_alive(*_tcp_ends(sock, self.peer)) is False:
            self.peer_closed()
            self.close_input("the client has gone")
            return False
        self.peer_closed()
        return True

    # ── what people do ──

    @property
    def state(self) -> ConnectionState:
        """Where it is in its life."""
        return self._state

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return is_over(self._state)

    @property
    def status(self) -> str:
        """State and activity in the one word that a row shows."""
        if self.is_over:
            return self._state.value
        if self.is_waiting:
            return "waiting"
        return self.activity.value if self._state is ConnectionState.OPEN else self._state.value

    def reply(self, text: str, ask: int = 0) -> None:
        """Give the client `text`: as the answer of the ``input()`` that waits here, or else sent as it is, in UTF-8.

        Args:
            text: Without a line end; none is added.
            ask: The number of the question that is meant; 0 means whichever waits.

        Raises:
            ConnectionEnded: The connection has ended.
            AlreadyAnswered: Question `ask` waits no more.
            Busy, NotReading: See `send`.

        Thread: any.
        """
        self._must_live()
        if not self.answer(text, ask):
            data = text.encode("utf-8", "surrogateescape")
            self._tell(text_event(Kind.ANSWERED, time.time(), self.number, text), announce=True)
            self.send(data)

    def send(self, data: bytes, timeout: float = 1.0) -> None:
        """Send bytes to the client, past its handler.

        Args:
            data: What to send.
            timeout: How long to wait for a client that does not read, in seconds.

        Raises:
            ConnectionEnded: The connection has ended, or ended by this.
            Busy: The handler is in the middle of sending.
            NotReading: The client does not read; the message says how much was sent.

        Thread: any but the handler's own, which uses its socket.
        """
        sock = self._must_live()
        if self.activity is Activity.SENDING:
            raise Busy(f"the handler of connection {self.number} is sending: try again when it has finished")
        sent = 0
        try:
            if sock is None:
                self._observation.send_datagram(data, self.peer)
                sent = len(data)
            else:
                sent = _send_within(sock, data, timeout)
        except OSError as error:
            raise ConnectionEnded(f"connection {self.number} could not be sent to: {error}") from error
        finally:
            if sent:
                self.sent(data[: min(sent, KEPT_BYTES)], sent)
        if sent < len(data):
            raise NotReading(f"connection {self.number} does not read: {sent} of {len(data)} bytes were sent")

    def close(self) -> None:
        """Hang up: the client reads the end, and the handler's ``recv`` and ``input()`` end. Doing it twice is doing it once."""
        self._hang_up("closed by you", socket.SHUT_RDWR)

    def reset(self) -> None:
        """Break the connection off: the client gets "connection reset by peer" and what it has not read yet is lost (TCP)."""
        sock = self.socket
        if sock is not None and sock.family != getattr(socket, "AF_UNIX", None):
            # Closed with a linger time of 0 it sends RST in place of FIN; so no FIN may go before (see ObservedSocket.shutdown).
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._is_resetting = True
        # A thread that is blocked in send() is woken by closing the writing side only.
        self._hang_up("reset by you", socket.SHUT_RDWR if self.activity is Activity.SENDING else socket.SHUT_RD)

    def _hang_up(self, note: str, how: int) -> None:
        if self.is_over:
            return
        self.note = self.note or note
        sock = self.socket
        if sock is not None:
            try:
                socket.socket.shutdown(sock, how)
            except OSError:
                pass  # the peer was faster
        self.close_input(note)
        if sock is None:
            self.end(note)  # a UDP peer is only remembered: there is nothing that its thread could notice

    def wait_closed(self, timeout: float | None = None) -> None:
        """Wait until it has ended.

        Args:
            timeout: In seconds; None waits for ever.

        Raises:
            NotHeard: It has not ended in time.
        """
        if not self._journal.wait_for(lambda: self.is_over, timeout):
            raise NotHeard(f"connection {self.number} has not ended within {timeout} s")

    def _must_live(self) -> socket.socket | None:
        if self.is_over:
            raise ConnectionEnded(f"connection {self.number} has ended: {self.note}")
        return self.socket

    def __repr__(self) -> str:
        return f"<Connection #{self.number} {address_text(self.peer)} {self.status}, {self.bytes_in} B in, {self.bytes_out} B out>"


def _send_within(sock: socket.socket, data: bytes, timeout: float) -> int:
    """Send as much as can be sent within `timeout` seconds without waiting in ``send``; returns how many bytes went."""
    view, deadline = memoryview(data), time.monotonic() + timeout
    while view:
        try:
            view = view[socket.socket.send(sock, view, _DONT_WAIT) :]
        except BlockingIOError:
            left = deadline - time.monotonic()
            if left <= 0 or not _wait_writable(sock, left):
                break
    return len(data) - len(view)


def _wait_writable(sock: socket.socket, timeout: float) -> bool:
    if not hasattr(select, "poll"):
        return bool(select.select([], [sock], [], timeout)[1])
    poll = select.poll()  # not select(): descriptors may be above 1 024
    poll.register(sock, select.POLLOUT)
    return bool(poll.poll(timeout * 1000))


def _is_dead(sock: socket.socket) -> bool:
    """Whether both directions are closed, or the peer reset it."""
    if not hasattr(select, "poll"):
        return False
    try:
        poll = select.poll()
        poll.register(sock, 0)  # POLLERR and POLLHUP are always told
        return bool(poll.poll(0))
    except (OSError, ValueError):
        return True


def _tcp_ends(sock: socket.socket, peer: Any) -> tuple[str, int, str]:
    """Peer's host and port, and our host; hosts that are no IP addresses make `proc.is_alive` say "not known"."""
    if not isinstance(peer, tuple):
        return "", 0, ""
    host = str(peer[0]).split("%")[0].removeprefix("::ffff:")
    try:
        return host, peer[1], str(sock.getsockname()[0]).removeprefix("::ffff:")
    except OSError:
        return "", 0, ""
