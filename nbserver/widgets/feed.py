"""What a hub tells its views, as plain data: snapshots, deltas and transcripts. The contract is in PROTOCOL.md.

Nothing here knows of widgets or messages; one feed is used by one thread at a time (its hub holds a lock).
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

import segno

from ..console import Console, Program
from ..fleet import Client, Fleet
from ..kernel import ServerProgram, client_in, clients_at, connection_of, has_server_proxy
from ..net import Connection, Server, Zone, address_text
from ..states import ServerState
from ..text import safe_text
from .lanes import Past

VERSION = 1
Message = dict[str, Any]
Row = list[Any]
Key = tuple[str, int]

_PREVIEW = 80  # characters
_PROMPT = 200
_ENTRIES_A_TICK = 50  # of one transcript; what is more is a hole in the numbers, which the view tells
_FIRST_ENTRIES = 200  # of a transcript that a view begins to watch
_HOME = secrets.token_hex(8)  # names this process: a page may show the boards of several kernels
_EARLIER_ENTRIES = 100  # that come when somebody scrolls back
_SUMMED = ("in", "out", "bytes_in", "bytes_out")  # columns 3 to 6 of a row
_NEWS_SECONDS = 60.0  # for how long the board says that somebody was turned away
_WATCHED = 64  # transcripts of one table that views have asked for; the longest unasked falls out


class Feed:
    """One server and the clients shown with it, as numbered messages.

    Attributes:
        server: The server, or None for clients alone.
        fleet: The clients.
        epoch: Names the feed's life; the messages of another life are not ours.
        number: Of the newest message.
        past: What its time line shows of earlier times.
    """

    def __init__(self, server: Server | None, fleet: Fleet) -> None:
        self.server = server
        self.fleet = fleet
        self.epoch = secrets.token_hex(8)
        self.number = 0
        self.past = Past(server)
        self._rows: dict[Key, Row] = {}
        self._marks: dict[Key, tuple[Any, ...]] = {}
        self._sums: Counter[str] = Counter()
        self._sent: Message = {}
        self._cursors: dict[Key, int] = {}
        self._reach = _reach(server) if server is not None else None
        self._link = _link(server) if server is not None else None

    # ── messages ──

    def snapshot(self) -> Message:
        """Everything but transcripts."""
        self._changed_rows()
        self._sent = self._facts()
        tables: Message = {"connections": [], "clients": []}
        for (table, _), row in self._rows.items():
            tables[table].append(row)
        return {**self._stamp("snap"), "v": VERSION, "home": _HOME, **self._sent, **tables, **self._lanes()}

    def delta(self) -> tuple[Message, bytes] | None:
        """What has changed since the last message, with the bodies of its entries; None when nothing has."""
        changes = self._changed_rows()
        for name, value in self._facts().items():
            if self._sent.get(name) != value:
                self._sent[name] = changes[name] = value
        changes.update(self._lanes())
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

    def _changed_rows(self) -> Message:
        """The rows that are not as they were. Most are, and are only looked at: that look is what a tick costs."""
        changes: Message = {}
        consoles = self._consoles()
        clients = clients_at(self.server) if self.server is not None else {}
        for key, console in consoles.items():
            other = _other_end(console, clients)
            mark = (*_mark(console), other)
            if self._marks.get(key) != mark:
                self._marks[key] = mark
                row = self._connection_row(console) if isinstance(console, Connection) else _client_row(console)
                row.append(other)
                self._put(key, row)
                changes.setdefault(key[0], []).append(row)
        for key in self._rows.keys() - consoles.keys():
            self._put(key, None)
            changes.setdefault("gone", {}).setdefault(key[0], []).append(key[1])
        return changes

    def _consoles(self) -> dict[Key, Any]:
        connections = self.server.connections if self.server is not None else {}
        consoles: dict[Key, Any] = {("connections", number): c for number, c in connections.items()}
        consoles.update({("clients", client.number): client for client in self.fleet})
        program = self.server.program if self.server is not None else None
        if isinstance(program, ServerProgram) and program.has_more_to_show:
            consoles["clients", program.number] = program
        return consoles

    def _put(self, key: Key, row: Row | None) -> None:
        """Keep a row, or with None forget it, and with it the sums over all connections."""
        old = self._rows.pop(key, None)
        if key[0] == "connections":
            for sign, one in ((-1, old), (1, row)):
                if one is not None:
                    self._sums["waiting"] += sign * (one[1] == "waiting")
                    for name, value in zip(_SUMMED, one[3:7], strict=True):
                        self._sums[name] += sign * value
            self.past.note(key[1], row)
        if row is None:
            del self._marks[key]
        else:
            self._rows[key] = row

    def _connection_row(self, c: Connection) -> Row:
        prompt, ask, since = _question(c)
        preview = safe_text(c.preview, _PREVIEW)
        counts = [c.messages_in, c.messages_out, c.bytes_in, c.bytes_out]
        return [
            c.number,
            c.status,
            address_text(c.peer),
            *counts,
            c.last,
            preview,
            prompt,
            ask,
            c.opened,
            c.note,
            since,
            c.speaks,
        ]

    def _counts(self) -> Message:
        if self.server is None:
            return {}
        seen = self.server.observation
        is_open = len(seen.live)
        counts: Message = {"open": is_open, "waiting": self._sums["waiting"], "errors": seen.errors}
        counts["closed"] = seen.forgotten[0] + len(seen.connections) - is_open
        return counts | {name: self._sums[name] + old for name, old in zip(_SUMMED, seen.forgotten[1:], strict=True)}

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
        }

    # ── transcripts ──

    def _console(self, key: Key) -> Console | None:
        table, number = key
        if table == "clients":
            program = self.server.program if self.server is not None and number == 0 else None
            return program or next((client for client in self.fleet if client.number == number), None)
        return self.server.connections.get(number) if self.server is not None else None

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


def _mark(console: Any) -> tuple[Any, ...]:
    """What tells that a row is not as it was; cheap, since it is made for each row ten times a second."""
    if isinstance(console, Connection):
        question = console.question
        return (console.status, console.messages_in, console.messages_out, question and question.number, console.note)
    return (console.has_ended, console.transcript.last, console.question)


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
    live = len(seen.live)
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
