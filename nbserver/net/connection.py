"""One accepted client, or one UDP peer."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, ClassVar, cast, overload

from ..console import Question, Tap
from ..errors import Busy, ConnectionEnded, NbserverError, NotHeard, NotReading, UsageError
from ..events import KEPT_BYTES, Event, Kind, new_event, text_event
from ..states import CONNECTION_TRANSITIONS, Activity, ConnectionState, is_over, may_follow
from ..teach import Line
from ..text import encoded, safe_text
from . import cards, inspector, proc
from .callchain import chain_of
from .peer import address_text, is_vanished, look, tcp_ends, wait_writable, words_of
from .ruler import ruler_of
from .slowmotion import wait_held
from .steps import Lane, here
from .traffic import Traffic
from .waiting import Ear, ear_of, named, wait, wait_async
from .watch import peer_watch

if TYPE_CHECKING:
    from ..teach import Ruler
    from ..teach.callchain import Chain
    from .faults import Faults, Wire
    from .lens import Lens
    from .limits import Limits
    from .observation import Observation

_FINISHING_SECONDS = 0.1  # for how long a reply waits for the handler's own send() to end
_DONT_WAIT = getattr(socket, "MSG_DONTWAIT", 0)


def _nobody() -> None:
    """In place of a weak reference, before there is a handler."""


class Connection(Traffic):
    """One accepted client, or one UDP peer: its state, its counters, its transcript, and the ways to act on it.

    Call, from any thread: `reply`, `send`, `receive`, `close`, `half_close`, `reset`, `faults`, `wait_waiting`,
    `wait_closed`, and all that is read.
    Override: nothing. Leave alone: names with an underscore.

    Attributes:
        number: Counted from 1 in the order of accepting.
        peer: The other end's address, as the socket gave it.
        opened: When it was accepted, in seconds since 1970.
        note: How it ended, in words, or what the last error was.
        is_datagram: Whether it is a UDP peer, which has no socket of its own.
        lane: The calls by which it is served, in the thread that accepted it; its ``then`` is that of the next thread.
        wire: What holds its bytes while a fault is set; None otherwise.
        answered_by_rules: When rules have answered here lately, on the monotonic clock; None if they never did.

    What it carries, and how much, is in `Traffic`.
    """

    __slots__ = (
        *("_end_state", "_is_hung_up", "_sending_past", "_served_by", "_state", "descriptor_lock", "is_datagram"),
        *(
            "_ear",
            "_end_place",
            "_handler",
            "_says_no_more",
            "answered_by_rules",
            "lane",
            "note",
            "opened",
            "peer",
            "socket",
            "wire",
        ),
    )

    # Set by the package that knows both servers and programs: what the other end has seen.
    find_tap: ClassVar[Callable[[Connection], Tap | None]] = staticmethod(lambda connection: None)

    def __init__(
        self, number: int, peer: Any, observation: Observation, sock: socket.socket | None, is_datagram: bool = False
    ) -> None:
        super().__init__(number, observation)
        self.peer = peer
        self.socket = sock
        self.is_datagram = is_datagram
        self.opened = self.last
        self.note = ""
        self.answered_by_rules: deque[float] | None = None
        self._state = ConnectionState.ACCEPTED
        self._end_state = ConnectionState.CLOSED
        self._is_hung_up = False  # by us: then what its socket says is no news of the peer
        self._served_by = 0  # how many threads serve it: one, or for a UDP peer several
        # Who uses the descriptor from outside the handler's thread holds this, and so does who closes it: the next
        # connection gets the same number, and an answer must not reach it.
        self.descriptor_lock = threading.RLock()
        # Held while one message is sent past the handler, so that two do not mix.
        self._sending_past = threading.Lock()
        self._handler: Callable[[], Any] = _nobody
        lane = here.lane
        if lane is None or lane.number:  # met outside the accept loop, or by the thread that serves another
            lane = observation.new_lane()
        lane.number = number
        self.lane = lane
        self._end_place: Line | None = None  # the line of the handler that heard the end last
        self._says_no_more = False  # since half_close()
        self.wire: Wire | None = None  # while a fault is set, and while it holds something
        self._ear: Ear | None = None  # while nobody has called receive() yet
        self._tell(text_event(Kind.OPENED, self.opened, number, address_text(peer)), announce=True)

    # ── told by the sockets ──

    def peer_closed(self) -> None:
        """The peer has closed its side: told once, however often ``recv`` says so."""
        if not self._is_hung_up:
            self._become(ConnectionState.HALF_CLOSED, new_event((Kind.EOF, time.time(), self.number, b"", 0)))

    def heard_end(self) -> None:
        """``recv`` gave ``b""``: nothing more will come. Whoever calls it again in the same line has not looked."""
        self.peer_closed()
        if not self._is_hung_up:  # by us: then it is no news of the peer
            self.ends_heard += 1
            self.credit = max(self.credit, 1)  # so that the next message is looked at: see `Traffic.sent`
            self._end_place = cards.look_at_end(self, self._end_place)

    def broke(self, error: BaseException) -> None:
        """A socket call failed. A peer that vanished is no error of the handler's: so the connection ended."""
        is_ours = self._is_hung_up or (self._says_no_more and self.activity is Activity.SENDING)
        if is_vanished(error) and not is_ours:
            if self._end_state is not ConnectionState.RESET:
                self.told_in_words(cards.of_vanishing(self, error))
            doing = "sending to it" if self.activity is Activity.SENDING else "waiting for it"
            self._vanished(f"the peer vanished while {doing} ({type(error).__name__})")
        self.activity = Activity.RUNNING

    def _vanished(self, note: str) -> None:
        self._end_state, self.note = ConnectionState.RESET, note

    # ── told by the server ──

    def served(self) -> None:
        """A thread begins to serve it."""
        with self._asking:
            self._served_by += 1
            self._become(ConnectionState.OPEN)

    def exchange(self, request: Any) -> None:
        """A datagram came: what is called from here on belongs to it."""
        lane = here.lane
        if lane is not None:
            lane.number, lane.request, lane.is_slow = self.number, id(request), self.lane.is_slow
            self.lane = lane

    def lane_of(self, request: Any) -> Lane:
        """The lane of this thread, which serves `request`; of a datagram that is not the peer's last, nobody's."""
        if self.is_datagram and self.lane.request != id(request):
            return self._observation.new_lane(is_slow=False)
        return self.lane.in_thread(here.name)

    def handled_by(self, handler: Any) -> None:
        """The object that handles it has been made, and has not begun."""
        with contextlib.suppress(TypeError):  # of a class with slots, which nothing can refer to weakly
            self._handler = weakref.ref(handler)
        self.told_in_words(cards.of_handler(type(handler)))

    def left(self) -> None:
        """A thread serves it no more. A UDP peer that was hung up on meanwhile ends with the last."""
        self.flush()
        with self._asking:
            self._served_by -= 1
            is_last = self._served_by == 0
        if is_last and self.is_datagram and self._is_hung_up:
            self.end()

    def failed(self, error: BaseException, report: Callable[[BaseException], str]) -> None:
        """The handler, or a hook, raised; told once, however many hear of it. `report` makes the traceback."""
        # Noted on the error: kept here, it would keep the handler's variables, and with them files and descriptors.
        if getattr(error, "_nbserver_told", None) is self:
            return
        error._nbserver_told = self  # type: ignore[attr-defined]
        is_ours = self._is_hung_up or self._end_state is ConnectionState.RESET
        if is_vanished(error) and is_ours:
            return  # only what a connection that is gone says to a handler that goes on using it
        self._end_state, self.note = (
            ConnectionState.FAILED,
            safe_text(words_of(error), 200),
        )
        self._observation.count_error()
        self.told_in_words(cards.of_failure(self, error))
        self._tell(text_event(Kind.ERROR, time.time(), self.number, report(error)), announce=True)

    def end(self, note: str = "") -> None:
        """It has ended; told once, whoever says so first. Thread: any."""
        if self.is_over:
            return
        with self._asking:
            for thread in list(self._lines):
                self._end_line(thread)
            self.renew(0)
            is_half_closed = self._state is ConnectionState.HALF_CLOSED
            note = self.note or note or ("the client closed" if is_half_closed else "the server closed")
            if not self._become(self._end_state, text_event(Kind.CLOSED, time.time(), self.number, note)):
                return
            self.note = note
            self.close_input("the connection has ended")
            self.socket = None
        self._observation.ended(self)
        self._journal.wake()

    def _become(self, state: ConnectionState, event: Event | None = None) -> bool:
        """Change the state, if it may; `event` tells it, and is there before anybody can see the new state."""
        with self._asking:
            if not may_follow(CONNECTION_TRANSITIONS, self._state, state):
                return False
            if event is not None:
                self._tell(event)
            self._state = state
        self._journal.wake()
        return True

    # ── while input() waits: somebody must notice that the peer leaves ──

    def _wait(self, question: Question) -> str | None:
        if self._observation.rules.answer(self, question):
            return super()._wait(question)  # it is there already
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
        has_left, is_dead, is_broken = look(sock)
        if not has_left:
            return False  # said of an earlier connection with the same descriptor
        is_gone = is_dead or proc.is_alive(*tcp_ends(sock, self.peer)) is False
        is_broken = is_broken or (is_gone and look(sock)[2])  # it may have broken off while the table was read
        if is_broken and not self._is_hung_up:
            self._vanished("the peer vanished while its handler waited for a person")
        else:
            self.peer_closed()
        if is_gone:
            self.close_input("the client has gone")
        return not is_gone

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
    def handler(self) -> Any:
        """The object that handles it, or handled it last (UDP); None before there is one, and once it is gone."""
        return self._handler()

    @property
    def served_by(self) -> Any:
        """The ``socketserver`` object that serves it; None once that is gone."""
        return self._observation.server

    def inspect(self) -> inspector.Inspection:
        """What ``self`` holds inside its handler: ``self.server``, ``self.request``, ``self.client_address``, the rest.

        Nothing of the handler's own code runs for it, no ``repr()`` and no property. Thread: any.
        """
        return inspector.inspect(self)

    @property
    def is_settled(self) -> bool:
        """Whether its handler waits: for a person, for the client, or for the system."""
        is_idle = self.is_datagram and not self._served_by
        return is_idle or self.is_over or self.is_waiting or self.activity is not Activity.RUNNING

    @property
    def status(self) -> str:
        """State and activity in the one word that a row shows."""
        if self.is_over:
            return self._state.value
        if self.is_waiting:
            return "waiting"
        return self.activity.value if self._state is ConnectionState.OPEN else self._state.value

    @property
    def mark(self) -> tuple[Any, ...]:
        """Differs from an earlier one when anything that a row shows has changed; cheaper than to look at all of it."""
        question = self.question
        asks = question.number if question is not None else 0
        return (
            self._state,
            self.activity,
            self.messages_in,
            self.messages_out,
            self.last,
            asks,
            self.note,
            len(self.cards),
            self.ends_heard,
        )

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

    @overload
    def receive(self) -> Coroutine[Any, Any, bytes]: ...

    @overload
    def receive(self, timeout: float) -> bytes: ...

    def receive(self, timeout: float | None = None) -> bytes | Coroutine[Any, Any, bytes]:
        """What the client sent next: one message, as its handler received it, each message once.

        ``connection.receive(timeout=60)`` waits in any cell; ``await connection.receive()`` lets other tasks run, and
        its limit is that of ``asyncio.timeout()``. The board works meanwhile, either way.

        It begins with the oldest message that is kept, and goes on behind the last `receive` or `Server.ask`. Of a
        message its first 4 096 bytes are kept; what passes by too fast to be kept while nobody waits is skipped.

        Args:
            timeout: In seconds, `math.inf` for as long as it takes; left out, an awaitable is returned.

        Raises:
            NotHeard: Nothing came in time.
            ConnectionEnded: Nothing came, and nothing will: the client has closed, or the connection has ended.

        Thread: any; if several wait, each is given another message.
        """
        ear = ear_of(self)
        if timeout is None:
            return named(self._receive(ear), "Connection.receive")
        with ear:
            return wait(self._journal, ear.next, timeout, lambda: f"connection {self.number} has sent nothing")

    async def _receive(self, ear: Ear) -> bytes:
        with ear:
            return await wait_async(self._journal, ear.next)

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

    def ruler(self, encoding: str = "utf-8", patience: float = 1.1) -> Ruler:
        """What each end sent and received, aligned by byte: ``print(connection.ruler())`` draws it.

        Args:
            encoding: How characters are read: which a piece cuts in two depends on it.
            patience: How long to wait for a lens that is a function, in seconds; it gives up after 1.

        Raises:
            LookupError: There is no such encoding.

        Thread: any.
        """
        return ruler_of(self, encoding, patience)

    def close(self) -> None:
        """Hang up: the client reads the end; the handler's ``recv`` and ``input()`` end. Twice is once."""
        self.hang_up("closed by you")

    def hang_up(self, note: str) -> None:
        """As `close`, with the reason in words."""
        self._hang_up(note, socket.SHUT_RDWR)

    def half_close(self) -> None:
        """Close the sending side: the client reads the end, and can still send. That cannot be undone.

        Raises:
            ConnectionEnded: The connection has ended.
            UsageError: It is a UDP peer: datagrams have no end.
        """
        if self.is_datagram:
            raise UsageError("datagrams have no end that could be sent")
        with self.descriptor_lock:
            sock = self._must_live()
            self._says_no_more = True
            self.notice("you closed the sending side: the client reads the end, and can still send")
            with contextlib.suppress(OSError):  # the client was faster
                sock.shutdown(socket.SHUT_WR)

    @property
    def faults(self) -> Faults:
        """What goes wrong here on purpose: ``connection.faults.add("delay", seconds=0.5)``."""
        return self._observation.lab.of(self)

    @property
    def limits(self) -> Limits:
        """What its server allows."""
        return self._observation.limits

    @property
    def server_address(self) -> Any:
        """Where its server listens."""
        return self._observation.address

    @property
    def lens(self) -> Lens:
        """Its server's lens: where messages begin and end."""
        return self._observation.lens

    def line_too_long(self, most: int) -> ConnectionEnded:
        """Tell the client that its line is longer than `most` bytes, and hang up; gives the error for the handler."""
        note = f"its line is longer than {most} bytes, the most allowed"
        self.tell_client(f"line too long: {most} bytes are the most allowed")
        self.hang_up(note)
        return ConnectionEnded(f"connection {self.number}: {note}")

    def tell_client(self, text: str) -> None:
        """Send a last line to a client that is turned away, if it takes it at once."""
        with contextlib.suppress(NbserverError):  # it has gone already, or does not read
            self._send_within(encoded(f"{text}\r\n"), 0.0)

    def reset(self) -> None:
        """Break the connection off: the client gets "connection reset by peer", what it has not read is lost (TCP)."""
        with self.descriptor_lock:
            self._is_resetting = self._linger_not()
            self.credit = 1  # so that the next recv() looks whether it is being reset
            # A thread that is blocked in send() is woken by closing the writing side only.
            is_halting = self._is_resetting and self.activity is not Activity.SENDING
            self._hang_up("reset by you", socket.SHUT_RD if is_halting else socket.SHUT_RDWR)

    def _linger_not(self) -> bool:
        """Let the close send RST in place of FIN, if that can be; no FIN may go before (`ObservedSocket.shutdown`)."""
        sock = self.socket
        if sock is None or sock.family == getattr(socket, "AF_UNIX", None):
            return False
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            return False  # closed already
        return True

    def _hang_up(self, note: str, how: int) -> None:
        if self.is_over:
            return
        self.note = self.note or note
        self._is_hung_up = True
        self.close_input(note)  # first: a handler whose recv() ends now must not ask somebody about it
        self.slow_motion(False)  # it ends: nobody needs to say so of each step
        with self.descriptor_lock:
            if self.wire is not None:
                self.wire.cut(self._is_resetting)
            if self.socket is not None:
                with contextlib.suppress(OSError):  # the peer was faster, or the handler has closed it
                    socket.socket.shutdown(self.socket, how)
        if self.is_datagram and not self._served_by:
            self.end(note)  # a UDP peer is only remembered: there is nothing that could be noticed

    # ── its calls, and slow motion ──

    @property
    def call_chain(self) -> Chain:
        """The calls by which it is served, with the class that supplies each: ``print(server[1].call_chain)``.

        Of a UDP peer those of its last datagram. Thread: any.
        """
        return chain_of(self._observation, self)

    def slow_motion(self, is_on: bool = True) -> None:
        """Hold it before each call of its chain, until `next`; or let it go on. The others go on all the same.

        Thread: any.
        """
        slow = self._observation.slow_motion
        if is_on:
            slow.begin(self.lane.all())
        elif slow.is_used:
            slow.leave(self.lane.all())

    def next(self, timeout: float = 1.0) -> str:
        """In slow motion: let the call be made that it is held before; returns its name, such as ``"handle"``.

        Args:
            timeout: How long to wait until it is held, in seconds.

        Raises:
            NotHeard: It was not held in time: it is inside a call, such as ``handle()``, or has ended.

        Thread: any.
        """
        return self._observation.slow_motion.next(self.lane.all, timeout)[self.number]

    @property
    def held(self) -> str:
        """In slow motion: the call that it is held before, such as ``"handle"``; or ""."""
        return self._observation.slow_motion.step_of(self.lane.all())

    @property
    def is_slow(self) -> bool:
        """Whether it is in slow motion."""
        return self._observation.slow_motion.is_slow(self.lane)

    def wait_held(self, timeout: float) -> str:
        """In slow motion: wait until it is held, and say before which call.

        Args:
            timeout: In seconds.

        Raises:
            NotHeard: It was not in time.

        Thread: any.
        """
        return str(wait_held(self._journal, lambda: self.held, timeout))

    def wait_closed(self, timeout: float | None = None) -> None:
        """Wait until it has ended.

        Args:
            timeout: In seconds; None waits for ever.

        Raises:
            NotHeard: It has not ended in time.
        """
        if not self._journal.wait_for(lambda: self.is_over, timeout):
            raise NotHeard(f"connection {self.number} has not ended within {timeout} s")

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

    @property
    def title(self) -> str:
        """Who it is, how it stands, and how much it carried, in one line that is safe to show."""
        why = f" ({safe_text(self.note, 200)})" if self.note else ""
        carried = f"{self.messages_in} in, {self.messages_out} out, {self.bytes_in + self.bytes_out} B"
        return f"#{self.number} {address_text(self.peer)} {self.status}{why}, {carried}"

    def __repr__(self) -> str:
        carried = f"{self.bytes_in} B in, {self.bytes_out} B out"
        return f"<Connection #{self.number} {address_text(self.peer)} {self.status}, {carried}>"
