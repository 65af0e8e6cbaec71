"""What a client has sent, and its handler is not given yet, because a fault holds it.

It stays where it is, with the operating system: ``recv`` waits before it reads, and reads less. So no byte can be lost
or overtaken, a client that sends too much is slowed as by any receiver, and whoever asks ``select`` is told the truth.
What has come while the handler did something else is late from when it looks: nobody else sees when it came.
"""

from __future__ import annotations

import _socket
import contextlib
import errno
import math
import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from .kinds import Fault, lateness, of, rate

_DONT_WAIT = getattr(socket, "MSG_DONTWAIT", 0)
_PEEK = int(socket.MSG_PEEK)
_WHOLE = getattr(socket, "MSG_WAITALL", 0)
_PLAIN = _PEEK | int(_DONT_WAIT) | int(_WHOLE)
_MOST = 65_536
_STEP = 0.005  # seconds, between two looks whether more has come for a merge

Recv = Callable[..., bytes]


class _Arrival:
    """What has come in one go.

    Attributes:
        size: In bytes; 0 is the end.
        used: How much of it the handler has been given.
        due: When it may be given the next part, on the monotonic clock.
    """

    __slots__ = ("due", "size", "used")

    def __init__(self, size: int) -> None:
        self.size, self.used, self.due = size, 0, 0.0


