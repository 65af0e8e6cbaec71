"""What a view can look at besides the board's own facts: each look is a function from a server to plain data.

A page asks for a look with the wish ``look``, again every few seconds while somebody sees it. Meanwhile the
feed calls the function in its ticks, and tells what it gives whenever that has changed. The contract is in PROTOCOL.md.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

from .. import bothends
from ..bothends import Comparison
from ..net import OFFSET, Server, chain_of, inspector
from ..teach import ClassMap, callchain, explain, told

Look = Callable[[Any, int], Any]
"""Given what the hub is about (a `Server`, mostly) and the number of a connection, or 0; gives what JSON can hold, or
None when there is nothing to see. Called in the publisher's thread, with the hub's lock held: it must not block."""

_LEASE_SECONDS = 12.0  # a page asks again every 5
_SHARE = 0.1  # of the publisher's time, for one look
_MOST_HELD = 50  # connections that a call chain names as held
_MOST_NAMES = 100  # that a page offers to watch
_MOST = 32  # looks of one hub at once


def _chain(server: Any, number: int) -> Any:
    connection = server.connections.get(number)
    if connection is None and number:
        return None
    held = server.held
    return {
        **callchain.as_data(chain_of(server.observation, connection), OFFSET),
        "slow": [server.is_slow, bool(connection) and connection.is_slow],
        "held": sorted(held.items())[:_MOST_HELD],
        "queue": server.backlog if 0 in held else None,
    }


def _written(server: Any, number: int) -> Any:
    """Where each method of the chain is written, and how: by ``server.handle`` or ``handler.handle``."""
    connection = server.connections.get(number)
    chain = chain_of(server.observation, connection)
    found = {}
    for whose, cls, name in callchain.methods(chain):
        place = callchain.place_of_method(cls, name)
        if place is not None and place.source:
            found[f"{whose}.{name}"] = [place.where, place.number, place.source]
    return found


def _loops(server: Any, number: int) -> Any:
    return bothends.two_loops(server, number) if isinstance(server, Server) else None


def _waits(server: Any, number: int) -> Any:
    return bothends.picture_of(server, number) if isinstance(server, Server) else None


def _ruler(server: Any, number: int) -> Any:
    """What each end of a connection sent and received, read in the encoding of the board."""
    connection = server.observation.connections.get(number) if isinstance(server, Server) else None
    if connection is None:
        return None
    encoding = server.panel.mirror.encoding if server.panel is not None else "utf-8"
    return told(connection.ruler(encoding, patience=0.0), connection.lens.function is not None)


def _inspector(server: Any, number: int) -> Any:
    return inspector.look(server, number) if isinstance(server, Server) else None


def _map_of(about: Any) -> ClassMap | None:
    return about if isinstance(about, ClassMap) else explain(about.base) if isinstance(about, Server) else None


def _classes(about: Any, number: int) -> Any:
    found = _map_of(about)
    return found.to_json() if found is not None else None


def _source(about: Any, number: int) -> Any:
    """The text of one definition on the class map; `number` is the one that the map gives it."""
    found = _map_of(about)
    one = next(itertools.islice(found.definitions(), number - 1, None), None) if found and number else None
    return [one.name, *one.place.told, one.place.source] if one and one.place else None


def _faults(server: Any, number: int) -> Any:
    return server.faults.seen() if isinstance(server, Server) else None


def _shared(server: Any, number: int) -> Any:
    if not isinstance(server, Server):
        return None
    watch = server.shared
    facts = {"names": server.shared_names[:_MOST_NAMES], "name": "", "on": False, "note": ""}
    return (
        facts if watch is None else {**facts, "name": watch.name, "on": watch.is_on, "note": watch.note, **watch.told()}
    )


def _compare(comparison: Any, number: int) -> Any:
    return comparison.told() if isinstance(comparison, Comparison) else None


LOOKS: dict[str, Look] = {
    "chain": _chain,
    "loops": _loops,
    "waits": _waits,
    "ruler": _ruler,
    "inspector": _inspector,
    "classes": _classes,
    "source": _source,
    "faults": _faults,
    "shared": _shared,
    "compare": _compare,
    "written": _written,
}


class Looks:
    """The looks that the pages of one hub have asked for. Thread: the publisher's, with the hub's lock held."""

    def __init__(self, about: Any) -> None:
        self.about = about
        self._until: dict[tuple[str, int], float] = {}  # when nobody looks any more, on the monotonic clock
        self._after: dict[tuple[str, int], float] = {}  # not to be made again before
        self._told: dict[tuple[str, int], Any] = {}

    def ask(self, at: str, number: int, is_again: bool) -> None:
        """A page looks; `is_again` says that it has what was told last."""
        key = (at, number)
        self._until[key] = time.monotonic() + _LEASE_SECONDS
        if not is_again:
            self._told.pop(key, None)
            self._after.pop(key, None)
        while len(self._until) > _MOST:
            self._forget(min(self._until, key=self._until.__getitem__))

    def _forget(self, key: tuple[str, int]) -> None:
        for table in (self._until, self._after, self._told):
            table.pop(key, None)  # type: ignore[attr-defined]

    def fresh(self) -> Iterator[list[Any]]:
        """Those that give something else than was told last: which, of which connection, and what."""
        for key, until in list(self._until.items()):
            now = time.monotonic()
            if now > until:
                self._forget(key)
            elif now >= self._after.get(key, 0.0):
                seen = LOOKS[key[0]](self.about, key[1])
                done = time.monotonic()
                self._after[key] = done + (done - now) / _SHARE
                if key not in self._told or self._told[key] != seen:
                    self._told[key] = seen
                    yield [*key, seen]
