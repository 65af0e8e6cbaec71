"""What is open: sockets and threads, by the cell that made them; and of these, which nobody will close any more.

What a server, a connection or a client holds is known, and so are the sockets that a program has connected. A socket
that an ordinary cell has connected to a server of this notebook is seen in the system's table (Linux); which cell that
was, is not known. Of other sockets nothing is said: most are the kernel's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple, overload

from ..console import Program
from ..fleet import known_clients
from ..net import proc, servers
from ..text import safe_text
from .threads import Worker, workers

_SHOWN = 100  # characters of a name


class Use(str, Enum):
    """Whether anybody will close it."""

    USED = "used"
    ORPHAN = "orphan"  # its program has ended
    LOOSE = "loose"  # no program that nbserver runs has made it: an ordinary cell did


class Open(NamedTuple):
    """Something that is open.

    Attributes:
        cell: The cell that made it, such as ``cell [3]``; "" where that is not known.
        what: Whose it is: ``127.0.0.1:8008``, ``client 1``, or a thread's name.
        kind: ``server``, ``client``, ``sockets`` (connected to the server `what`) or ``thread``.
        sockets: How many sockets.
        threads: How many threads.
        use: See `Use`.
    """

    cell: str
    what: str
    kind: str
    sockets: int
    threads: int
    use: Use

    def __str__(self) -> str:
        words = {"sockets": f"sockets connected to {self.what}", "thread": f"thread {self.what}", "client": self.what}
        state = {
            Use.USED: "in use",
            Use.ORPHAN: "left open: its program has ended",
            Use.LOOSE: "open in a variable of the notebook, until close()",
        }[self.use]
        counts = f"sockets: {self.sockets}, threads: {self.threads}"
        return f"{self.cell or 'some cell':<10} {words.get(self.kind, self.what)}: {counts}; {state}"


class LeftOpen(Sequence[Open]):
    """What is open, by cell; printed, a line for each."""

    def __init__(self, found: list[Open]) -> None:
        self._found = found

    @property
    def orphans(self) -> list[Open]:
        """What nobody will close any more."""
        return [one for one in self._found if one.use is not Use.USED]

    @overload
    def __getitem__(self, index: int) -> Open: ...

    @overload
    def __getitem__(self, index: slice) -> list[Open]: ...

    def __getitem__(self, index: int | slice) -> Open | list[Open]:
        """The one at `index`, counted from 0."""
        return self._found[index]

    def __len__(self) -> int:
        return len(self._found)

    def __str__(self) -> str:
        return "\n".join(map(str, self._found)) or "nothing is open"

    __repr__ = __str__


def left_open() -> LeftOpen:
    """The sockets and threads of this notebook that are open, by cell: ``print(nbserver.left_open())``.

    Thread: any. Costs some milliseconds where thousands of sockets are open.
    """
    at_work = list(workers())
    found = [*_of_servers(at_work), *_of_programs(at_work), *_of_nobody(), *_of_threads(at_work)]
    return LeftOpen(sorted(found, key=lambda one: (one.use is Use.USED, one.cell, one.what)))


def _of_servers(at_work: list[Worker]) -> Iterator[Open]:
    """Each server: its listener, and the sockets and threads of its connections."""
    for server in servers():
        place, seen = server.address_text, server.observation
        sockets = 1 + sum(connection.socket is not None for connection in seen.live)
        threads = {w.thread for w in at_work if w.loop is server or (w.serves and w.serves._observation is seen)}
        yield Open(server.cell, place, "server", sockets, len(threads), Use.USED)


def _of_programs(at_work: list[Worker]) -> Iterator[Open]:
    """Each client: the sockets that its program has connected, and not closed."""
    for program in known_clients():
        held = program.open_sockets
        mine = [sock for sock, run in held if run == program.runs]
        if not program.has_ended:
            threads = sum(worker.program is program for worker in at_work)
            yield Open(program.cell, f"client {program.number}", "client", len(mine), threads, Use.USED)
        orphans = len(held) if program.has_ended else len(held) - len(mine)
        if orphans:
            yield Open(program.cell, f"client {program.number}", "client", orphans, 0, Use.ORPHAN)


def _of_nobody() -> Iterator[Open]:
    """Sockets of this process that are connected to a server of ours, and that no client has made."""
    known = {sock.fileno() for program in known_clients() for sock, _ in program.open_sockets}
    for server in servers():
        if isinstance(server.address, tuple) and not server.is_datagram:
            loose = sum(fd not in known for fd in proc.connected_here(server.address[1]))
            if loose:
                yield Open("", server.address_text, "sockets", loose, 0, Use.LOOSE)


def _of_threads(at_work: list[Worker]) -> Iterator[Open]:
    """Threads that the student's code has started: by the cell in which that code stands."""
    ended, living = _cells_of_programs()
    found = Counter(
        (worker.line.where, safe_text(worker.name, _SHOWN))
        for worker in at_work
        if worker.line and not (worker.serves or worker.loop or worker.program) and worker.name != "MainThread"
    )
    for (cell, name), count in found.items():
        yield Open(cell, name, "thread", 0, count, Use.ORPHAN if cell in ended - living else Use.USED)


def _cells_of_programs() -> tuple[set[str], set[str]]:
    """The cells whose programs have ended, and those of which one lives."""
    programs: list[Program] = known_clients()
    programs += [server.program for server in servers() if server.program is not None]
    ended = {program.cell for program in programs if program.has_ended}
    return ended, {program.cell for program in programs if not program.has_ended}
