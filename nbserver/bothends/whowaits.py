"""Who waits for whom, looked up: every thread of servers and clients, the call that it is in, its line, and since when.

Everything is read from outside, whenever somebody looks: the threads' frames, the connections' counters, what Linux
tells of sockets. Nothing is held up for it, and nothing of the student's is called.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ..console import Program
from ..events import Kind
from ..net import Connection, Server, address_text, sendqueue, servers
from ..net.sockets import ObservedSocket
from ..states import LoopState
from ..text import safe_text
from .calls import Call, Why, call_of
from .links import client_in, clients_at, connection_of, place_of
from .threads import Worker, is_listening, workers
from .waits import NEXT, YOU, Carried, Wait, Waits, Who, who_is

_SHOWN = 100  # characters of a name
_MANY = 200  # threads

Unread = Callable[[int], "dict[tuple[str, int], int]"]


def who_waits(
    server: Server | None = None,
    unread: Unread = sendqueue.unread,
    is_wanted: Callable[[Worker], bool] | None = None,
) -> Waits:
    """Who waits for whom: ``print(nbserver.who_waits())``.

    Args:
        server: The server that it is about, with its clients; None for all of this process.
        unread: Tells what clients have not read; who looks ten times a second asks the system less often.
        is_wanted: Of which threads it is wanted; None for all.

    Returns:
        A `Wait` for each accept loop, each connection that a thread serves, each client's program, and each thread that
        runs the student's code.

    Thread: any. Costs some 50 µs for each thread, and some milliseconds where clients wait to be accepted.
    """
    at_work = [(worker, call_of(worker)) for worker in workers() if is_wanted is None or is_wanted(worker)]
    moment = _Moment(unread, [call for _, call in at_work])
    waits = sorted((wait for worker, call in at_work for wait in moment.waits_of(worker, call)), key=_order)
    _memory.keep(moment.marks, is_wanted is None)
    if server is not None:
        place = server.address_text
        waits = [wait for wait in waits if wait.server in (place, "")]
    shown = [server] if server is not None else servers()
    return Waits(waits, {one.address_text: backlog_of(one) for one in shown if one.loop in _AWAY})


_KINDS = ("loop", "connection", "program", "client")


def _order(wait: Wait) -> tuple[str, int, int, str]:
    kind = wait.who.kind
    return wait.server, _KINDS.index(kind) if kind in _KINDS else len(_KINDS), wait.who.number, wait.thread


_AWAY = (LoopState.SERVING, LoopState.FULL, LoopState.PAUSED, LoopState.RUNNING, LoopState.UNSEEN)


def backlog_of(server: Server) -> list[Who]:
    """Who is connected to `server`, and not yet accepted, as far as the system tells (Linux)."""
    clients = clients_at(server)
    found = [(peer, clients.get(peer)) for peer in server.backlog_peers]
    return sorted(who_is(c) if c is not None else Who("peer", 0, address_text(peer)) for peer, c in found)


@lru_cache(maxsize=2048)
def _name_of(thread: str) -> str:
    return safe_text(thread, _SHOWN)


# ── since when ──


class _Memory:
    """What each thread was seen in last: as long as it is seen in the same, its time goes on."""

    def __init__(self) -> None:
        self._seen: dict[Any, tuple[Any, float]] = {}
        self._looked = 0.0

    def since(self, key: Any, mark: Any, floor: float) -> float:
        """Since when `key` has been as `mark` says; not before `floor`, when the last was heard of it."""
        known = self._seen.get(key)
        if known is not None and known[0] == mark:
            return max(known[1], floor)
        return max(floor, self._looked if known is not None else 0.0) or time.time()

    def keep(self, marks: dict[Any, tuple[Any, float]], are_all: bool) -> None:
        # Replaced whole: several may look at once, and each finds what one of them has kept.
        self._seen, self._looked = marks if are_all else {**self._seen, **marks}, time.time()


_memory = _Memory()


class _Moment:
    """One look at all threads."""

    def __init__(self, unread: Unread, calls: list[Call]) -> None:
        self._are_many = len(calls) > _MANY
        # Whoever sends to a connection, its own thread or that of another one's handler: how much is in the call.
        self._sending = {
            id(call.on): call.size for call in calls if call.why is Why.SEND and isinstance(call.on, Connection)
        }
        self.marks: dict[Any, tuple[Any, float]] = {}
        self._look_unread = unread
        self._places = {id(server.observation): server for server in servers()}
        self._clients: dict[int, Any] = {}
        self._unread: dict[int, dict[tuple[str, int], int]] = {}

    def waits_of(self, worker: Worker, call: Call) -> list[Wait]:
        """What a thread waits for; an accept loop that serves a connection itself is two."""
        made = []
        if worker.loop is not None and worker.serves is not None:
            made.append(self._serving(worker, worker.loop, worker.serves))
        who = self._who(worker)
        server = self._server(worker)
        whom = YOU if call.why in (Why.PERSON, Why.HELD) else self._whom(worker, call)
        own = worker.own
        mark = (call.name, id(own), own.f_lasti if own is not None else 0, self._count(worker))
        since = self._since(worker, who, mark, call)
        made.append(
            Wait(
                who,
                server.address_text if server is not None else "",
                _name_of(worker.name),
                call.name,
                call.why,
                whom,
                worker.line,
                since,
                self._carried(worker.serves),
                call.why is Why.RECEIVE and self._was_empty(worker),
                not is_listening(worker),
            )
        )
        return made

    def _serving(self, worker: Worker, server: Server, connection: Connection) -> Wait:
        name, place = _name_of(worker.name), server.address_text
        who, whom = who_is(server), who_is(connection)
        return Wait(who, place, name, "handle", Why.SERVE, whom, worker.loop_line, connection.opened)

    def _who(self, worker: Worker) -> Who:
        for one in (worker.serves, worker.loop, worker.program):
            if one is not None:
                return who_is(one)
        if worker.thread == threading.main_thread().ident:
            return Who("thread", worker.thread, worker.line.where if worker.line else "main")
        return Who("thread", worker.thread, _name_of(worker.name))

    def _server(self, worker: Worker) -> Server | None:
        if worker.serves is not None:
            return self._places.get(id(worker.serves._observation))
        if worker.loop is not None:
            return worker.loop
        return server_of(worker.program) if worker.program is not None else None

    def _whom(self, worker: Worker, call: Call) -> Who | None:
        """For whom a call waits."""
        on = call.on
        if call.why is Why.CLIENT:
            return NEXT
        if call.why in (Why.RECEIVE, Why.SEND, Why.CONNECT):
            return self._peer_of(on if isinstance(on, Connection) else worker.serves, worker, on)
        if call.why is Why.THREAD and issubclass(type(on), threading.Thread):
            return Who("thread", on.ident or 0, safe_text(str(on._name), _SHOWN))
        if call.why is Why.LOCK:
            return _holder(on)
        return None

    def _peer_of(self, connection: Connection | None, worker: Worker, on: Any) -> Who | None:
        """Who is at the other end of a connection, or of the socket of a program."""
        if worker.serves is None and not isinstance(on, Connection) and worker.program is not None:
            other = connection_of(worker.program)
            server = server_of(worker.program)
            if other is not None and not other.is_over:
                return who_is(other)
            return who_is(server) if server is not None else Who("other", 0, "its peer")
        if connection is None:
            return Who("other", 0, "its peer")
        client = client_in(self._clients_at(connection), connection)
        return who_is(client) if client is not None else Who("peer", 0, address_text(connection.peer))

    def _clients_at(self, connection: Connection) -> Any:
        key = id(connection._observation)
        if key not in self._clients:
            server = self._places.get(key)
            self._clients[key] = clients_at(server) if server is not None else {}
        return self._clients[key]

    def _count(self, worker: Worker) -> Any:
        """What changes when the other end has been heard or spoken to: then it is another call of the same line."""
        one = worker.serves
        if one is None and worker.program is not None:
            one = connection_of(worker.program)
        if one is None:
            return worker.loop.accepted if worker.loop is not None else 0
        return (one.messages_in, one.messages_out)

    def _since(self, worker: Worker, who: Who, mark: Any, call: Call) -> float:
        floor = self._floor(worker, call)
        since = floor if call.why is Why.PERSON else _memory.since(who, mark, floor)
        self.marks[who] = (mark, since)
        return since

    def _floor(self, worker: Worker, call: Call) -> float:
        """When something was heard of a thread last: it has not waited longer than since then."""
        if call.why is Why.PERSON and call.on is not None:
            question = call.on.question
            if question is not None:
                return float(question.since)
        if worker.serves is not None:
            return worker.serves.last
        if worker.loop is not None:
            newest = worker.loop.observation.connections.get(worker.loop.accepted)
            return newest.opened if newest is not None else 0.0
        if worker.program is not None:
            _, events = worker.program.transcript.tail(worker.program.transcript.last - 1)
            return max(worker.program.opened, events[-1][1] if events else 0.0)
        return 0.0

    def _carried(self, connection: Connection | None) -> Carried | None:
        """How far what was sent on a connection has come; of very many connections, only where somebody sends."""
        if connection is None or connection.is_datagram or (self._are_many and id(connection) not in self._sending):
            return None
        server = self._places.get(id(connection._observation))
        if server is None:
            return None
        port = server.address[1] if isinstance(server.address, tuple) else 0
        if port not in self._unread:
            self._unread[port] = self._look_unread(port) if port else {}
        return carried(connection, self._unread[port], self._sending.get(id(connection), 0))

    def _was_empty(self, worker: Worker) -> bool:
        """Whether what was sent last by the one who now waits for an answer was empty, and so nothing at all."""
        if worker.serves is not None:
            return worker.serves.messages_out > 0 and _last(worker.serves, Kind.SENT) == b""
        connection = connection_of(worker.program) if worker.program is not None else None
        if connection is None or worker.program is None:
            return False
        # A program's own sockets are not looked at; but what was typed last was empty, and nothing has come since.
        answer = _last_event(worker.program, Kind.ANSWERED)
        return answer is not None and not answer[3] and connection.last < answer[1]


def carried(connection: Connection, unread: dict[tuple[str, int], int], sending: int = 0) -> Carried | None:
    """How far what was sent on a connection has come; `unread` is what `sendqueue.unread` has found."""
    sock = connection.socket
    taken = sendqueue.taken(sock) if type(sock) is ObservedSocket else None
    if taken is None:
        return None
    acknowledged, queued = taken
    left = sendqueue.unread_of(connection.peer, unread)
    read = max(0, acknowledged - left) if left is not None else None
    waiting = max(queued, connection.bytes_out + sending - acknowledged) if sending else queued
    return Carried(connection.bytes_out, sending, waiting, left, read)


def server_of(program: Program) -> Server | None:
    """The server of this process that a program has connected to, whether it was accepted yet or not."""
    ends = program.ends
    if ends is None:
        return None
    return next((server for server in servers() if place_of(server.address) == place_of(ends.remote)), None)


def _holder(lock: Any) -> Who:
    """Who holds a lock: a reentrant one tells it, in its own ``repr``; the others do not."""
    if type(lock).__name__ == "RLock":
        owner = re.search(r"owner=(\d+)", repr(lock))  # of a class written in C: nothing of the student's runs
        if owner is not None and owner[1] != "0":
            name = next((t.name for t in threading.enumerate() if t.ident == int(owner[1])), "")
            return Who("thread", int(owner[1]), safe_text(name, _SHOWN))
    return Who("lock", 0, "a lock")


def _last_event(console: Any, *kinds: Kind) -> Any:
    """The newest event of these kinds, among the last of a transcript."""
    _, events = console.transcript.tail(max(0, console.transcript.last - 20))
    return next((event for event in reversed(events) if event[0] in kinds), None)


def _last(console: Any, kind: Kind) -> bytes | None:
    event = _last_event(console, kind)
    return event[3] if event is not None else None
