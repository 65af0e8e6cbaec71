"""Several clients together, and the numbers by which people know them."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from ..console import Program
from ..errors import NbserverError, NotHeard, UsageError
from ..export import Snapshot, count_of

_lock = threading.Lock()  # clients are made by cells and by boards
_clients: dict[int, Program] = {}


Made = TypeVar("Made", bound=Program)


def enlist(make: Callable[[int], Made]) -> Made:
    """Make a client with the lowest number that no living client has.

    Args:
        make: Makes it, given its number; what it raises is raised here, and the number stays free.
    """
    with _lock:
        client = make(_free_number())
        client.make_another = make
        client.before_again = lambda: _enlist_again(client)
        _clients[client.number] = client
        return client


def _free_number() -> int:
    """The lowest number that no living client has. Called with the lock held."""
    taken = {number for number, client in _clients.items() if not client.has_ended}
    return next(n for n in range(1, len(taken) + 2) if n not in taken)


def _enlist_again(client: Program) -> None:
    """It runs again, with its old number, or a new one if another has been given that meanwhile."""
    with _lock:
        holder = _clients.get(client.number)
        if holder is not client and holder is not None and not holder.has_ended:
            kind = client.name.removeprefix(f"client {client.number}")
            client.number = _free_number()
            client.name = f"client {client.number}{kind}"
        _clients[client.number] = client


def known_clients() -> list[Program]:
    """The last client of each number, whether it has ended or not."""
    with _lock:
        return list(_clients.values())


def live_clients() -> list[Program]:
    """The clients that have not ended, by number."""
    with _lock:
        return [_clients[n] for n in sorted(_clients) if not _clients[n].has_ended]


class Fleet(Sequence[Program]):
    """Several clients, in the order in which they were made. Thread: any.

    Attributes:
        is_saved: Whether a notebook that shows them keeps their conversations as text.
        on_snapshot: Given each snapshot that is taken, if somebody keeps them.
    """

    def __init__(self, clients: Sequence[Program] = ()) -> None:
        self.is_saved = True
        self.on_snapshot: Callable[[Snapshot], None] | None = None
        self._clients = list(clients)

    def add(self, client: Program) -> None:
        """One more."""
        self._clients.append(client)

    def add_client(self) -> Program:
        """One more of the same kind as the last: the same target and script, or the same program; it is started.

        Raises:
            UsageError: Nobody knows how to make one.
            NotListening: Nothing listens there any more.
        """
        make = self._clients[-1].make_another if self._clients else None
        if make is None:
            raise UsageError("there is no client here to make another one like: make one with nbserver.client()")
        client = enlist(make)
        client.is_saved, client.cell = self.is_saved, self._clients[-1].cell
        client.start()
        self.add(client)
        return client

    def run_again(self) -> None:
        """Run each of them again (see `Program.run_again`); if some cannot, the others do.

        Raises:
            NbserverError: The first reason why one could not be run.
        """
        reasons: list[NbserverError] = []
        for client in self:
            try:
                client.run_again()
            except NbserverError as error:
                reasons.append(error)
        if reasons:
            raise reasons[0]

    def __getitem__(self, index: int) -> Program:  # type: ignore[override]
        """The client at `index`, counted from 0 as in any sequence."""
        return self._clients[index]

    def __len__(self) -> int:
        return len(self._clients)

    def __iter__(self) -> Iterator[Program]:
        return iter(list(self._clients))

    def close(self, timeout: float = 1.0) -> None:
        """Close them all, and wait for their threads, `timeout` seconds at most: a program that computes may go on."""
        for client in self:
            client.close()
        deadline = time.monotonic() + timeout
        for client in self:
            with contextlib.suppress(NotHeard):
                client.wait_ended(max(0.0, deadline - time.monotonic()))

    @property
    def has_ended(self) -> bool:
        """Whether all of them have ended."""
        return all(client.has_ended for client in self)

    def snapshot(self) -> Snapshot:
        """What they said and heard, as text; where the notebook shows them, their text there is refreshed."""
        consoles = [(client.title, client.transcript) for client in self]
        made = Snapshot.of(f"Conversation of {count_of(len(consoles), 'client')}", consoles)
        if self.on_snapshot is not None:
            self.on_snapshot(made)
        return made

    def __repr__(self) -> str:
        return f"<Fleet of {len(self)}: {', '.join(repr(client) for client in self)}>"
