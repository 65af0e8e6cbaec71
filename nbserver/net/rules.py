"""Answers that are given in place of a person: "when it contains … answer …".

A rule is looked at when a handler's ``input()`` asks, and at no other time: nothing of it lies on the path of a byte.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..events import Kind
from ..text import safe_text

if TYPE_CHECKING:
    from ..console import Question
    from .connection import Connection

MOST_RULES = 50
"""How many rules one server has at most."""
LONGEST = 500
"""How long the texts of a rule, and a saved reply, may be, in characters."""
MOST_A_SECOND = 20
"""So many answers within a second the rules give to one connection; then it waits for a person. See `Rules`."""

_RECEIVED = "{text}"
_LONGEST_RECEIVED = 1000  # characters that stand for it: a client that echoes must not make its answer grow for ever
_SHOWN = 60  # characters of a rule in a transcript


class Rule:
    """One rule of a server. Made by `Rules.add`; never changed but for being switched.

    Attributes:
        number: Counted from 1 in the order of adding; no other rule of this server ever has it.
        contains: What it waits for, in upper or lower case; "" is in everything.
        answer: What it answers; ``{text}`` stands for what was received.
        answered: How often it did.
    """

    def __init__(self, number: int, contains: str, answer: str, look: Callable[[], None]) -> None:
        """See `Rules.add`; `look` is called when it was switched on."""
        self.number = number
        self.contains = contains
        self.answer = answer
        self.answered = 0
        self._is_on = True
        self._folded = contains.casefold()
        self._look = look

    @property
    def is_on(self) -> bool:
        """Whether it answers. Set to True, it answers those that wait already, too. Thread: any."""
        return self._is_on

    @is_on.setter
    def is_on(self, is_on: bool) -> None:
        self._is_on = bool(is_on)
        if is_on:
            self._look()

    def fits(self, folded: str) -> bool:
        """Whether it answers what was received, given with its upper case folded."""
        return self._is_on and self._folded in folded

    def answer_to(self, received: str) -> str:
        """Its answer to `received`."""
        # Replaced, never formatted: what a client sent is no template, and has nothing to look up.
        return self.answer.replace(_RECEIVED, received.strip("\r\n")[:_LONGEST_RECEIVED])

    def __repr__(self) -> str:
        texts = f"{safe_text(repr(self.contains), _SHOWN)} → {safe_text(repr(self.answer), _SHOWN)}"
        return f"<Rule {self.number}{'' if self._is_on else ' (off)'} {texts}, answered {self.answered}>"


class Rules:
    """The rules of one server, in their order: of those that fit, the first answers.

    What it is compared with is what the client has sent since it was answered last, as far as its transcript has kept
    it, as UTF-8 and in one piece: a word that came in two messages is found. Questions whose answer must not be shown
    (``getpass``) are left to a person. So is one that comes after `MOST_A_SECOND` answers within a second to the same
    connection, since a client that echoes would be answered for ever; the rules go on with the question after it.

    Call: `add`, `remove`, `clear`, ``len``, iterate. Thread: any.
    """

    def __init__(self, live: Callable[[], Iterable[Connection]]) -> None:
        """No rule yet; `live` gives the connections that may wait when one is added."""
        self._live = live
        # Replaced as a whole and never changed, so that a handler's thread looks at it without a lock.
        self._rules: tuple[Rule, ...] = ()
        self._last_number = 0
        self._lock = threading.RLock()  # two may add at once, and two handlers count

    def add(self, contains: str, answer: str) -> Rule:
        """Answer with `answer` when what a client sent contains `contains`; those that wait are answered as well.

        Args:
            contains: Looked for in upper or lower case; "" is in everything. At most `LONGEST` characters.
            answer: Given to the handler as if a person had typed it, so with ``{text}``, which stands for what was
                received, it is given the client's own words. At most `LONGEST` characters.

        Raises:
            UsageError: They are no texts, or too long; or there are `MOST_RULES` already.
        """
        contains, answer = checked_text(contains, "what a rule waits for"), checked_text(answer, "a rule's answer")
        with self._lock:
            if len(self._rules) >= MOST_RULES:
                raise UsageError(
                    f"a server has at most {MOST_RULES} rules: remove one first, as in server.rules.clear()"
                )
            self._last_number += 1
            rule = Rule(self._last_number, contains, answer, self._look)
            self._rules = (*self._rules, rule)
        self._look()
        return rule

    def remove(self, rule: Rule) -> None:
        """Take a rule away.

        Raises:
            UsageError: It is none of these.
        """
        with self._lock:
            if rule not in self._rules:
                raise UsageError(
                    f"{safe_text(repr(rule), 200)} is no rule of this server: list(server.rules) shows them"
                )
            self._rules = tuple(other for other in self._rules if other is not rule)

    def clear(self) -> None:
        """Take all of them away."""
        with self._lock:
            self._rules = ()

    def __iter__(self) -> Iterator[Rule]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)

    def __repr__(self) -> str:
        return f"<Rules {list(self._rules)}>"

    def _look(self) -> None:
        """Answer what waits already."""
        for connection in self._live():
            for question in connection.questions:
                self.answer(connection, question)

    def answer(self, connection: Connection, question: Question) -> bool:
        """Answer a question of `connection` that waits, if a rule fits; returns whether one did. Thread: any."""
        if not self._rules or question.secret:
            return False
        received = received_since_answer(connection)
        folded = received.casefold()
        rule = next((rule for rule in self._rules if rule.fits(folded)), None)
        if rule is None or not _may_answer(connection):
            return False
        if not connection.stand_in(question, rule.answer_to(received), _note(rule)):
            return False  # a person was faster
        with self._lock:
            rule.answered += 1
        return True


def received_since_answer(connection: Connection) -> str:
    """What the client has sent since it was answered last, as far as its transcript has kept it."""
    pieces: list[bytes] = []
    for event in reversed(list(connection.transcript)):
        if event.kind is Kind.ANSWERED:
            break
        if event.kind is Kind.RECEIVED:
            pieces.append(event.data)
    return b"".join(reversed(pieces)).decode("utf-8", "replace")


def _may_answer(connection: Connection) -> bool:
    """Whether one more answer is within what a second allows; said in the transcript if not."""
    times, now = connection.answered_by_rules, time.monotonic()
    if times is None:
        times = connection.answered_by_rules = deque(maxlen=MOST_A_SECOND)
    if len(times) == MOST_A_SECOND and now - times[0] < 1.0:
        connection.notice(f"rules have answered {MOST_A_SECOND} times within a second: a person must go on")
        times.clear()  # the person's turn; after it they may answer again
        return False
    times.append(now)
    return True


def _note(rule: Rule) -> str:
    """What the transcript says before the answer."""
    if not rule.contains:
        return f"rule {rule.number} answers anything"
    return f"rule {rule.number} answers what contains “{safe_text(rule.contains, _SHOWN)}”"


def checked_text(text: Any, what: str) -> str:
    """`text`, if it is one that can be kept and shown.

    Raises:
        UsageError: It is no text, is too long, or has half of a character in it, which no page could be told.
    """
    if not isinstance(text, str) or len(text) > LONGEST:
        given = f"{len(text)} of them" if isinstance(text, str) else safe_text(repr(text), _SHOWN)
        raise UsageError(f"{what} is a text of at most {LONGEST} characters, not {given}")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise UsageError(f"{what} is a text of whole characters, not {safe_text(repr(text), _SHOWN)}")
    return text
