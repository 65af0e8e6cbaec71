"""Who waits for whom, as a picture of one server: the servers' side at the left, the clients' at the right; plain data.

Bounded: of a thousand connections the selected one is shown, those in a circle, and those that wait longest for what a
person can change; the others are counted.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from ..net import Connection, Server, address_text, sendqueue
from ..states import ConnectionState
from .calls import Why
from .leftopen import left_open
from .links import client_in, clients_at
from .waits import Wait, Waits, Who, who_is
from .whowaits import who_waits

Data = dict[str, Any]

_ROWS = 12
_QUEUED = 12  # of those in the backlog
_THREADS = 6
_UNREAD_SECONDS = 0.5  # between two looks at the system's table
_LEFT_SECONDS = 2.0  # between two looks for what is left open, at least
_LEFT_SHARE = 0.02  # of the time, for these looks

# What a person can do something about comes first.
_URGENT = (
    Why.SEND,
    Why.PERSON,
    Why.HELD,
    Why.LOCK,
    Why.THREAD,
    Why.QUEUE,
    Why.EVENT,
    Why.TIME,
    Why.CONNECT,
    Why.NOTHING,
)


def picture_of(server: Server, selected: int) -> Data:
    """What there is to see of a server. Thread: the publisher's alone, for all servers."""
    waits = who_waits(server, _lately.unread)
    stuck = {wait.who: number for number, cycle in enumerate(waits.cycles, 1) for wait in cycle}
    connections = {wait.who.number: wait for wait in waits if wait.who.kind == "connection"}
    shown = _chosen(connections, selected, {who.number for who in stuck if who.kind == "connection"})
    by = {wait.who: wait for wait in waits}
    rest = Counter(connections[number].why.value for number in connections if number not in shown)
    backlog = waits.backlog.get(server.address_text, [])
    loop = by.get(who_is(server))
    others = [wait for wait in waits if wait.who.kind in ("thread", "program")]
    return {
        "loop": _box(loop, stuck) if loop is not None else None,
        "queue": [_box(by[who], stuck) if who in by else _stub(who) for who in backlog[:_QUEUED]],
        "queued": len(backlog),
        "rows": [_row(server, connections[number], by, stuck) for number in shown],
        "threads": [_box(wait, stuck) for wait in others[:_THREADS]],
        "more": dict(sorted(rest.items())),
        "cycles": [[_box(wait, stuck) for wait in cycle] for cycle in waits.cycles],
        "others": _may_help(waits),
        "left": _lately.left(),
    }


def _may_help(waits: Waits) -> bool:
    """Whether another thread of the server's could send to somebody in a circle, as a chat room does."""
    inside = {wait.who for cycle in waits.cycles for wait in cycle}
    return any(wait.who.kind == "connection" and wait.who not in inside for wait in waits)


def _chosen(connections: dict[int, Wait], selected: int, stuck: set[int]) -> list[int]:
    """The numbers of those that are shown, in their order."""

    def rank(number: int) -> tuple[bool, bool, int, float]:
        wait = connections[number]
        urgency = _URGENT.index(wait.why) if wait.why in _URGENT else len(_URGENT)
        return number != selected, number not in stuck, urgency, wait.since

    return sorted(sorted(connections, key=rank)[:_ROWS])


def _row(server: Server, wait: Wait, by: dict[Who, Wait], stuck: dict[Who, int]) -> list[Any]:
    """A connection's thread, and its client's."""
    connection = server.observation.connections.get(wait.who.number)
    client = _client_of(server, connection) if connection is not None else Who("peer")
    return [_box(wait, stuck), _box(by[client], stuck) if client in by else _stub(client)]


def _client_of(server: Server, connection: Connection) -> Who:
    client = client_in(clients_at(server), connection)
    if client is not None:
        return who_is(client)
    return Who("peer", int(connection.state is ConnectionState.HALF_CLOSED), address_text(connection.peer))


def _stub(who: Who) -> Data:
    """Somebody whose thread cannot be seen: it is another program's, or there is none."""
    return {"who": list(who)}


def _box(wait: Wait, stuck: dict[Who, int]) -> Data:
    return {
        "who": list(wait.who),
        "thread": wait.thread,
        "call": wait.call,
        "why": wait.why.value,
        "whom": list(wait.whom) if wait.whom is not None else None,
        "line": list(wait.line.parts) if wait.line is not None else None,
        "since": round(wait.since, 2),
        "carried": list(wait.carried) if wait.carried is not None else None,
        "empty": wait.is_empty,
        "stuck": stuck.get(wait.who, 0),
    }


class _Lately:
    """What is not asked anew at each look. Thread: the publisher's."""

    def __init__(self) -> None:
        self._tables: dict[int, tuple[float, dict[tuple[str, int], int]]] = {}
        self._left: tuple[float, list[Any]] = (0.0, [])

    def unread(self, port: int) -> dict[tuple[str, int], int]:
        """As `sendqueue.unread`."""
        now = time.monotonic()
        if port not in self._tables or now - self._tables[port][0] > _UNREAD_SECONDS:
            self._tables = {other: kept for other, kept in self._tables.items() if now - kept[0] < _UNREAD_SECONDS}
            self._tables[port] = now, sendqueue.unread(port)
        return self._tables[port][1]

    def left(self) -> list[Any]:
        """As `left_open`, as rows."""
        now = time.monotonic()
        if now >= self._left[0]:
            found = [list(one) for one in left_open()]
            self._left = now + max(_LEFT_SECONDS, (time.monotonic() - now) / _LEFT_SHARE), found
        return self._left[1]


_lately = _Lately()
