"""What a hub tells its views, as plain data: snapshots, deltas and transcripts. The contract is in PROTOCOL.md.

Nothing here knows of widgets or messages; one feed is used by one thread at a time (its hub holds a lock).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from typing import Any

import segno

from ..bothends import Comparison, client_in, clients_at, connection_of
from ..console import Console, Program
from ..fleet import Client, Fleet
from ..kernel import ServerProgram, has_server_proxy
from ..net import Connection, Server, Zone, address_text
from ..states import ServerState
from ..text import safe_text
from .lanes import Past
from .looks import Looks
from .rounds import Rounds

VERSION = 1
Message = dict[str, Any]
Row = list[Any]
Key = tuple[str, int]
Table = dict[int, Row]

_PREVIEW = 80  # characters
_PROMPT = 200
_ENTRIES_A_TICK = 50  # of one transcript; what is more is a hole in the numbers, which the view tells
_FIRST_ENTRIES = 200  # of a transcript that a view begins to watch
_HOME = secrets.token_hex(8)  # names this process: a page may show the boards of several kernels
_EARLIER_ENTRIES = 100  # that come when somebody scrolls back
_SUMMED = ("in", "out", "bytes_in", "bytes_out", "waiting")  # over the rows of connections
_NEWS_SECONDS = 60.0  # for how long the board says that somebody was turned away
_WATCHED = 64  # transcripts of one table that views have asked for; the longest unasked falls out


class Feed:
    """One server and the clients shown with it, as numbered messages.

    Attributes:
        server: The server, or None for clients alone.
        fleet: The clients.
        epoch: Names the feed's life; the messages of another life are not ours.
        number: Of the newest message.
        looks: What its views look at besides.
        past: What its time line shows of earlier times.
    """

    def __init__(self, server: Server | None, fleet: Fleet, about: Any = None) -> None:
        self.server = server
        self.looks = Looks(server if about is None else about)
        self.fleet = fleet
        self.epoch = secrets.token_hex(8)
        self.number = 0
        self.past = Past(server)
        self._rounds = Rounds(server) if server is not None else None
        self._rows: dict[str, Table] = {"connections": {}, "clients": {}}
        self._marks: dict[str, dict[int, tuple[Any, ...]]] = {"connections": {}, "clients": {}}
        self._clients: dict[Any, Program] = {}
        self._forgotten = 0  # so many connections had left the server's table when we looked last
        self._sums = [0] * len(_SUMMED)
        self._sent: Message = {}
        self._cursors: dict[Key, int] = {}
        self._reach = _reach(server) if server is not None else None
        self._link = _link(server) if server is not None else None

    # ── messages ──

    def snapshot(self) -> Message:
        """Everything but transcripts."""
        self._changed_rows(is_whole=True)
        self._sent = self._facts()
        # By number, as the page keeps them.
        tables = {table: [rows[number] for number in sorted(rows)] for table, rows in self._rows.items()}
        return {**self._stamp("snap"), "v": VERSION, "home": _HOME, **self._sent, **tables, **self._lanes()}

    def delta(self) -> tuple[Message, bytes] | None:
        """What has changed since the last message, with the bodies of its entries; None when nothing has."""
        changes = self._changed_rows()
        for name, value in self._facts().items():
            if self._sent.get(name) != value:
                self._sent[name] = changes[name] = value
        changes.update(self._lanes())
        looks = list(self.looks.fresh())
        if looks:
            changes["looks"] = looks
        entries, body = self._fresh_entries()
        if entries:
            changes["entries"] = entries
        return ({**self._stamp("delta"), **changes}, body) if changes else None

    def _lanes(self) -> Message:
        """What the rows do not tell of the time line, if there is something new."""
        lanes = self.past.look()
        return {"lanes": lanes} if lanes else {}

    def beat(self) -> Message:
        """A delta without a change: it says that the kernel lives."""
        return self._stamp("delta")

    def watch(self, table: str, number: int) -> tuple[Message, bytes]:
        """The transcript of one console; its new entries come in the deltas from now on."""
        key = (table, number)
        console = self._console(key)
        if console is not None:
            self._cursors.pop(key, None)  # put in anew: the last in the order is the one that was asked for last
            self._cursors[key] = console.transcript.last
            asked = [other for other in self._cursors if other[0] == table]
            for longest_unasked in asked[:-_WATCHED]:
                del self._cursors[longest_unasked]
        kept = console.transcript.read() if console is not None else []
        return _page("transcript", key, kept, kept[-_FIRST_ENTRIES:])

    def earlier(self, table: str, number: int, before: int) -> tuple[Message, bytes]:
        """The entries of a transcript that came just before entry `before`, as far as they are still kept."""
        key = (table, number)
        console = self._console(key)
        kept = console.transcript.read() if console is not None else []
        page = [entry for entry in kept if entry[0] < before][-_EARLIER_ENTRIES:]
        return _page("earlier", key, kept, page)

    def _facts(self) -> Message:
        """What is told whole, and again when it has changed."""
        return {"server": self._server(), "counts": self._counts(), **_texts(self.server)}

    def _stamp(self, kind: str) -> Message:
        self.number += 1
        return {"t": kind, "ep": self.epoch, "q": self.number, "now": time.time()}

    # ── what there is ──

    def _changed_rows(self, is_whole: bool = False) -> Message:
        """The rows that are not as they were; with `is_whole` all are looked at."""
        changes: Message = {}
        if self.server is not None and self._rounds is not None:
            self._look_at_connections(self.server, self._rounds, is_whole, changes)
        self._look_at_clients(changes)
        return changes

    def _look_at_connections(self, server: Server, rounds: Rounds, is_whole: bool, changes: Message) -> None:
        table, rows, marks = server.observation.connections, self._rows["connections"], self._marks["connections"]
        forgotten = server.observation.forgotten[0]
        known, self._clients = self._clients, clients_at(server)
        is_new = self._clients is not known and bool(self._clients or known)
        is_whole = is_whole or is_new  # any of them may be the other end of any connection
        watched = [number for name, number in self._cursors if name == "connections"]
        changed: list[Row] = []
        for number in rounds.everything() if is_whole else rounds.due(watched):
            connection = table.get(number)
            if connection is None:
                continue
            mark, other = connection.mark, _other_end(connection, self._clients)
            old = rows.get(number)
            if old is None or marks[number] != mark or old[15] != other:
                row = _connection_row(connection, other, old)
                self._add_up(old, row)
                self.past.note(number, row)
                rows[number], marks[number] = row, mark
                changed.append(row)
            rounds.looked(number, rows[number][1], connection.credit)
        if changed:
            changes["connections"] = changed
        if forgotten != self._forgotten:
            self._forgotten = forgotten
            self._drop("connections", [number for number in rows if number not in table], changes)

    def _look_at_clients(self, changes: Message) -> None:
        rows, marks = self._rows["clients"], self._marks["clients"]
        clients: dict[int, Program] = {client.number: client for client in self.fleet}
        program = self.server.program if self.server is not None else None
        if isinstance(program, ServerProgram) and program.has_more_to_show:
            clients[program.number] = program
        for number, client in clients.items():
            other = _other_end(client, {})
            mark = (client.has_ended, client.transcript.last, client.question, other)
            if marks.get(number) != mark:
                marks[number] = mark
                rows[number] = [*_client_row(client), other, _sign(client)]
                changes.setdefault("clients", []).append(rows[number])
        if len(rows) > len(clients):
            self._drop("clients", [number for number in rows if number not in clients], changes)

    def _drop(self, table: str, numbers: list[int], changes: Message) -> None:
        """Forget the rows of those that are gone."""
        for number in numbers:
            row = self._rows[table].pop(number)
            del self._marks[table][number]
            if table == "connections":
                self._add_up(row, None)
                self.past.note(number, None)
        if numbers:
            changes.setdefault("gone", {})[table] = numbers

    def _add_up(self, old: Row | None, new: Row | None) -> None:
        """Keep the sums over all connections when a row changes."""
        sums = self._sums
        for sign, row in ((-1, old), (1, new)):
            if row is not None:
                sums[0] += sign * row[3]
                sums[1] += sign * row[4]
                sums[2] += sign * row[5]
                sums[3] += sign * row[6]
                sums[4] += sign * (row[1] == "waiting")

    def _counts(self) -> Message:
        if self.server is None:
            return {}
        seen = self.server.observation
        is_open, old = seen.open_count, seen.forgotten
        counts: Message = {"open": is_open, "errors": seen.errors, "closed": old[0] + len(seen.connections) - is_open}
        return counts | {name: one + past for name, one, past in zip(_SUMMED, self._sums, [*old[1:], 0], strict=True)}

    def _server(self) -> Message | None:
        server = self.server
        if server is None:
            return None
        return {
            "address": server.address_text,
            "kind": safe_text(server.kind, _PREVIEW),
            "state": server.state.value,
            "thread": safe_text(server.thread.name, _PREVIEW) if server.thread else "",
            "transport": "datagram" if server.is_datagram else "stream",
            "family": server.family.name,
            "limit": _limit(server),
            "limits": _limits(server),
            "reach": self._reach,
            "link": self._link,
            "cell": server.cell,
            "faults": _faults(server),
        }

    # ── transcripts ──

    def _console(self, key: Key) -> Console | None:
        table, number = key
        if table == "clients":
            program = self.server.program if self.server is not None and number == 0 else None
            return program or next((client for client in self.fleet if client.number == number), None)
        return self.server.observation.connections.get(number) if self.server is not None else None

    def _fresh_entries(self) -> tuple[list[list[Any]], bytes]:
        entries: list[list[Any]] = []
        body = bytearray()
        for key, cursor in list(self._cursors.items()):
            console = self._console(key)
            if console is None:
                del self._cursors[key]
            elif console.transcript.last > cursor:
                fresh = console.transcript.read(cursor)
                if fresh:
                    self._cursors[key] = fresh[-1][0]
                _add_entries(entries, body, key, fresh[-_ENTRIES_A_TICK:])
        return entries, bytes(body)

    @property
    def is_over(self) -> bool:
        """Whether nothing can happen here any more."""
        is_stopped = self.server is None or self.server.state is ServerState.STOPPED
        if isinstance(self.looks.about, Comparison):
            is_stopped = self.looks.about.is_over
        return is_stopped and all(client.has_ended for client in self.fleet)


def _page(kind: str, key: Key, kept: list[Any], page: list[Any]) -> tuple[Message, bytes]:
    """Some entries of one transcript as a message of their own; `first` is the number of the oldest that is kept."""
    entries: list[list[Any]] = []
    body = bytearray()
    _add_entries(entries, body, (), page)
    first = kept[0][0] if kept else 0
    return {"t": kind, "table": key[0], "id": key[1], "first": first, "entries": entries}, bytes(body)


def _add_entries(entries: list[list[Any]], body: bytearray, key: tuple[Any, ...], fresh: Iterable[Any]) -> None:
    for n, event in fresh:
        entries.append([*key, n, event.kind.value, event.time, len(body), len(event.data), event.size])
        body += event.data


def _other_end(console: Any, clients: dict[Any, Program]) -> int:
    """The number of a connection's client, or of a client's connection; 0 if it is not of this process."""
    if isinstance(console, Connection):
        other: Any = client_in(clients, console) if clients else None
    else:
        other = connection_of(console)
    return 0 if other is None else other.number


def _question(console: Console) -> tuple[str | None, int, float]:
    question = console.question
    return (safe_text(question.prompt, _PROMPT), question.number, question.since) if question else (None, 0, 0.0)


def _connection_row(c: Connection, other: int, old: Row | None = None) -> Row:
    """A row anew; what cannot have changed is taken from the old one."""
    prompt, ask, since = _question(c) if c.is_waiting else (None, 0, 0.0)
    return [
        c.number,
        c.status,
        address_text(c.peer) if old is None else old[2],
        c.messages_in,
        c.messages_out,
        c.bytes_in,
        c.bytes_out,
        c.last,
        safe_text(c.preview, _PREVIEW),
        prompt,
        ask,
        c.opened,
        c.note,
        since,
        c.speaks,
        other,
        _sign(c, c.ends_heard),
    ]


def _sign(console: Console, ends: int = 0) -> list[Any] | None:
    """What went wrong last, in words, and how often ``recv`` has given the end; None if nothing is wrong."""
    if console.cards:
        last = console.cards[-1]
        return [last.en.title, last.zh.title, ends]
    return ["", "", ends] if ends > 1 else None


def _client_row(client: Program) -> Row:
    prompt, ask, since = _question(client)
    state = "waiting" if ask else "running"
    if client.has_ended:
        state = "closed" if client.error is None else "failed"
    peer = str(client.target) if isinstance(client, Client) else client.name.partition(": ")[2]
    note = "" if client.error is None else safe_text(f"{type(client.error).__name__}: {client.error}", _PROMPT)
    return [
        client.number,
        state,
        safe_text(peer, _PROMPT),
        client.transcript.last,
        0,
        0,
        0,
        client.opened,
        "",
        prompt,
        ask,
        client.opened,
        note,
        since,
        "",
    ]


def _limit(server: Server) -> str:
    """What a limit does now, as a code that each language puts in words."""
    if server.state is not ServerState.SERVING:
        return ""
    if server.is_pausing:
        return "descriptors"
    seen, most = server.observation, server.limits.max_connections
    live = seen.open_count
    if live >= most:
        waiting = server.backlog
        return f"full {live} {most}" + (f" {waiting}" if waiting is not None else "")
    is_news = seen.turned_away and time.monotonic() - seen.turned_away_at < _NEWS_SECONDS
    return f"away {seen.turned_away} {seen.why_turned_away}" if is_news else ""


def _limits(server: Server) -> dict[str, int | float]:
    """The limits that are set, and can bite."""
    known = server.limits.known()
    if server.access.tls is None:
        del known["handshake_seconds"]
    return known


def _texts(server: Server | None) -> dict[str, list[Any]]:
    """The rules, and the saved replies."""
    if server is None:
        return {"rules": [], "saved": []}
    rules = [[rule.number, rule.contains, rule.answer, rule.is_on, rule.answered] for rule in server.rules]
    return {"rules": rules, "saved": list(server.saved_replies)}


def _faults(server: Server) -> list[Any]:
    """How many faults are set for all connections, and which connections have one of their own."""
    numbers = [fault.connection for fault in server.faults]
    return [numbers.count(0), sorted({number for number in numbers if number})]


def _reach(server: Server) -> Message:
    """Who can reach it, and how they call it, with a QR code of the address where that is a network's."""
    zone, addresses, is_wider = server.reach
    qr: list[str] = []
    if zone is not Zone.MACHINE and addresses:
        scheme = "" if not server.speaks_http else "http://" if server.access.tls is None else "https://"
        code = segno.make(f"{scheme}{addresses[0]}", error="m", boost_error=False)
        qr = ["".join(map(str, row)) for row in code.matrix]
    return {"zone": zone.value, "addresses": list(addresses), "wider": is_wider, "qr": qr, "token": server.token}


def _link(server: Server) -> Message | None:
    """How a browser opens it, if it speaks HTTP: by its port on this machine, or through the notebook's own server."""
    if not server.speaks_http or not isinstance(server.address, tuple):
        return None
    return {"port": server.address[1], "tls": server.access.tls is not None, "proxy": has_server_proxy()}
