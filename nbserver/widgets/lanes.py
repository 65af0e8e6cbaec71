"""The past that a time line shows: what the accept loop, each connection and the backlog did when. Bounded.

A view makes the bars that it draws from the rows of the deltas; from here it has what was before it looked, so that a
second view, another tab and a page that was loaded again show the same. `js/lanes.js` takes rows by the same rules.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import Any

from ..net import Server, address_text
from ..states import LoopState

_CHANGES = 64  # of one lane, and as many marks of messages
_LANES = 500  # those that changed last
_SECONDS = 600.0  # the longest that a time line shows
_FRESH = 1.0  # seconds; what is older when it is seen first was not looked at from its begin
_LOOK_SECONDS = 0.5  # between two looks at the backlog
_QUEUED = 100  # of those in the backlog, so many have lanes
_ENDED = ("closed", "reset", "failed")

Row = list[Any]
Message = dict[str, Any]


class Lane:
    """What one thread did.

    Attributes:
        states: Since when, in seconds since 1970, and what.
        marks: When messages passed, and how many came and went since the mark before.
        carried: How many have come and gone in all.
    """

    __slots__ = ("carried", "marks", "states")

    def __init__(self) -> None:
        self.states: deque[tuple[float, str]] = deque(maxlen=_CHANGES)
        self.marks: deque[tuple[float, int, int]] = deque(maxlen=_CHANGES)
        self.carried = (0, 0)

    def became(self, state: str, when: float) -> bool:
        """Note a state; returns whether it is another one than before."""
        if self.states and self.states[-1][1] == state:
            return False
        self.states.append((when, state))
        return True

    def carry(self, row: Row) -> None:
        """Note the messages that a row counts."""
        came, went = row[3] - self.carried[0], row[4] - self.carried[1]
        if came or went:
            self.marks.append((row[7], came, went))
            self.carried = (row[3], row[4])

    def told(self, now: float) -> tuple[list[Any], list[Any]]:
        """States and marks of the last ten minutes, as lists."""
        begin = now - _SECONDS
        states: list[Any] = [list(state) for state in self.states]
        first = next((i for i, (when, _) in enumerate(states) if when > begin), len(states))
        return states[max(0, first - 1) :], [list(mark) for mark in self.marks if mark[0] > begin]


class Past:
    """The lanes of one server. One thread at a time uses it, as its feed."""

    def __init__(self, server: Server | None) -> None:
        self._server = server
        self._lanes: OrderedDict[int, Lane] = OrderedDict()  # changed longest ago first
        self._loop = Lane()
        self._queue: dict[str, float] = {}  # who waits in the backlog, and since when
        self._queue_told: list[list[Any]] = []
        self._left: dict[str, tuple[float, float]] = {}  # who has left it: since when it waited, and when it left
        self._waited: list[list[Any]] = []  # not told yet: which connections waited there, and since when
        self._looked = 0.0

    def note(self, number: int, row: Row | None) -> None:
        """Connection `number` has a new row, or with None is forgotten."""
        if row is None:
            self._lanes.pop(number, None)
            return
        now = time.time()
        lane = self._lanes.get(number)
        if lane is None:
            lane = self._lanes[number] = Lane()
            self._begin(number, lane, row, now)
            if len(self._lanes) > _LANES:
                self._lanes.popitem(last=False)
        else:
            self._lanes.move_to_end(number)
            lane.became(row[1], row[13] or now)
        lane.carry(row)

    def _begin(self, number: int, lane: Lane, row: Row, now: float) -> None:
        """What is known of a connection that is seen first: it may have waited in the backlog, it may have ended."""
        state, last, opened, since = row[1], row[7], row[11], row[13]
        waited = self._queue.pop(row[2], 0.0) or self._left.pop(row[2], (0.0, 0.0))[0]
        if waited:
            lane.became("backlog", waited)
            self._waited.append([number, waited])
        if now - opened < _FRESH and (since or state in _ENDED):
            lane.became("running", opened)
        lane.became(state, since or last)

    def look(self) -> Message:
        """What has changed with the accept loop and in the backlog."""
        if self._server is None:
            return {}
        changes: Message = {}
        now = time.time()
        state, since = _loop_state(self._server, now)
        if self._loop.became(state, since):
            changes["loop"] = [since, state]
        self._look_at_backlog(state, now)
        queued = self._queued()
        if queued != self._queue_told:
            changes["queue"] = self._queue_told = queued
        if self._waited:
            changes["waited"], self._waited = self._waited, []
        return changes

    def _look_at_backlog(self, state: str, now: float) -> None:
        """Who waits there now. A loop in select() leaves nobody; else the system is asked, seldom."""
        if state in (LoopState.SELECTING.value, LoopState.ENDED.value):
            found: Iterable[str] = ()
        elif 0 <= now - self._looked < _LOOK_SECONDS or self._server is None:
            return
        else:
            self._looked = now
            found = map(address_text, self._server.backlog_peers)
        queue = {peer: self._queue.get(peer, now) for peer in found}
        self._left = {peer: times for peer, times in self._left.items() if now - times[1] < 2 * _FRESH}
        self._left.update({peer: (since, now) for peer, since in self._queue.items() if peer not in queue})
        self._queue = queue

    def _queued(self) -> list[list[Any]]:
        """Who waits in the backlog, longest first, as the rows call them; and since when."""
        return [[peer, since] for peer, since in sorted(self._queue.items(), key=lambda one: one[1])[:_QUEUED]]

    def told(self) -> Message:
        """All that is known of the last ten minutes."""
        now = time.time()
        lanes = [[number, *lane.told(now)] for number, lane in self._lanes.items()]
        return {"t": "lanes", "loop": self._loop.told(now)[0], "queue": self._queued(), "lanes": lanes}


def _loop_state(server: Server, now: float) -> tuple[str, float]:
    """What the accept loop does, in a word, with the number of the connection that it serves itself; and since when."""
    state, serving = server.loop, server.serving
    if state is LoopState.SERVING and serving is not None:
        return f"{state.value} {serving.number}", serving.opened
    slow, thread = server.observation.slow_motion, server.thread
    return "held" if slow.is_used and thread is not None and slow.holds(thread.name) else state.value, now
