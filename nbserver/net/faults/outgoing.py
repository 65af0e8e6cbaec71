"""What a handler has sent, and its client has not been given yet, because a fault holds it."""

from __future__ import annotations

import _socket
import contextlib
import errno
import math
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..clock import Clock
from .kinds import Fault, lateness, of, rate

if TYPE_CHECKING:
    from ..connection import Connection

_DONT_WAIT = getattr(socket, "MSG_DONTWAIT", 0)
_CAPACITY = 2**18  # bytes: as a network holds so much and no more, send() blocks when it is full
_CHUNKS = 64  # that one message goes in, at a rate
_LINGER_SECONDS = 60.0  # for how long what is queued outlives its connection, as in Linux a FIN that nobody answers

carrier = Clock("nbserver-faults", 0.005)
"""Sends what is due; its thread lives only while something is queued somewhere."""


class Outgoing:
    """The queue of one connection: bytes go in from the handler's thread, and out when they are due, in order.

    Locks: the connection's ``descriptor_lock``, if any, is taken before this one's.
    """

    def __init__(self, connection: Connection, sock: socket.socket, on_idle: Callable[[], None]) -> None:
        """Empty; `on_idle` is called, with the locks held, when it is empty again or has ended."""
        self.faults: tuple[Fault, ...] = ()
        self._connection = connection
        self._on_idle = on_idle
        self._sock = sock
        self._changed = threading.Condition()
        self._pieces: deque[tuple[float, bytes]] = deque()  # when each is due, on the monotonic clock
        self._held = bytearray()  # by a merge, until `_held_until`
        self._size = 0  # bytes, held and queued
        self._held_until = self._free_at = self._last_due = 0.0
        self._shut: int | None = None  # shutdown() was called with this, and comes after what is queued
        self._error: OSError | None = None
        self._is_cut = False
        self.is_left = False  # the connection goes on without it
        self._lingers_until = 0.0

    @property
    def is_idle(self) -> bool:
        """Whether what is sent now may go straight to the socket."""
        return not self.faults and not self._size

    # ── the handler's thread ──

    def put(self, data: Any, seconds: float | None) -> int:
        """Take as much of `data` as there is room for; returns how many bytes, or -1: it may go straight to the socket.

        Args:
            data: Whatever has bytes.
            seconds: How long to wait for room; None for ever.

        Raises:
            OSError: As ``send``: it would block, it took too long, or the connection is gone.
        """
        view = memoryview(data).cast("B")
        with self._changed:
            room = self._wait_room(seconds)
            if self.is_left:
                return -1
            if self._error is not None:
                raise self._error
            if self._is_cut or self._shut is not None:
                raise BrokenPipeError(errno.EPIPE, "Broken pipe")
            taken = bytes(view[:room])
            if taken:
                self._take(taken)
        carrier.add(self)
        return len(taken)

    def wait_room(self, seconds: float) -> bool:
        """Whether something can be put in, within `seconds`."""
        with self._changed:
            return self._changed.wait_for(self._has_room, seconds)

    def _wait_room(self, seconds: float | None) -> int:
        if not self._changed.wait_for(self._has_room, seconds):
            raise (
                BlockingIOError(errno.EAGAIN, "the fault's queue is full")
                if seconds == 0
                else TimeoutError("timed out")
            )
        return max(0, self._capacity() - self._size)

    def _has_room(self) -> bool:
        return self._size < self._capacity() or self._is_cut or self._error is not None

    def _capacity(self) -> int:
        slow = of(self.faults, "slow_reader")
        return int(slow.values["buffer"]) if slow is not None else _CAPACITY

    def _take(self, data: bytes) -> None:
        self._size += len(data)
        merge = of(self.faults, "merge")
        for fault in self.faults:
            fault.counts(fault.name != "split" or len(data) > fault.values["at"])
        if merge is None:
            self._release()
            self._enqueue(data)
            return
        if not self._held:
            self._held_until = time.monotonic() + merge.values["seconds"]
        self._held += data
        if len(self._held) >= merge.values["size"]:
            self._release()

    def _release(self) -> None:
        """What a merge has held goes on, in one piece."""
        if self._held:
            data = bytes(self._held)
            self._held.clear()
            self._enqueue(data)

    def _enqueue(self, data: bytes) -> None:
        split = of(self.faults, "split")
        if split is None or len(data) <= split.values["at"]:
            self._queue(data, 0.0)
            return
        self._queue(data[: split.values["at"]], 0.0)
        self._queue(data[split.values["at"] :], split.values["pause"])

    def _queue(self, data: bytes, pause: float) -> None:
        """Say when `data` is due: when the line has carried it at its rate, and the delay is over; in order."""
        now, bytes_per_second, late = time.monotonic(), rate(self.faults), lateness(self.faults)
        sent = max(now, self._free_at)
        chunk = len(data)
        if bytes_per_second is not None:
            chunk = max(1, int(bytes_per_second / 10), len(data) // _CHUNKS)
        for start in range(0, len(data), chunk):
            part = data[start : start + chunk]
            if bytes_per_second is not None:
                sent = self._free_at = sent + (len(part) / bytes_per_second if bytes_per_second else math.inf)
            due = max(sent + late, self._last_due + pause if self._pieces else self._last_due)
            pause = 0.0
            self._last_due = due
            self._pieces.append((due, part))

    # ── the carrier's thread ──

    def tick(self) -> bool:
        """Send what is due; returns whether more will be."""
        with self._connection.descriptor_lock, self._changed:
            # Asked for by a put() just before it left, it would take away the wire of the next fault.
            if self.is_left or (self._is_cut and not self._lingers_until):
                return False
            if self._held and time.monotonic() >= self._held_until:
                self._release()
            self._send_due(time.monotonic())
            if self._lingers_until and (not self._size or time.monotonic() > self._lingers_until):
                self._end_lingering()
                return False
            is_stuck = of(self.faults, "black_hole") is not None and not self._lingers_until
            if not self._size:
                self._on_idle()
            return bool(self._size) and not is_stuck

    def _send_due(self, now: float) -> None:
        if of(self.faults, "black_hole") is None:
            try:
                while self._pieces and self._pieces[0][0] <= now:
                    self._send_first()
            except BlockingIOError:
                pass  # the client does not read: tried again at the next tick
            except OSError as error:
                self._lose(error)
        if not self._size and self._shut is not None and not self._lingers_until:
            how, self._shut = self._shut, None
            with contextlib.suppress(OSError):  # the client was faster
                socket.socket.shutdown(self._sock, how)
        self._changed.notify_all()

    def _send_first(self) -> None:
        due, data = self._pieces[0]
        went = _socket.socket.send(self._sock, data, _DONT_WAIT)
        self._size -= went
        if went < len(data):
            self._pieces[0] = (due, data[went:])
        else:
            self._pieces.popleft()

    def _lose(self, error: OSError | None) -> None:
        self._error = error
        self._pieces.clear()
        self._held.clear()
        self._size = 0

    # ── whoever sets a fault, and whoever ends the connection ──

    def change(self, faults: tuple[Fault, ...]) -> None:
        """Other faults hold from now on; what one of them held that is gone is due by those that are left."""
        with self._changed:
            is_less = any(fault not in faults for fault in self.faults)
            self.faults = faults
            if is_less:
                pieces, held = list(self._pieces), bytes(self._held)
                self._pieces.clear()
                self._held.clear()
                self._free_at = self._last_due = 0.0
                for _, data in pieces:
                    self._queue(data, 0.0)
                if held:
                    self._queue(held, 0.0)
            self._changed.notify_all()
        carrier.add(self)
        carrier.hurry()

    def shut(self, how: int) -> bool:
        """``shutdown(how)``: returns whether it comes later, after what is queued."""
        with self._changed:
            if self._size and not self._is_cut:
                self._shut = how
            return self._shut is not None

    def cut(self, loses: bool) -> None:
        """The connection is ended from outside: what is queued goes at once, as far as the client takes it.

        Args:
            loses: Whether it is broken off instead, and what is queued is lost.
        """
        with self._connection.descriptor_lock, self._changed:
            self._release()
            if not loses:
                self._send_due(math.inf)
            self._is_cut = True
            self._lose(self._error)
            self._changed.notify_all()

    def linger(self) -> bool:
        """The socket is about to be closed: what is queued goes on by a duplicate of it. Returns whether it does."""
        with self._changed:
            if not self._size or self._is_cut:
                return False
            sock = self._sock
            try:
                copy = socket.dup(sock.fileno())
            except OSError:
                return False  # no descriptor is left for it
            self._sock = socket.socket(sock.family, sock.type, sock.proto, fileno=copy)
            self._lingers_until = time.monotonic() + _LINGER_SECONDS
            self._changed.notify_all()
        carrier.add(self)
        return True

    def end(self) -> None:
        """End what lingers, at once. Thread: any."""
        with self._connection.descriptor_lock, self._changed:
            if self._lingers_until:
                self._release()
                self._send_due(math.inf)
                self._end_lingering()

    def _end_lingering(self) -> None:
        self._lingers_until = 0.0
        self._is_cut = True
        self._lose(self._error)
        with contextlib.suppress(OSError):  # the client was faster
            self._sock.shutdown(socket.SHUT_WR)
        self._sock.close()
        self._on_idle()
