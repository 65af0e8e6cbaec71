"""One accepted client, or one UDP peer."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
import weakref
from collections import deque
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, ClassVar, overload

from ..console import Question, Tap
from ..errors import ConnectionEnded, NotHeard, UsageError
from ..events import Event, Kind, new_event, text_event
from ..states import CONNECTION_TRANSITIONS, Activity, ConnectionState, may_follow
from ..teach import Site
from ..text import safe_text
from . import cards, proc
from .lessons import ConnectionInLessons
from .peer import address_text, is_vanished, look, tcp_ends, words_of
from .sending import Sending
from .steps import Lane, here
from .waiting import Ear, ear_of, named, wait, wait_async
from .watch import peer_watch

if TYPE_CHECKING:
    from .observation import Observation


def _nobody() -> None:
    """In place of a weak reference, before there is a handler."""


class Connection(ConnectionInLessons, Sending):
    """One accepted client, or one UDP peer: its state, its counters, its transcript, and the ways to act on it.

    Call, from any thread: `reply`, `send`, `receive`, `close`, `half_close`, `reset`, `wait_waiting`, `wait_closed`, in
    lessons `slow_motion`, `next`, `wait_held`, `inspect`, `ruler`, `faults`, and all that is read.
    Override: nothing. Leave alone: names with an underscore.

    Attributes:
        lane: The calls by which it is served, in the thread that accepted it; its ``then`` is that of the next thread.
        answered_by_rules: When rules have answered here lately, on the monotonic clock; None if they never did.

    Who it is with, and how it stands, is in `Standing`; what it carries, and how much, in `Traffic`.
    """

    __slots__ = (
        *("_ear", "_end_place", "_end_state", "_handler", "_is_hung_up", "_says_no_more", "answered_by_rules", "lane"),
    )

    # Set by the package that knows both servers and programs: what the other end has seen.
    find_tap: ClassVar[Callable[[Connection], Tap | None]] = staticmethod(lambda connection: None)

    def __init__(
        self, number: int, peer: Any, observation: Observation, sock: socket.socket | None, is_datagram: bool = False
    ) -> None:
        super().__init__(number, peer, observation, sock, is_datagram)
        self.answered_by_rules: deque[float] | None = None
        self._end_state = ConnectionState.CLOSED
        self._is_hung_up = False  # by us: then what its socket says is no news of the peer
        self._handler: Callable[[], Any] = _nobody
        lane = here.lane
        if lane is None or lane.number:  # met outside the accept loop, or by the thread that serves another
            lane = observation.new_lane()
        if lane.is_noted:
            lane.number = number
        self.lane = lane
        self._end_place: Site | None = None  # the line of the handler that heard the end last
        self._says_no_more = False  # since half_close()
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
            if lane.is_noted:
                lane.number, lane.request, lane.is_slow = self.number, id(request), self.lane.is_slow
            self.lane = lane

    def note_from_here(self) -> None:
        """Note what is called for it from here on, if it came with too many others to be noted."""
        if not self.lane.is_noted:
            lane = self._observation.new_lane()
            lane.number = self.number
            self.lane = lane

    def lane_of(self, request: Any) -> Lane:
        """The lane of this thread, which serves `request`; of a datagram that is not the peer's last, nobody's."""
        if self.is_datagram and self.lane.request != id(request):
            return self._observation.new_lane(is_slow=False)
        return self.lane.in_thread(here.name)

    def handled_by(self, handler: Any) -> None:
        """The object that handles it has been made, and has not begun."""
        try:  # noqa: SIM105  # a microsecond less, for each connection
            self._handler = weakref.ref(handler)
        except TypeError:
            pass  # of a class with slots, which nothing can refer to weakly
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
            if self._handler() is None:
                self._handler = _nobody  # a thousand that have ended are not each a thing more to be swept over
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

    def wait_closed(self, timeout: float | None = None) -> None:
        """Wait until it has ended.

        Args:
            timeout: In seconds; None waits for ever.

        Raises:
            NotHeard: It has not ended in time.
        """
        if not self._journal.wait_for(lambda: self.is_over, timeout):
            raise NotHeard(f"connection {self.number} has not ended within {timeout} s")

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

    def line_too_long(self, most: int) -> ConnectionEnded:
        """Tell the client that its line is longer than `most` bytes, and hang up; gives the error for the handler."""
        note = f"its line is longer than {most} bytes, the most allowed"
        self.tell_client(f"line too long: {most} bytes are the most allowed")
        self.hang_up(note)
        return ConnectionEnded(f"connection {self.number}: {note}")

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
