"""Notices that a peer has left while its handler waits for a person, and so reads nothing from the socket.

One thread for the process, alive while somebody is watched. On Linux it sleeps in ``epoll`` until a peer hangs up;
elsewhere it looks four times a second.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from typing import Protocol

_LOOK_AGAIN = 0.25  # seconds; how often a half-closed peer, or on other systems any peer, is looked at
_IDLE = 0.25  # seconds without anybody to watch after which the thread ends


class Watched(Protocol):
    """What is watched: has a socket, and wants to know."""

    @property
    def socket(self) -> socket.socket | None:
        """Its socket; None when it has ended."""

    def peer_hung_up(self) -> bool:
        """The peer has closed its side or vanished; returns whether it may still be watched (it can be sent to)."""


class PeerWatch:
    """The connections whose handlers wait for a person. Thread: any may `add` and `remove`."""

    def __init__(self) -> None:
        # Guards the table and the thread's life: a thread that is about to end must not be given a new connection.
        self._changed = threading.Condition()
        self._watched: dict[int, Watched] = {}  # by file descriptor
        self._hung_up: set[int] = set()  # those of them whose peer has closed its side
        self._epoll: select.epoll | None = None
        self._thread: threading.Thread | None = None

    def add(self, watched: Watched) -> None:
        """Watch a connection until it is removed."""
        sock = watched.socket
        fd = sock.fileno() if sock else -1
        if fd < 0:
            return
        with self._changed:
            self._watched[fd] = watched
            if self._thread is None:
                self._start()
            elif self._epoll:
                self._register(fd)
            self._changed.notify()

    def remove(self, watched: Watched) -> None:
        """Watch it no more; to be called before its socket is closed."""
        with self._changed:
            for fd in [fd for fd, other in self._watched.items() if other is watched]:
                del self._watched[fd]
                self._hung_up.discard(fd)
                if self._epoll:
                    with contextlib.suppress(OSError):  # closed already: epoll has forgotten it
                        self._epoll.unregister(fd)

    def _start(self) -> None:
        """Start the thread. With no descriptor or thread to be had, input() waits unwatched until the next is added."""
        with contextlib.suppress(OSError):
            self._epoll = select.epoll() if hasattr(select, "epoll") else None
            for fd in self._watched:
                self._register(fd)
            # A daemon: it serves threads that are daemons themselves.
            thread = threading.Thread(target=self._run, name="nbserver-watch", daemon=True)
            try:
                thread.start()
                self._thread = thread
            except RuntimeError:
                self._close_epoll()

    def _register(self, fd: int) -> None:
        if self._epoll:
            # EPOLLONESHOT: once it has hung up the state does not change back, and level-triggered it would spin.
            with contextlib.suppress(OSError):  # there already; or closed this moment, which ends the input() anyway
                self._epoll.register(fd, select.EPOLLRDHUP | select.EPOLLONESHOT)

    def _close_epoll(self) -> None:
        if self._epoll:
            self._epoll.close()
        self._epoll = None

    def after_fork(self) -> None:
        """In a forked child: nobody is watched. The epoll is the parent's, too: it is closed, and nothing else."""
        self._changed = threading.Condition()
        self._watched, self._hung_up, self._thread = {}, set(), None
        self._close_epoll()

    def _run(self) -> None:
        while self._still_needed():
            for fd in self._wait():
                with self._changed:
                    watched = self._watched.get(fd)
                stays = watched is not None and watched.peer_hung_up()
                with self._changed:
                    # Looked at without the lock, so it may have gone meanwhile, and another may have its descriptor.
                    if stays and self._watched.get(fd) is watched:
                        self._hung_up.add(fd)
                    else:
                        self._hung_up.discard(fd)

    def _still_needed(self) -> bool:
        """Whether anybody is watched; waits a while for somebody, and otherwise ends the thread."""
        with self._changed:
            if self._changed.wait_for(lambda: self._watched, _IDLE):
                return True
            self._close_epoll()
            self._thread = None
            return False

    def _wait(self) -> list[int]:
        """The descriptors of connections that are to be looked at."""
        if self._epoll:
            # Bounded, so that the thread sees soon after the last removal that it is not needed any more.
            found = self._epoll.poll(_LOOK_AGAIN)
            return [fd for fd, _ in found] + list(self._hung_up)
        time.sleep(_LOOK_AGAIN)
        with self._changed:
            return [fd for fd, watched in self._watched.items() if _has_hung_up(watched.socket)]


def _has_hung_up(sock: socket.socket | None) -> bool:
    """Whether the next ``recv`` would give the end; where a message waits before it, that is not known yet."""
    try:
        if sock is None or not select.select([sock], [], [], 0)[0]:
            return sock is None
        # Past the observed recv(), which would tell this as the handler's.
        return socket.socket.recv(sock, 1, socket.MSG_PEEK | getattr(socket, "MSG_DONTWAIT", 0)) == b""
    except (BlockingIOError, TimeoutError):
        return False
    except (OSError, ValueError):
        return True


peer_watch = PeerWatch()
"""The one of this process."""
