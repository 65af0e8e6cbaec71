"""What became of a client, as a lane of a comparison: in the backlog, accepted, being served, done. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SEEN_SECONDS = 0.1  # a shorter wait is none that a person would call so: a busy machine starts its threads later


@dataclass(frozen=True)
class Visit:
    """When what happened to one client of one server, in seconds since the comparison began; None if it has not.

    Attributes:
        client: Its number, from 1: the same in each column.
        connected: The operating system has connected it.
        accepted: The server has.
        served: Its handler began.
        handled: Its handler ended.
        answered: It heard something first.
        ended: It has hung up, or was hung up on.
        note: What went wrong, or "".
    """

    client: int
    connected: float | None = None
    accepted: float | None = None
    served: float | None = None
    handled: float | None = None
    answered: float | None = None
    ended: float | None = None
    note: str = ""

    @property
    def waited(self) -> float | None:
        """How long it was connected before its handler began; None if that has not begun."""
        return None if self.served is None or self.connected is None else max(0.0, self.served - self.connected)

    @property
    def where(self) -> str:
        """Where it waited longest: ``"backlog"``, or ``"accepted"``: nobody was free to serve it."""
        if self.connected is None or self.accepted is None:
            return "backlog"
        served = self.accepted if self.served is None else self.served
        return "accepted" if served - self.accepted > self.accepted - self.connected else "backlog"

    def states(self) -> list[tuple[float, str]]:
        """From when on it was what: ``backlog``, ``accepted``, ``serving``, ``done`` or ``failed``."""
        # Its handler may begin before connect() has returned here, since another thread runs it.
        first = min((t for t in (self.connected, self.accepted, self.served) if t is not None), default=None)
        if first is None:
            return []
        end = self.ended if self.served is None else self.handled
        steps = [(first, "backlog"), (self.accepted, "accepted"), (self.served, "serving")]
        found = [(time, state) for time, state in steps if time is not None]
        if end is not None:
            found.append((end, "failed" if self.note else "done"))
        # Two at the same time are one: the later one.
        return [step for i, step in enumerate(found) if i + 1 == len(found) or found[i + 1][0] - step[0] > 0.0005]

    def told(self) -> dict[str, Any]:
        """As a page is told it."""
        states = [[round(time, 4), state] for time, state in self.states()]
        answered = None if self.answered is None else round(self.answered, 4)
        waited = None if self.waited is None else round(self.waited, 4)
        facts = {"client": self.client, "states": states, "answered": answered, "waited": waited}
        return {**facts, "where": self.where, "note": self.note}


def total(visits: list[Visit]) -> float | None:
    """When the last client was done; None while one is not."""
    ends = [visit.ended for visit in visits]
    return None if None in ends else max((end for end in ends if end is not None), default=None)


def summary(visits: list[Visit]) -> str:
    """One line: ``total 3.0 s; client 3 waited 2.0 s in the backlog``."""
    end = total(visits)
    begin = "not done" if end is None else f"total {end:.1f} s"
    longest = max(visits, key=lambda visit: visit.waited or 0.0, default=None)
    if longest is None or (longest.waited or 0.0) < SEEN_SECONDS:
        return f"{begin}; nobody waited"
    place = "in the backlog" if longest.where == "backlog" else "accepted, for a free thread"
    return f"{begin}; client {longest.client} waited {longest.waited:.1f} s {place}"
