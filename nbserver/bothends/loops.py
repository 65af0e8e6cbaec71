"""The two loops of a server: the connection loop, and the communication loop of one connection; plain data.

How often each has turned is counted by the server anyway; where each is now is read off its thread's frames.
"""

from __future__ import annotations

from typing import Any

from ..net import Connection, Server
from ..states import LoopState
from .calls import Why
from .waits import Wait, Waits
from .whowaits import who_waits

Data = dict[str, Any]

# Where in its loop a connection's thread is, by what it waits for: all else is the work between recv() and send().
_STEPS = {Why.RECEIVE: "recv", Why.SEND: "send"}


def two_loops(server: Server, number: int) -> Data:
    """Both loops, the second of connection `number`. Thread: any.

    Returns:
        ``outer``: the connection loop: ``step`` (``select``, ``accept``, ``handle`` or ``ended``), ``state``, ``turns``
        (how many it has accepted), ``line``, ``since``, ``serving`` (whom it serves itself, or 0), ``backlog``.
        ``inner``: the communication loop: ``id``, ``step`` (``recv``, ``think``, ``send`` or ``over``), ``state``,
        ``turns`` (messages received), ``out``, ``call``, ``line``, ``since``; null without a connection.
        ``shape``: ``one`` (one thread does both), ``two`` (a thread for each connection), or ``datagram``.
    """
    connection = server.observation.connections.get(number)
    waits = who_waits(server, lambda port: {}, lambda one: one.loop is server or one.serves is connection is not None)
    return {
        "shape": _shape(server),
        "outer": _outer(server, waits),
        "inner": _inner(connection, waits) if connection is not None else None,
    }


def _shape(server: Server) -> str:
    if server.is_datagram:
        return "datagram"
    return "two" if hasattr(server.base, "process_request_thread") else "one"


def _outer(server: Server, waits: Waits) -> Data:
    state, serving = server.loop, server.serving
    wait = waits.of(server)
    steps = {LoopState.SELECTING: "select", LoopState.SERVING: "handle", LoopState.ENDED: "ended"}
    return {
        "state": "held" if wait is not None and wait.why is Why.HELD else state.value,
        "step": steps.get(state, "select" if wait is None or wait.why is Why.CLIENT else "accept"),
        "serving": serving.number if state is LoopState.SERVING and serving is not None else 0,
        "turns": _turns(server),
        "backlog": len(waits.backlog.get(server.address_text, [])),
        **_place(wait),
    }


def _turns(server: Server) -> int:
    """How often the connection loop has turned: once for each client accepted, or for each datagram."""
    if not server.is_datagram:
        return server.accepted
    return server.observation.forgotten[1] + sum(c.messages_in for c in server.connections.values())


def _inner(connection: Connection, waits: Waits) -> Data:
    wait = waits.of(connection)
    is_over = connection.is_over
    return {
        "id": connection.number,
        "state": connection.status,
        "step": "over" if is_over else _STEPS.get(wait.why, "think") if wait is not None else "idle",
        "turns": connection.messages_in,
        "out": connection.messages_out,
        "call": wait.call if wait is not None and not is_over else "",
        "why": wait.why.value if wait is not None and not is_over else "",
        **_place(wait if not is_over else None),
    }


def _place(wait: Wait | None) -> Data:
    """The student's line, and since when."""
    if wait is None:
        return {"line": None, "since": 0, "thread": ""}
    return {
        "line": list(wait.line.parts) if wait.line is not None else None,
        "since": round(wait.since, 2),
        "thread": wait.thread,
    }
