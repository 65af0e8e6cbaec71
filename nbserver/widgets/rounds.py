"""Which connections to look at in a tick, so that its cost follows what happened and not how many there are.

No byte tells us anything for this on its way. What happens is in the server's journal, with the connection's number;
what is not in there is found by looking again at those that had not settled, and at a few of all the others in turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from ..events import Kind
from ..net import Server

_TRAFFIC = {Kind.RECEIVED, Kind.SENT, Kind.PASSED, Kind.PRINTED}
_MOST = 700  # connections with mere traffic are looked at in a tick at most, while more happens than that
_AGAIN = 3  # times is one looked at of which something else is told: the fact is told before the state has changed
_UNSETTLED = 350  # looked at again in each tick
_IN_TURN = 180  # of all the others
_PASSING = {"accepted", "held", "running", "sending"}  # what may be over without a fact that tells it
_ENDED = {"closed", "reset", "failed"}


class Rounds:
    """The watchman's rounds of one server's connections. Thread: the publisher's, with its hub's lock held."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._table = server.observation.connections
        self._cursor = server.journal.last
        self._met = 0  # the highest number that was ever due
        self._busy: dict[int, None] = {}  # with traffic, in the order in which they will be looked at
        self._again: dict[int, int] = {}  # number → how often yet
        self._unsettled: dict[int, None] = {}  # whose activity changes without a fact, longest not looked at first
        self._turn: Iterator[int] = iter(())

    def due(self, first: Iterable[int] = ()) -> dict[int, None]:
        """The numbers to look at now, the most urgent first; some may not be in the table any more.

        Args:
            first: Somebody looks at these, so they never wait for their turn.
        """
        is_calm = self._hear()
        due = dict.fromkeys(self._again)
        due |= dict.fromkeys(first)
        self._again = {number: times - 1 for number, times in self._again.items() if times > 1}
        # While more happens than can be shown, all take turns; as soon as it is calm, everything is told.
        _move(self._busy, due, len(self._busy) if is_calm else _MOST)
        _move(self._unsettled, due, _UNSETTLED)
        due |= dict.fromkeys(self._in_turn())
        return due

    def everything(self) -> list[int]:
        """The numbers of all, for a snapshot."""
        self._hear()
        self._busy.clear()
        return sorted(list(self._table))

    def looked(self, number: int, state: str, credit: int) -> None:
        """It was looked at just now, and found in `state`: what goes on without a fact is looked at again soon."""
        # Without credit what it carries is counted, and told when the clock ticks next.
        if state in _PASSING or (credit <= 0 and state not in _ENDED):
            self._unsettled[number] = None

    def _hear(self) -> bool:
        """Take in what is told; returns whether that was of few enough to look at all of them."""
        journal = self._server.journal
        journal.forget()  # many who carry little each: nobody else looks how long it has become
        last, facts = journal.tail(self._cursor)
        is_whole = len(facts) == last - self._cursor
        self._cursor = last
        told: dict[int, None] = {}
        for kind, _, number, _, _ in facts:
            if kind in _TRAFFIC:
                told[number] = None
            else:
                self._again[number] = _AGAIN
        newest = self._server.accepted
        told |= dict.fromkeys(range(self._met + 1, newest + 1) if is_whole else list(self._table))
        self._met = newest
        self._busy |= told
        return len(told) <= _MOST

    def _in_turn(self) -> list[int]:
        numbers = list(islice(self._turn, _IN_TURN))
        if len(numbers) < _IN_TURN:
            self._turn = iter(list(self._table))
            numbers += islice(self._turn, _IN_TURN - len(numbers))
        return numbers


def _move(queue: dict[int, None], due: dict[int, None], most: int) -> None:
    """Move the first `most` of a queue to what is due."""
    for number in list(islice(queue, most)):
        del queue[number]
        due[number] = None
