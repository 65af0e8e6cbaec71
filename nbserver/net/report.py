"""How a server ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from .connection import Connection


@dataclass(frozen=True, repr=False)
class StopReport:
    """How a server ended.

    Attributes:
        ended: How many connections were ended by the stop.
        stragglers: Those whose handlers had not returned at the deadline; their threads are daemons.
        seconds: How long it took.
    """

    ended: int = 0
    stragglers: tuple[Connection, ...] = field(default=())
    seconds: float = 0.0

    def __str__(self) -> str:
        if not self.stragglers:
            return f"stopped in {self.seconds:.2f} s, {self.ended} connections ended"
        names = ", ".join(f"#{c.number}" for c in self.stragglers)
        return f"stopped in {self.seconds:.2f} s, {self.ended} connections ended; handlers still running: {names}"

    def __repr__(self) -> str:
        return f"<StopReport: {self}>"