class Incoming:
    """In front of the ``recv`` of one connection. Thread: the handler's; any may change the faults."""

    def __init__(self, recv: Recv) -> None:
        self.faults: tuple[Fault, ...] = ()
        self._recv = recv
        self._changed = threading.Condition()
        self._is_cut = False
        self._rest = b""  # what a recv() had read that had begun before the fault
        self._given: bytes | None = None  # what a fault has let through last
        self._arrival: _Arrival | None = None

    @property
    def is_idle(self) -> bool:
        """Whether ``recv`` may go straight to the socket."""
        return not self.faults and not self._rest

    def change(self, faults: tuple[Fault, ...]) -> None:
        """Other faults hold from now on."""
        with self._changed:
            is_less = any(fault not in faults for fault in self.faults)
            self.faults = faults
            if not faults:
                self._arrival = None
            elif is_less and self._arrival is not None:
                self._arrival.due = time.monotonic() + lateness(faults)
            self._changed.notify_all()

    def cut(self) -> None:
        """The connection is ended from outside: nobody is held any more."""
        with self._changed:
            self._is_cut = True
            self._changed.notify_all()

    def late(self, sock: socket.socket, data: bytes, bufsize: int) -> bytes:
        """Let a fault act on what a ``recv`` gave that had begun before the fault was set."""
        if data is self._given or self.is_idle or self._is_cut:
            return data
        self._rest += data
        return self.receive(sock, bufsize, 0)

    def receive(self, sock: socket.socket, bufsize: int, flags: int) -> bytes:
        """As ``recv``. Raises what it raises."""
        timeout = 0.0 if flags & _DONT_WAIT else sock.gettimeout()
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            if self._is_cut or not bufsize or flags & ~_PLAIN or self.is_idle:
                self._given = None  # what is set while it waits acts on what it gives
                return self._recv(sock, bufsize, flags)
            if self._rest and not self.faults:
                return self._take(sock, bufsize, flags)
            if self._arrival is None and not self._look(sock, deadline, timeout):
                continue
            if self._may_pass(deadline, timeout):
                return self._take(sock, self._portion(bufsize, flags), flags)

    def _look(self, sock: socket.socket, deadline: float, timeout: float | None) -> bool:
        """Wait until something has come; False if it must be looked again."""
        if not self._rest and not _is_readable(sock, deadline - time.monotonic()):
            _too_late(timeout)
        if not self.faults or self._is_cut:
            return False
        size: int | None = self._size(sock)
        merge = of(self.faults, "merge")
        if merge is not None and size:
            size = self._merged(sock, size, merge, deadline)
        if size is None:
            return False
        self._arrival = self._arrived(size)
        return True

    def _size(self, sock: socket.socket) -> int:
        """How much has come, in bytes; 0 is the end, or an error, which ``recv`` will tell."""
        try:
            return len(self._rest) + len(_socket.socket.recv(sock, _MOST, _PEEK | _DONT_WAIT))
        except OSError:
            return len(self._rest)

    def _merged(self, sock: socket.socket, size: int, merge: Fault, deadline: float) -> int | None:
        until = min(deadline, time.monotonic() + merge.values["seconds"])
        with self._changed:
            while size < merge.values["size"] and time.monotonic() < until:
                self._changed.wait(_STEP)
                if self._is_cut or merge not in self.faults:
                    break
                grown = self._size(sock)
                if grown < size:
                    return None  # broken off
                size = grown
        return size

    def _arrived(self, size: int) -> _Arrival:
        arrival = _Arrival(size)
        for fault in self.faults:
            fault.counts(fault.name != "split" or size > fault.values["at"])
        arrival.due = time.monotonic() + lateness(self.faults)
        self._carry(arrival)
        return arrival

    def _carry(self, arrival: _Arrival) -> None:
        """At a rate: the next part is there when the line has carried it."""
        bytes_per_second = rate(self.faults)
        if bytes_per_second:
            part = min(arrival.size - arrival.used, max(1, int(bytes_per_second / 10)))
            arrival.due = max(arrival.due, time.monotonic()) + part / bytes_per_second

    def _may_pass(self, deadline: float, timeout: float | None) -> bool:
        """Whether what has come is due; waits until it may be, or the faults change, and then it is looked again."""
        with self._changed:
            arrival, now = self._arrival, time.monotonic()
            due = math.inf if of(self.faults, "black_hole") is not None else arrival.due if arrival else 0.0
            if due <= now:
                return True
            if now >= deadline:
                _too_late(timeout)
            wait = min(due, deadline) - now
            self._changed.wait(None if wait == math.inf else wait)
        return False

    def _portion(self, bufsize: int, flags: int) -> int:
        """How much of it is given now, in bytes."""
        arrival = self._arrival
        if arrival is None or not arrival.size or flags & _WHOLE:
            return bufsize
        left = arrival.size - arrival.used
        bytes_per_second, split = rate(self.faults), of(self.faults, "split")
        if bytes_per_second is not None:
            left = min(left, max(1, int(bytes_per_second / 10)))
        if split is not None and arrival.used < split.values["at"]:
            left = min(left, int(split.values["at"]) - arrival.used)
        return min(bufsize, max(1, left))

    def _take(self, sock: socket.socket, size: int, flags: int) -> bytes:
        data, arrival = self._rest[:size], self._arrival
        if not flags & _PEEK:
            self._rest = self._rest[size:]
        if not data:
            data = self._recv(sock, size, flags)
        elif arrival is not None and len(data) < min(size, arrival.size - arrival.used):
            with contextlib.suppress(OSError):  # told by the next recv()
                data += self._recv(sock, size - len(data), flags | _DONT_WAIT)
        if arrival is not None and not flags & _PEEK:
            arrival.used += len(data)
            self._carry(arrival)
            if arrival.used >= arrival.size:
                self._arrival = None
        self._given = data
        return data


def _too_late(timeout: float | None) -> None:
    raise BlockingIOError(errno.EAGAIN, "a fault holds it") if not timeout else TimeoutError("timed out")


def _is_readable(sock: socket.socket, seconds: float) -> bool:
    """Whether something has come, waited for at most so long; errors count, which ``recv`` will tell."""
    wait: Any = None if seconds == math.inf else max(0.0, seconds)
    try:
        if not hasattr(select, "poll"):
            return bool(select.select([sock], [], [], wait)[0])
        poll = select.poll()  # not select(): descriptors may be above 1 024
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(None if wait is None else math.ceil(wait * 1000)))
    except ValueError:
        return True  # closed meanwhile
