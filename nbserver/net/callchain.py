"""The call chain of a connection, from what its threads have noted."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any

from ..teach import callchain

if TYPE_CHECKING:
    from .connection import Connection
    from .observation import Observation

OFFSET = time.time() - time.perf_counter()
"""What the time of day is ahead of the clock of `nbserver.net.steps`, in seconds."""


def chain_of(observation: Observation, connection: Connection | None = None) -> callchain.Chain:
    """The chain of `connection`, or of the accept loop's next client."""
    life = observation.life
    serving = life.then
    slow = observation.slow_motion
    if connection is not None:
        lanes = list(connection.lane.all())
        held = slow.step_of(lanes)
    else:
        lanes, held = slow.of_number(0), slow.held.get(0, "")
    known: list[tuple[str, list[Any]]] = [part for lane in lanes for part in lane.by_thread()] or [
        (serving.thread if serving else "", [])
    ]
    return callchain.chain(
        observation.server_class,
        next((lane.made for lane in lanes if lane.made), _handler_class(observation.handler_class)),
        (life, serving if serving else []),
        known,
        held,
        connection is not None and connection.is_over and not held,
        connection is None or connection.lane.is_noted,
    )


def _handler_class(made: Any) -> type | None:
    if type(made) is functools.partial:
        made = made.func
    return made if isinstance(made, type) else None
