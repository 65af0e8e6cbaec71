"""Several clients together, and the numbers by which people know them."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from ..console import Program
from ..errors import NotHeard
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
        taken = {number for number, client in _clients.items() if not client.has_ended}
        number = next(n for n in range(1, len(taken) + 2) if n not in taken)
        client = make(number)
        _clients[number] = client
        return client


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
