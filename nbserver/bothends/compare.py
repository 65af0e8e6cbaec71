"""The same handler and the same clients on several servers at once: who waits, where, and for how long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from ..errors import NbserverError, NotHeard, UsageError
from ..fleet import Client, Step, Target, checked, until
from ..net import also_stop
from ..teach.comparison import Visit, summary, total
from ..text import safe_text
from .columns import Column, column_of

_STEP = 0.02  # seconds between two looks at who has ended
_HEAD = "seconds waited"
_MOST_COLUMNS, _MOST_CLIENTS, _LONGEST_SECONDS = 6, 20, 600.0
_SCRIPT: tuple[Step, ...] = ("hello\n", until(), None)  # a line; whatever is answered; hang up


class Comparison:
    """Several real servers, each on a port of its own, with the same clients, all at the same time.

    Call, from any thread: `wait`, `stop`, and all that is read. As the last expression of a cell it is shown while it
    runs; printed, it is a table. Leave alone: names with an underscore.

    Attributes:
        columns: The names of what is compared, in order.
        clients: How many clients each of them has.
        seconds: After how long it ends, whether all is done or not.
        began: When it began, in seconds since 1970.
        panel: What a notebook shows of it; set by the front door, which knows of notebooks.
    """

    is_saved = False  # its numbers are in its text

    def __init__(
        self,
        servers: Iterable[Any],
        handler: Any = None,
        clients: int = 3,
        script: Iterable[Step] | None = None,
        *,
        answer: str = "ok",
        seconds: float = 30.0,
    ) -> None:
        """Bind the servers; `start` lets the clients come. See `nbserver.compare`."""
        kinds = list(servers)
        _check(kinds, handler, clients, seconds)
        self.clients, self.seconds = clients, float(seconds)
        self._script = checked(_SCRIPT if script is None else script)
        self._servers: list[Column] = []
        try:
            for kind in kinds:
                self._servers.append(column_of(kind, handler, answer))
        except BaseException:
            self._stop_servers()
            raise
        self.columns = _distinct([column.name for column in self._servers])
        self.began = time.time()
        self.panel: Any = None
        self._visitors: list[list[_Visitor]] = [[] for _ in self._servers]
        self._stopping, self._done = threading.Event(), threading.Event()
        self._end = "running"
        self._visits: dict[str, list[Visit]] | None = None  # once it is over
        # A daemon: it must not keep the kernel alive for the clients that it waits for.
        self._thread = threading.Thread(target=self._run, name="nbserver-compare", daemon=True)

    def start(self) -> Comparison:
        """Let the servers serve, and the clients come; returns at once.

        Raises:
            OSError: The system has no descriptors or threads left.
        """
        try:
            addresses = [column.start() for column in self._servers]
            self._targets = [Target.at(tuple(address[:2])) for address in addresses]
            also_stop(self.stop)
            self.began = time.time()
            self._thread.start()
        except BaseException:
            self._stop_servers()
            raise
        return self

    def _run(self) -> None:
        try:
            self._connect_all()
            deadline = time.monotonic() + self.seconds
            while not self._is_all_done() and time.monotonic() < deadline:
                if self._stopping.wait(_STEP) or all(column.has_ended for column in self._servers):
                    break
            self._end = "done" if self._is_all_done() else "stopped" if self._stopping.is_set() else "late"
        finally:
            also_stop(self.stop, False)
            for visitor in self._all():
                visitor.leave()
            self._stop_servers()
            self._freeze()
            self._done.set()

    def _connect_all(self) -> None:
        """Client 1 of each column, then client 2 of each: in each the first is the first."""
        for number in range(1, self.clients + 1):
            for target, visitors in zip(self._targets, self._visitors, strict=True):
                if self._stopping.is_set():
                    return
                visitors.append(_Visitor(number, target, self._script, self.began))

    def _all(self) -> list[_Visitor]:
        return [visitor for visitors in self._visitors for visitor in visitors]

    def _is_all_done(self) -> bool:
        is_left = all(visitor.has_ended for visitor in self._all())
        return is_left and all(column.is_idle for column in self._servers)

    def _stop_servers(self) -> None:
        for column in self._servers:
            column.stop()

    def _freeze(self) -> None:
        """Keep what became of each client; its sockets and threads are gone."""
        self._visits = {name: self.visits(name) for name in self.columns}

    # ── what is known ──

    @property
    def is_over(self) -> bool:
        """Whether it has ended, one way or the other."""
        return self._done.is_set()

    @property
    def state(self) -> str:
        """``"running"``; ``"done"``: all were served; ``"stopped"``; ``"late"``: `seconds` were not enough."""
        return self._end if self.is_over else "running"

    def visits(self, column: str) -> list[Visit]:
        """What became of each client of a column so far, in the order of the clients."""
        if self._visits is not None:
            return self._visits[column]
        index = self.columns.index(column)
        return [visitor.visit(self._servers[index]) for visitor in list(self._visitors[index])]

    @property
    def waited(self) -> Mapping[str, list[float | None]]:
        """For each column how long its clients waited before a handler began, in seconds; None who still waits."""
        return MappingProxyType({name: [visit.waited for visit in self.visits(name)] for name in self.columns})

    @property
    def total(self) -> Mapping[str, float | None]:
        """For each column when its last client was done, in seconds from the begin; None if one is not."""
        return MappingProxyType({name: total(self.visits(name)) for name in self.columns})

    def summary(self, column: str) -> str:
        """One line of a column: how long it took, and who waited longest."""
        return summary(self.visits(column))

    def wait(self, timeout: float | None = None) -> Comparison:
        """Wait for its end.

        Args:
            timeout: In seconds; None waits for as long as it may take, which is `seconds`.

        Raises:
            NotHeard: It has not ended in time.
        """
        if not self._done.wait(timeout):
            raise NotHeard(f"the comparison has not ended within {timeout} s")
        return self

    def stop(self, grace: float = 3.0) -> None:
        """End it now, and wait `grace` seconds at most; it keeps what it has seen. Twice is once."""
        self._stopping.set()
        if threading.current_thread() is not self._thread and self._thread.ident is not None:
            self._done.wait(grace)

    def told(self) -> dict[str, Any]:
        """As a page is told it: see PROTOCOL.md."""
        columns = [
            {"name": name, "total": total(visits), "lanes": [visit.told() for visit in visits]}
            for name, visits in ((name, self.visits(name)) for name in self.columns)
        ]
        facts = {"state": self.state, "began": self.began, "seconds": self.seconds, "clients": self.clients}
        return {**facts, "columns": columns}

    def __str__(self) -> str:
        width = max(len(name) for name in (*self.columns, _HEAD))
        heads = "".join(f"{f'client {n}':>10}" for n in range(1, self.clients + 1))
        lines = [f"{_HEAD:{width}}{heads}"]
        for name in self.columns:
            waits = [*self.waited[name], *[None] * self.clients][: self.clients]
            cells = "".join(f"{'-' if wait is None else format(wait, '.2f'):>10}" for wait in waits)
            lines.append(f"{name:{width}}{cells}")
        return "\n".join([*lines, *(f"{name}: {self.summary(name)}" for name in self.columns)])

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(self.columns)}, {self.clients} clients, {self.state}>"


class _Visitor:
    """One client of one column: a real socket, and a script. It is known by its address to the server."""

    def __init__(self, number: int, target: Target, script: list[Step], began: float) -> None:
        self._number, self._began = number, began
        self._note, self._client = "", None
        begin = time.time()
        try:
            self._client = Client(number, target, script)
            self._client.is_saved = False
            self._client.start()
        except (NbserverError, RuntimeError) as error:  # no descriptor, no thread: its lane says so
            self._note = safe_text(str(error), 200)
        self._connected = begin if self._client is None else self._client.opened

    _client: Client | None

    @property
    def has_ended(self) -> bool:
        return self._client is None or self._client.has_ended

    def leave(self) -> None:
        if self._client is not None:
            self._client.close()

    def visit(self, column: Column) -> Visit:
        client = self._client
        if client is None or client.ends is None:
            return Visit(self._number, self._since(self._connected), note=self._note)
        known = column.served(client.ends.local)
        times = {event.kind.value: event.time for _, event in reversed(client.transcript.read())}
        end = times.get("closed") if client.has_ended else None
        return Visit(
            self._number,
            connected=self._since(self._connected),
            accepted=self._since(known.accepted),
            served=self._since(known.begun),
            handled=self._since(known.ended),
            answered=self._since(times.get("received")),
            ended=self._since(end),
            note=known.note,
        )

    def _since(self, time_: float | None) -> float | None:
        return None if time_ is None else max(0.0, time_ - self._began)


def _check(kinds: list[Any], handler: Any, clients: int, seconds: float) -> None:
    if not 1 <= len(kinds) <= _MOST_COLUMNS:
        raise UsageError(
            f"compare() takes a list of 1 to {_MOST_COLUMNS} servers, such as [TCPServer, ThreadingTCPServer]"
        )
    if type(clients) is not int or not 1 <= clients <= _MOST_CLIENTS:
        raise UsageError(f"a comparison has from 1 to {_MOST_CLIENTS} clients, not {safe_text(repr(clients), 40)}")
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds <= _LONGEST_SECONDS:
        raise UsageError(f"seconds is a number up to {_LONGEST_SECONDS:.0f}, not {safe_text(repr(seconds), 40)}")


def _distinct(names: list[str]) -> list[str]:
    """The names; of several that are the same, each later one with its place."""
    return [name if names.index(name) == i else f"{name} ({i + 1})" for i, name in enumerate(names)]
