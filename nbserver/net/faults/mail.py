"""The faults of a datagram server at work: its one socket, and what becomes of each datagram."""

from __future__ import annotations

import _socket
import contextlib
import heapq
import math
import socket
import threading
import time
from itertools import count
from typing import TYPE_CHECKING, Any

from ... import context
from ..connection import Connection
from .incoming import _is_readable, _too_late
from .kinds import FROM_CLIENT, TO_CLIENT, Fault, lateness
from .outgoing import carrier

if TYPE_CHECKING:
    from ..observation import Observation

_OVERTAKEN_SECONDS = 1.0  # at most, if no other datagram comes to overtake it
_MOST = 1000  # datagrams are held at once in each direction; what is more is lost, as in any queue
_DONT_WAIT = getattr(socket, "MSG_DONTWAIT", 0)


class _Letters:
    """Datagrams in one direction that are held, by when they are due."""

    def __init__(self) -> None:
        self.heap: list[list[Any]] = []  # [due, a number that keeps the order, the letter]
        self._overtaken: dict[Any, list[Any]] = {}  # address → what is held back until the next one has gone
        self._count = count()

    def post(self, faults: tuple[Fault, ...], address: Any, letter: Any) -> None:
        """Decide what becomes of a datagram."""
        copies, is_held = 1, False
        for fault in faults:
            if fault.name == "black_hole":
                fault.counts()
                return
            if fault.name in ("drop", "duplicate", "reorder"):
                strikes = fault.happens()
                if strikes and fault.name == "drop":
                    return
                copies += strikes and fault.name == "duplicate"
                is_held = is_held or (strikes and fault.name == "reorder")
            else:
                fault.counts()
        due = time.monotonic() + lateness(faults)
        before = self._overtaken.pop(address, None)
        for _ in range(copies):
            entry = self._add(due + _OVERTAKEN_SECONDS if is_held and before is None else due, letter)
        if before is not None:
            before[0], before[1] = min(before[0], due), next(self._count)
            heapq.heapify(self.heap)
        elif is_held:
            self._overtaken[address] = entry

    def _add(self, due: float, letter: Any) -> list[Any]:
        entry = [due, next(self._count), letter]
        if len(self.heap) < _MOST:
            heapq.heappush(self.heap, entry)
        return entry

    def pop(self) -> Any:
        """The letter that is due now, or None."""
        if self.heap and self.heap[0][0] <= time.monotonic():
            entry = heapq.heappop(self.heap)
            for address in [address for address, held in self._overtaken.items() if held is entry]:
                del self._overtaken[address]
            return entry[2]
        return None

    def hurry(self) -> None:
        """All is due now, in the order in which it would have been."""
        self._overtaken.clear()
        self.heap.sort()
        for entry in self.heap:
            entry[0] = 0.0


class Mail:
    """In front of a datagram server's socket. Thread: any."""

    def __init__(self, observation: Observation) -> None:
        self.faults: tuple[Fault, ...] = ()
        self._observation = observation
        self._arrived, self._leaving = _Letters(), _Letters()
        self._socket: socket.socket | None = None
        self._lock = threading.RLock()

    @property
    def is_idle(self) -> bool:
        """Whether no fault is set and nothing is held."""
        return not (self.faults or self._arrived.heap or self._leaving.heap)

    def change(self, faults: tuple[Fault, ...], sock: socket.socket) -> None:
        """Let these hold from now on; what is held goes on at once when one is gone."""
        with self._lock:
            is_less = any(fault not in faults for fault in self.faults)
            self.faults, self._socket = faults, sock
            if is_less:
                self._arrived.hurry()
                self._leaving.hurry()
        carrier.add(self)
        carrier.hurry()

    def _for(self, address: Any, not_this_way: str) -> tuple[Fault, ...]:
        """The faults that hold for a peer in one direction."""
        known = self._observation._peers.get(address)
        numbers = (0, known.number) if known is not None else (0,)
        return tuple(f for f in self.faults if f.connection in numbers and f.direction != not_this_way)

    def send(self, sock: socket.socket, data: Any, args: tuple[Any, ...]) -> int:
        """As ``sendto``."""
        with self._lock:
            if self._socket is None:  # the server was stopped: nobody would carry it
                return _socket.socket.sendto(sock, data, *args)
            self._leaving.post(self._for(args[-1], FROM_CLIENT), args[-1], (bytes(data), args))
            self._send_due(sock)
        carrier.add(self)
        return len(data)

    def _send_due(self, sock: socket.socket) -> None:
        while (letter := self._leaving.pop()) is not None:
            data, args = letter
            _socket.socket.sendto(sock, data, *args)

    def receive(self, sock: socket.socket, bufsize: int, args: tuple[Any, ...]) -> Any:
        """As ``recvmsg``: the accept loop is told that nothing is there when a fault holds or has dropped what was."""
        flags = args[1] if len(args) > 1 else 0
        is_handler = isinstance(context.current(), Connection)
        timeout = sock.gettimeout() if is_handler and not flags & _DONT_WAIT else 0.0
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            with self._lock:
                letter = self._arrived.pop()
                next_due = self._arrived.heap[0][0] if self._arrived.heap else math.inf
            if letter is not None:
                return letter
            if not _is_readable(sock, max(0.0, min(deadline, next_due) - time.monotonic())):
                if time.monotonic() >= deadline:
                    _too_late(timeout)
                continue
            result = _socket.socket.recvmsg(sock, bufsize, *args)
            with self._lock:
                self._arrived.post(self._for(result[3], TO_CLIENT), result[3], result)
            carrier.add(self)

    @property
    def due(self) -> int:
        """How many datagrams are due to be handled now."""
        with self._lock:
            now = time.monotonic()
            return sum(entry[0] <= now for entry in self._arrived.heap)

    def tick(self) -> bool:
        """Send what is due, wake the accept loop for what it may handle; returns whether more will be.

        Thread: the carrier's.
        """
        with self._lock:
            if self._socket is not None:
                with contextlib.suppress(OSError):  # the socket was closed, or the peer is unreachable: it is lost
                    self._send_due(self._socket)
            if self.due:
                self._observation._look_again()
            if self.is_idle:
                return not self._observation.lab.mail_is_idle()
            return bool(self._arrived.heap or self._leaving.heap)

    def end(self) -> None:
        """Nobody will ask any more: what is held is lost."""
        with self._lock:
            self._arrived.heap.clear()
            self._leaving.heap.clear()
            self._socket = None
