"""What a hub tells its views, as plain data: snapshots, deltas and transcripts. The contract is in PROTOCOL.md.

Nothing here knows of widgets or messages; one feed is used by one thread at a time (its hub holds a lock).
"""

from __future__ import annotations

import secrets
import time
from typing import Any, Iterable

from ..fleet import Client, Fleet
from ..console import Console, Program
from ..net import Connection, Server, address_text
from ..states import ServerState
from ..text import safe_text

VERSION = 1
Message = dict[str, Any]
Row = list[Any]
Key = tuple[str, int]

_PREVIEW = 80  # characters
_PROMPT = 200
_ENTRIES_A_TICK = 50  # of one transcript; what is more is a hole in the numbers, which the view tells
_FIRST_ENTRIES = 200  # of a transcript that a view begins to watch
_WATCHED = 64  # transcripts that views have asked for; the longest unasked falls out


class Feed:
    """One server and the clients shown with it, as numbered messages.

    Attributes:
        server: The server, or None for clients alone.
        fleet: The clients.
        epoch: Names the feed's life; the messages of another life are not ours.
        number: Of the newest message.
    """

    def __init__(self, server: Server | None, fleet: Fleet) -> None:
        self.server = server
        self.fleet = fleet
        self.epoch = secrets.token_hex(8)
        self.number = 0
        self._sent_rows: dict[Key, Row] = {}
        self._sent: Message = {}
        self._cursors: dict[Key, int] = {}
        self._peers: dict[int, str] = {}

    # ── messages ──

    def snapshot(self) -> Message:
        """Everything but transcripts."""
        self._sent_rows = dict(self._rows())
        self._sent = {"server": self._server(), "counts": self._counts()}
        tables: Message = {"connections": [], "clients": []}
        for (table, _), row in self._sent_rows.items():
            tables[table].append(row)
        return {**self._stamp("snap"), "v": VERSION, **self._sent, **tables}

    def delta(self) -> tuple[Message, bytes] | None:
        """What has changed since the last message, with the bodies of its entries; None when nothing has."""
        changes = self._changed_rows()
        for name, value in (("server", self._server()), ("counts", self._counts())):
            if self._sent.get(name) != value:
                self._sent[name] = changes[name] = value
        entries, body = self._fresh_entries()
        if entries:
            changes["entries"] = entries
        return ({**self._stamp("delta"), **changes}, body) if changes else None

    def beat(self) -> Message:
        """A delta without a change: it says that the kernel lives."""
        return self._stamp("delta")

    def watch(self, table: str, number: int) -> tuple[Message, bytes]:
        """The transcript of one console; its new entries come in the deltas from now on."""
        key = (table, number)
        console = self._console(key)
        entries: list[list[Any]] = []
        body = bytearray()
        if console is not None:
            self._cursors.pop(key, None)  # put in anew: the last in the order is the one that was asked for last
            self._cursors[key] = console.transcript.last
            while len(self._cursors) > _WATCHED:
                del self._cursors[next(iter(self._cursors))]
            _add_entries(entries, body, (), console.transcript.read()[-_FIRST_ENTRIES:])
        return {"t": "transcript", "table": table, "id": number, "entries": entries}, bytes(body)

    def _stamp(self, kind: str) -> Message:
        self.number += 1
        return {"t": kind, "ep": self.epoch, "q": self.number, "now": time.time()}

    # ── what there is ──

    def _rows(self) -> Iterable[tuple[Key, Row]]:
        if self.server is not None:
            for number, connection in self.server.connections.items():
                yield ("connections", number), self._connection_row(connection)
        for client in self.fleet:
            yield ("clients", client.number), _client_row(client)

    def _changed_rows(self) -> Message:
        changes: Message = {}
        rows = dict(self._rows())
        for key, row in rows.items():
            if self._sent_rows.get(key) != row:
                changes.setdefault(key[0], []).append(row)
        gone = self._sent_rows.keys() - rows.keys()
        for table, number in gone:
            changes.setdefault("gone", {}).setdefault(table, []).append(number)
            self._peers.pop(number, None)
        self._sent_rows = rows
        return changes

    def _connection_row(self, c: Connection) -> Row:
        peer = self._peers.get(c.number)
        if peer is None:
            peer = self._peers[c.number] = address_text(c.peer)
        prompt, ask = _question(c)
        preview = safe_text(c.preview, _PREVIEW)
        counts = [c.messages_in, c.messages_out, c.bytes_in, c.bytes_out]
        return [c.number, c.status, peer, *counts, c.last, preview, prompt, ask, c.opened, c.note]

    def _counts(self) -> Message:
        if self.server is None:
            return {}
        seen = self.server.observation
        connections = list(seen.connections.values())
        ended, n_in, n_out, b_in, b_out = seen.forgotten
        live = seen.live
        return {
            "open": len(live),
            "waiting": sum(c.is_waiting for c in live),
            "closed": ended + sum(c.is_over for c in connections),
            "in": n_in + sum(c.messages_in for c in connections),
            "out": n_out + sum(c.messages_out for c in connections),
            "bytes_in": b_in + sum(c.bytes_in for c in connections),
            "bytes_out": b_out + sum(c.bytes_out for c in connections),
            "errors": seen.errors,
        }

    def _server(self) -> Message | None:
        server = self.server
        if server is None:
            return None
        return {
            "address": server.address_text,
            "kind": server.kind,
            "state": server.state.value,
            "thread": server.thread.name if server.thread else "",
            "transport": "datagram" if server.is_datagram else "stream",
            "family": server.base.address_family.name if hasattr(server.base.address_family, "name") else "",
            "limit": _limit(server),
            "cell": server.cell,
        }

    # ── transcripts ──

    def _console(self, key: Key) -> Console | None:
        table, number = key
        if table == "clients":
            return next((client for client in self.fleet if client.number == number), None)
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


def _add_entries(entries: list[list[Any]], body: bytearray, key: tuple[Any, ...], fresh: Iterable[Any]) -> None:
    for n, event in fresh:
        entries.append([*key, n, event.kind.value, event.time, len(body), len(event.data), event.size])
        body += event.data


def _question(console: Console) -> tuple[str | None, int]:
    question = console.question
    return (safe_text(question.prompt, _PROMPT), question.number) if question else (None, 0)


def _client_row(client: Program) -> Row:
    prompt, ask = _question(client)
    state = "waiting" if ask else "running"
    if client.has_ended:
        state = "closed" if client.error is None else "failed"
    peer = str(client.target) if isinstance(client, Client) else client.name.partition(": ")[2]
    note = "" if client.error is None else safe_text(f"{type(client.error).__name__}: {client.error}", _PROMPT)
    return [client.number, state, peer, client.transcript.last, 0, 0, 0, client.opened, "", prompt, ask, client.opened, note]


def _limit(server: Server) -> str:
    """What a limit does now, as a code that each language puts in words."""
    if server.state is not ServerState.SERVING:
        return ""
    if server.base._loop.pause():
        return "descriptors"
    most = server.observation.max_connections
    live = len(server.observation.live)
    return f"full {live} {most}" if live >= most else ""
