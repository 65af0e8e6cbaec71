"""The lives of a server and of a connection, as tables: what may follow what."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar


class ServerState(str, Enum):
    """A server's life. The value is the word that people read."""

    NEW = "new"
    SERVING = "serving"
    STOPPING = "stopping"
    STOPPED = "stopped"

    __hash__ = str.__hash__


class ConnectionState(str, Enum):
    """A connection's life."""

    ACCEPTED = "accepted"  # no thread serves it yet
    OPEN = "open"
    HALF_CLOSED = "half-closed"  # the peer has closed its side, and can still be sent to
    CLOSED = "closed"
    RESET = "reset"  # the peer vanished without closing
    FAILED = "failed"  # the handler raised

    __hash__ = str.__hash__  # that of `Enum` is a function in Python, and the tables below are looked into all the time


class Activity(str, Enum):
    """What the thread that serves an open connection is doing now. Any may follow any other."""

    RUNNING = "running"
    RECEIVING = "receiving"  # blocked in recv()
    SENDING = "sending"  # blocked in send()


class LoopState(str, Enum):
    """What an accept loop is doing now. Any may follow any other."""

    SELECTING = "selecting"  # waits in select() for the next client
    RUNNING = "running"  # accepts one, or runs a hook
    SERVING = "serving"  # serves a connection itself, since its server starts no thread for it
    FULL = "full"  # accepts nobody: as many connections are open as may be
    PAUSED = "paused"  # accepts nobody for a moment, after a lack of descriptors
    UNSEEN = "unseen"  # the class has a loop of its own
    ENDED = "ended"  # does not run: not yet, or no more


SERVER_TRANSITIONS: Mapping[ServerState, frozenset[ServerState]] = {
    ServerState.NEW: frozenset({ServerState.SERVING, ServerState.STOPPING}),
    ServerState.SERVING: frozenset({ServerState.STOPPING}),
    ServerState.STOPPING: frozenset({ServerState.STOPPED}),
    ServerState.STOPPED: frozenset(),
}

_ENDS = frozenset({ConnectionState.CLOSED, ConnectionState.RESET, ConnectionState.FAILED})
CONNECTION_TRANSITIONS: Mapping[ConnectionState, frozenset[ConnectionState]] = {
    ConnectionState.ACCEPTED: frozenset({ConnectionState.OPEN}) | _ENDS,
    ConnectionState.OPEN: frozenset({ConnectionState.HALF_CLOSED}) | _ENDS,
    ConnectionState.HALF_CLOSED: _ENDS,
    ConnectionState.CLOSED: frozenset(),
    ConnectionState.RESET: frozenset(),
    ConnectionState.FAILED: frozenset(),
}

State = TypeVar("State", ServerState, ConnectionState)


def may_follow(table: Mapping[State, frozenset[State]], old: State, new: State) -> bool:
    """Whether the table lets `new` follow `old`."""
    return new in table[old]


def is_over(state: ConnectionState) -> bool:
    """Whether a connection in this state has ended."""
    return not CONNECTION_TRANSITIONS[state]
