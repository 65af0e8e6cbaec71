"""Who waits for whom: the parties, their waits as plain data, and the circles in them. Found by `who_waits`."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, overload

from ..console import Program
from ..net import Connection, Server, address_text
from ..teach import Line
from .calls import Why

_SETTLED = 0.3  # seconds; who has waited less may be about to go on: what was sent to him is on its way


class Who(NamedTuple):
    """A party of the waiting.

    Attributes:
        kind: ``connection``, ``client``, ``program`` (of ``%%server``), ``loop`` (which accepts), ``thread``, ``you``,
            ``peer`` (a client that is not of this notebook), ``next`` (the next client), ``lock`` or ``other``.
        number: Of a connection or a client; of a thread, as `threading.get_ident` gives it; otherwise 0.
        name: Where a server listens, what a thread is called, the address of a peer; otherwise "".
    """

    kind: str
    number: int = 0
    name: str = ""

    def __str__(self) -> str:
        words = {
            "connection": f"#{self.number}",
            "client": f"client {self.number}",
            "program": "the server's program",
            "loop": "the accept loop",
            "you": "you",
            "next": "the next client",
            "peer": f"its client {self.name}",
        }
        return words.get(self.kind, self.name)


YOU, NEXT = Who("you"), Who("next")


class Carried(NamedTuple):
    """How far what a server has sent to one client has come, in bytes; None is not known.

    Attributes:
        sent: What ``send()`` has taken, in all.
        sending: What is given to a ``sendall()`` that has not returned.
        queued: What waits on the server's side: in the system, and in that ``sendall()``.
        unread: What the client's machine has, and its program has not read.
        read: What the client's program has read, where it runs on this machine.
    """

    sent: int
    sending: int
    queued: int | None
    unread: int | None
    read: int | None


@dataclass(frozen=True, repr=False)
class Wait:
    """One thread, and what it waits for.

    Attributes:
        who: For whom it works.
        server: The address of that server, as text; of a client the one that it has connected to; or "".
        thread: Its name.
        call: The call that it is in, such as ``recv``; "" while it runs Python.
        why: What it waits for.
        whom: For whom; None while it waits for nobody.
        line: The student's line that it is at, or None.
        since: Since when, in seconds since 1970. As exact as it was looked at: at the first look it may be as early as
            the last message.
        carried: Of a connection, how far what was sent has come; None where that is not known.
        is_empty: Whether an empty message was sent last by the one that waits: it sends nothing at all.
        is_only: Whether nothing but `whom` can end it: a client that nbserver has made can always be spoken to.
    """

    who: Who
    server: str
    thread: str
    call: str
    why: Why
    whom: Who | None
    line: Line | None
    since: float
    carried: Carried | None = None
    is_empty: bool = False
    is_only: bool = True

    def __str__(self) -> str:
        doing = f"waits in {self.call}()" if self.call else "runs Python"
        doing = f"serves {self.whom} itself" if self.why is Why.SERVE else doing
        doing = f"is held before {self.call}()" if self.why is Why.HELD else doing
        for_whom = f" for {self.whom}" if self.whom is not None and self.why not in (Why.SERVE, Why.HELD) else ""
        since = f", {max(0.0, time.time() - self.since):.1f} s" if self.call else ""
        empty = "; the message that it sent last was empty: that sends nothing" if self.is_empty else ""
        return f"{self.who} {doing}{for_whom}{since}{empty}" + (f"  [{self.line}]" if self.line else "")

    def __repr__(self) -> str:
        return f"<Wait: {self}>"


class Waits(Sequence[Wait]):
    """Who waits for whom, at one moment; printed, a line for each.

    Attributes:
        cycles: Those who wait for each other, in a circle: nobody of them goes on by himself.
        backlog: Who is connected and not yet accepted, by the server's address.
    """

    def __init__(self, waits: Iterable[Wait], backlog: dict[str, list[Who]]) -> None:
        self._waits = list(waits)
        self.backlog = backlog
        self.cycles = _cycles(self._waits)

    @overload
    def __getitem__(self, index: int) -> Wait: ...

    @overload
    def __getitem__(self, index: slice) -> list[Wait]: ...

    def __getitem__(self, index: int | slice) -> Wait | list[Wait]:
        """The wait at `index`, counted from 0."""
        return self._waits[index]

    def __len__(self) -> int:
        return len(self._waits)

    def of(self, who: Any) -> Wait | None:
        """The wait of a `Connection`, a client or a `Who`; None if no thread works for it now."""
        wanted = who_is(who)
        return next((wait for wait in self._waits if wait.who == wanted), None)

    def __str__(self) -> str:
        lines = [str(wait) for wait in self._waits]
        for place, waiting in self.backlog.items():
            lines += [f"{who} is connected to {place}, and not yet accepted" for who in waiting]
        for cycle in self.cycles:
            lines.append("DEADLOCK: " + "; ".join(f"{w.who} waits in {w.call}() for {w.whom}" for w in cycle))
        return "\n".join(lines) or "nobody waits"

    __repr__ = __str__


def who_is(one: Any) -> Who:
    """How a connection, a client or a server is called here."""
    if isinstance(one, Connection):
        return Who("connection", one.number, _place_of(one))
    if isinstance(one, Program):
        return Who("client", one.number) if one.number else Who("program")
    if isinstance(one, Server):
        return Who("loop", 0, one.address_text)
    return one  # type: ignore[no-any-return]


def _place_of(connection: Connection) -> str:
    server = connection._observation._server()
    return address_text(server.server_address) if server is not None else ""


# ── circles ──


def _cycles(waits: list[Wait]) -> list[list[Wait]]:
    """Those who wait for each other in a circle, each circle once, and nobody of them can be helped from outside."""
    now = time.time()
    main = next((wait.who for wait in waits if wait.who.number == threading.main_thread().ident), None)
    by = {wait.who: wait for wait in waits}
    threads = {wait.who.number: wait.who for wait in waits if wait.who.kind == "thread"}
    found: list[list[Wait]] = []
    done: set[Who] = set()
    for start in by:
        path: list[Who] = []
        at: Who | None = start
        while at is not None and at in by and at not in done and at not in path:
            path.append(at)
            at = by[at].whom
            at = threads.get(at.number, at) if at is not None and at.kind == "thread" else at
        if at in path:
            circle = [by[who] for who in path[path.index(at) :]]
            helpers = [wait for wait in waits if wait.who.kind == "thread" and wait.who != main and wait not in circle]
            if all(_is_stuck(wait, now, helpers) for wait in circle):
                found.append(circle)
        done.update(path)
    return found


def _is_stuck(wait: Wait, now: float, helpers: list[Wait]) -> bool:
    """Whether a thread waits for its circle alone, and has done so for longer than a message takes on its way."""
    if not wait.is_only or (wait.why is not Why.SERVE and now - wait.since < _SETTLED):
        return False
    # Another thread that the student's code in the same cell has started may be a helper, and send in its place.
    where = wait.line.where if wait.line is not None else ""
    return not any(other.line is not None and other.line.where == where for other in helpers)
