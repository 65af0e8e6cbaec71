"""One console: where one thread's ``print()`` goes and where its ``input()`` is answered."""

from __future__ import annotations

import threading
import time
from itertools import count
from queue import SimpleQueue

from ..errors import AlreadyAnswered, InputClosed
from ..events import KEPT_BYTES, Event, Kind, text_event
from ..export import Snapshot
from ..journal import Journal, Record
from ..teach import Card

KEPT_EVENTS = 400
"""How many events of one transcript are kept."""

_KEPT_CARDS = 20
_ask_numbers = count(1)  # one count for all: "answered in the order in which they began to wait" needs no more


class Question:
    """One ``input()`` that waits.

    Attributes:
        prompt: What it asked.
        number: Counted from 1 over all consoles, in the order in which they began to wait.
        since: When, in seconds since 1970.
        secret: Whether the answer must not be shown (``getpass``).
    """

    __slots__ = ("number", "prompt", "secret", "since", "slot")

    def __init__(self, prompt: str, secret: bool) -> None:
        self.prompt = prompt
        self.secret = secret
        self.number = next(_ask_numbers)
        self.since = time.time()
        self.slot: SimpleQueue[str | None] = SimpleQueue()


class Console:
    """A transcript, what was printed, and the questions that wait for an answer.

    Call: `answer`, `stand_in`, `wait_waiting`, `close_input`, `snapshot`. Override: nothing. Leave alone: names with
    an underscore.

    Attributes:
        number: Which one, counted from 1 (0 for the console of a server's own program).
        transcript: The last events, a `Record`.
        cards: What went wrong here, in words, as far as it is known for certain; the newest last.
    """

    __slots__ = ("_asking", "_input_closed", "_journal", "_lines", "_questions", "cards", "number", "transcript")

    def __init__(self, number: int, journal: Journal) -> None:
        """An empty console.

        Args:
            number: See the class.
            journal: Where its events are told as well, and where those who wait for them sleep.
        """
        self.number = number
        self.transcript = Record(KEPT_EVENTS)
        self.cards: tuple[Card, ...] = ()
        self._journal = journal
        # Lines without an end yet, by thread: two threads that print at once do not mix their lines.
        self._lines: dict[int, str] = {}
        self._questions: list[Question] = []
        # A question is asked, answered and given up by three threads; the lock makes each answer go to one question
        # once. Reentrant, because a signal handler or a __del__ may close this console in a thread that holds it.
        self._asking = threading.RLock()
        self._input_closed = ""

    # ── the side of the thread that is served ──

    def ask(self, prompt: str = "", *, secret: bool = False) -> str:
        """Wait until a person answers; what ``input()`` does in a thread that speaks to this console.

        Raises:
            InputClosed: The other end has gone, or goes while this waits.

        Thread: any.
        """
        self.flush()
        question = Question(str(prompt), secret)
        with self._asking:
            if self._input_closed:
                raise InputClosed(self._input_closed)
            ahead = self._typed_ahead()
            if ahead is None:
                self._questions.append(question)
        self._tell(text_event(Kind.ASKED, question.since, self.number, question.prompt), announce=True)
        if ahead is not None:
            self._tell_answer(question, ahead)
            return ahead
        answer = self._wait(question)
        if answer is None:
            raise InputClosed(self._input_closed)
        return answer

    def _wait(self, question: Question) -> str | None:
        """Wait for the answer; None says that none will come. The connection's console watches its peer meanwhile."""
        try:
            return question.slot.get()
        finally:
            # Left otherwise than by an answer (an exception raised into this thread): nobody waits any more.
            with self._asking:
                if question in self._questions:
                    self._questions.remove(question)

    def write(self, text: str) -> int:
        """Take what was printed; each whole line becomes an event. Thread: any."""
        thread = threading.get_ident()
        line = self._lines.pop(thread, "") + text
        if "\n" in text:
            *lines, line = line.split("\n")
            for whole in lines:
                self._tell(text_event(Kind.PRINTED, time.time(), self.number, whole))
        elif len(line) > KEPT_BYTES:
            self._tell(text_event(Kind.PRINTED, time.time(), self.number, line))
            line = ""
        if line:
            self._lines[thread] = line
        return len(text)

    def flush(self) -> None:
        """Make an event of this thread's line that has no end yet (``print("…", end="")``)."""
        self._end_line(threading.get_ident())

    def _end_line(self, thread: int) -> None:
        line = self._lines.pop(thread, "") if self._lines else ""
        if line:
            self._tell(text_event(Kind.PRINTED, time.time(), self.number, line))

    # ── the side of the person ──

    @property
    def question(self) -> Question | None:
        """The ``input()`` that has waited longest here, or None."""
        try:
            return self._questions[0]
        except IndexError:
            return None

    @property
    def questions(self) -> list[Question]:
        """Every ``input()`` that waits here, the longest waiting first. A copy."""
        return list(self._questions)

    @property
    def is_waiting(self) -> bool:
        """Whether an ``input()`` waits here for a person."""
        return bool(self._questions)

    @property
    def prompt(self) -> str | None:
        """What the waiting ``input()`` asked, or None."""
        question = self.question
        return question.prompt if question else None

    def answer(self, text: str, ask: int = 0) -> bool:
        """Answer the ``input()`` that has waited longest.

        Args:
            text: Without a line end.
            ask: The number of the question that is meant; 0 means whichever waits.

        Returns:
            Whether one waited.

        Raises:
            AlreadyAnswered: Question `ask` does not wait any more.

        Thread: any.
        """
        with self._asking:
            question = next((q for q in self._questions if ask in (0, q.number)), None)
            if question is None:
                if ask:
                    raise AlreadyAnswered("that input() waits no more: it has been answered, or its thread has ended")
                return self._nobody_asks(text)
            self._questions.remove(question)
        self._hand_over(question, text)
        return True

    def stand_in(self, question: Question, text: str, note: str) -> bool:
        """Answer `question` in place of a person, if it still waits; returns whether it did.

        Args:
            question: One of `questions`.
            text: Without a line end.
            note: What the transcript says before the answer: who gives it, and why.

        Thread: any.
        """
        with self._asking:
            if question not in self._questions:
                return False
            self._questions.remove(question)
        self._tell(text_event(Kind.NOTICE, time.time(), self.number, note), announce=True)
        self._hand_over(question, text)
        return True

    def _hand_over(self, question: Question, text: str) -> None:
        # Told before it is handed over, so that in the transcript the answer stands before what the thread does with
        # it.
        self._tell_answer(question, text)
        question.slot.put(text)

    def _tell_answer(self, question: Question, text: str) -> None:
        shown = "•" * len(text) if question.secret else text
        self._tell(text_event(Kind.ANSWERED, time.time(), self.number, shown), announce=True)

    def _typed_ahead(self) -> str | None:
        """What was typed before it was asked for, or None. Called with the lock held."""
        return None

    def _nobody_asks(self, text: str) -> bool:
        """What becomes of an answer that no ``input()`` waits for: whether it was taken. Called with the lock held."""
        return False

    def wait_waiting(self, timeout: float | None = None) -> bool:
        """Wait until an ``input()`` waits here, or none can come any more.

        Args:
            timeout: In seconds; None waits for ever.

        Returns:
            Whether one waits.
        """
        self._journal.wait_for(lambda: self.is_waiting or self._input_closed, timeout)
        return self.is_waiting

    @property
    def title(self) -> str:
        """Who this is, and how it stands, in one line that is safe to show."""
        return f"console {self.number}"

    def snapshot(self) -> Snapshot:
        """What was said here, as text: ``print(server[3].snapshot())``. Thread: any."""
        return Snapshot.of("Conversation", [(self.title, self.transcript)])

    def close_input(self, reason: str) -> None:
        """End every ``input()`` here, now and later, with `InputClosed`. Thread: any; twice is once."""
        with self._asking:
            self._input_closed = self._input_closed or reason
            while self._questions:
                self._questions.pop(0).slot.put(None)
        self._journal.wake()

    def _after_fork(self, reason: str) -> None:
        """In a forked child: none of those who asked is here, and whoever held the lock is not, either."""
        self._asking = threading.RLock()
        self._input_closed = self._input_closed or reason
        self._questions.clear()

    def told_in_words(self, card: Card | None) -> None:
        """Say in words what went wrong, if that is known. Called before the error itself is told. Thread: any."""
        if card is not None:
            self.cards = (*self.cards, card)[-_KEPT_CARDS:]
            self._tell(text_event(Kind.CARD, time.time(), self.number, card.body()), announce=True)

    def _tell(self, event: Event, announce: bool = False) -> None:
        self.transcript.append(event)
        if announce:
            self._journal.announce(event)
        else:
            self._journal.append(event)
