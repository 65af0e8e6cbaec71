"""The servers that live in this process."""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

from .watch import peer_watch

if TYPE_CHECKING:
    from .report import StopReport
    from .server import Server

_lock = threading.Lock()  # servers begin and end in any thread
_servers: list[Server] = []
_others: list[Callable[[float], object]] = []  # what ends that is no server itself, but runs some
_made: weakref.WeakSet[Server] = weakref.WeakSet()  # those that do not serve yet, or any more, as well


def servers() -> list[Server]:
    """The servers that serve now, in the order in which they began. Thread: any."""
    with _lock:
        return list(_servers)


def stop_all(grace: float = 2.0) -> list[StopReport]:
    """Stop every server, and what else runs servers; `grace` is for each, in seconds. Thread: any."""
    for stop in list(_others):
        stop(grace)
    return [server.stop(grace) for server in servers()]


def also_stop(stop: Callable[[float], object], is_running: bool = True) -> None:
    """Let `stop_all` call `stop(grace)` before it stops servers, until `is_running` is False. Thread: any."""
    if is_running:
        _others.append(stop)
    elif stop in _others:
        _others.remove(stop)


def made(server: Server) -> None:
    """A server was made; it is bound."""
    _made.add(server)


def add(server: Server) -> None:
    """A server begins."""
    with _lock:
        _servers.append(server)


def remove(server: Server) -> None:
    """A server has ended; one that never began is not there, which is all right."""
    with _lock:
        if server in _servers:
            _servers.remove(server)


def at_port(port: int) -> Server | None:
    """The server of this process that listens on `port`."""
    return next((s for s in servers() if isinstance(s.address, tuple) and s.address[1] == port), None)


def stop_all_at_exit() -> None:
    """Stop every server that serves, in a fraction of a second. Thread: the main one; twice is once."""
    # All together have so long: a kernel that ends must not wait for each.
    deadline = time.monotonic() + 0.2
    for server in servers():
        server.stop(max(0.0, deadline - time.monotonic()))


# At exit daemon threads are frozen wherever they are; ended first, they close their sockets in order.
atexit.register(stop_all_at_exit)


def _after_fork() -> None:
    """In a forked child: no server serves, and the parent's clients notice nothing.

    The child has copies of all sockets and none of the threads. As long as it kept them, clients would not see that
    the parent hangs up, nor could the parent's port be bound again.
    """
    global _lock
    _lock = threading.Lock()
    _servers.clear()
    for server in list(_made):
        server._after_fork()
    peer_watch.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
