"""By which way a view's answer comes just now, and how fast: each is asked, and the clock is read when it answers."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable

from ..text import safe_text

_MOST_HOSTS = 8  # a page says which program shows it; nobody has that many
_LONGEST_HOST = 60  # characters

Ask = Callable[[str], bool]

_lock = threading.Lock()  # answers come in the control thread, or in a subshell's
_asked: dict[str, Ask] = {}
_under_way: dict[str, Trip] = {}
_hosts: dict[str, None] = {}


class Trip:
    """One question to the pages that show one hub, and the first answer.

    Attributes:
        path: The way that the answer took, ``control``, ``subshell`` or ``comm``; "" as long as there is none.
        seconds: How long question and answer took together.
    """

    def __init__(self) -> None:
        self.path = ""
        self.seconds = 0.0
        self._started = time.perf_counter()
        self._done = threading.Event()

    def _end(self, path: str) -> None:
        self.path, self.seconds = path, time.perf_counter() - self._started
        self._done.set()

    def _wait(self, deadline: float) -> None:
        self._done.wait(max(0.0, deadline - time.monotonic()))


def take_part(key: str, ask: Ask) -> None:
    """From now on the views of the hub `key` are asked, too.

    Args:
        key: The hub's name.
        ask: Has the publisher ask the hub's pages, given the name that their answer must have; returns whether a page
            was ever seen.
    """
    with _lock:
        _asked[key] = ask


def leave(key: str) -> None:
    """The hub `key` is gone."""
    with _lock:
        _asked.pop(key, None)


def measure(patience: float = 1.0) -> list[Trip]:
    """Ask every hub that a page has shown, and wait for their answers, `patience` seconds for all together.

    Thread: any; in the main one the cell that calls this is the one that runs.
    """
    with _lock:
        trips = {secrets.token_hex(16): (ask, Trip()) for ask in _asked.values()}
        _under_way.update({rid: trip for rid, (_, trip) in trips.items()})
    seen = [trip for rid, (ask, trip) in trips.items() if ask(rid)]
    deadline = time.monotonic() + patience
    for trip in seen:
        trip._wait(deadline)
    with _lock:
        for rid in trips:
            _under_way.pop(rid, None)
    return seen


def answered(rid: str, path: str) -> None:
    """A view has answered; too late, or to a name that nobody gave, it means nothing. Thread: any."""
    with _lock:
        trip = _under_way.pop(rid, None)
    if trip is not None:
        trip._end(path)


def note_host(host: object) -> bool:
    """A page says which program shows it; returns whether that can be a name. Thread: any."""
    if not isinstance(host, str) or len(host) > _LONGEST_HOST:
        return False
    if host and len(_hosts) < _MOST_HOSTS:
        _hosts[safe_text(host, _LONGEST_HOST)] = None
    return True


def hosts() -> list[str]:
    """The programs that have shown a board of this kernel, as their pages say; safe to show."""
    return list(_hosts)
