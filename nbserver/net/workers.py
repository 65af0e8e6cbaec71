"""Threads that serve one connection after the other, in place of a new one for each.

See `nbserver.net.resilient` for where these classes stand in the method resolution order.
"""

from __future__ import annotations

import contextvars
import socketserver
import sys
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from .. import teach
from .steps import FINISHES_IN_THREAD, here

_IDLE_SECONDS = 10.0  # how long a worker waits for its next connection before its thread ends

_LOOK_AGAIN = 0.01  # seconds

_Job = tuple[Any, ...]  # a function and its arguments


class _Worker(threading.Thread):
    """A thread with a `run` of its own: the usual one is one call more, which costs each thread a page of its stack."""

    def __init__(self, name: str, work: Callable[[_Job], None], job: _Job) -> None:
        super().__init__(name=name, daemon=True)  # a handler that never returns must not keep the kernel alive
        self._work, self._job = work, job

    def run(self) -> None:
        job = self._job
        del self._job  # not kept for as long as the thread lives
        self._work(job)


class Workers:
    """Threads that serve one connection after the other, parked on one queue in between.

    A thread for each connection costs 1.5 to 2.5 times as much where connections are short. A handler that keeps
    something in a `threading.local` finds it again in its next connection; context variables start anew.

    Thread: any.
    """

    def __init__(self, name: str, on_error: Callable[[str], None]) -> None:
        """No thread yet.

        Args:
            name: What the threads' names begin with.
            on_error: Told what a job raised beyond what it handles itself.
        """
        self._name = name
        self._on_error = on_error
        # Makes "somebody is idle, so give it to the queue" one step: else a job could be left with nobody to take it.
        self._lock = threading.Lock()
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._idle = 0
        self._started = 0
        self.threads: set[threading.Thread] = set()  # all that live
        self._parked: set[threading.Thread] = set()  # those that wait for a job, or are about to take one
        self._is_closed = False

    def submit(self, function: Callable[..., None], *args: Any) -> None:
        """Run ``function(*args)`` in a worker.

        Raises:
            RuntimeError, MemoryError: No thread could be started.
        """
        with self._lock:
            if self._idle:
                self._idle -= 1
                self._queue.put((function, *args))
                return
            self._started += 1
            thread = _Worker(f"{self._name}-{self._started}", self._run, (function, *args))
            self.threads.add(thread)
            try:
                thread.start()
            except BaseException:
                self.threads.discard(thread)
                raise

    def _run(self, job: _Job | None) -> None:
        try:
            while job:
                with self._lock:
                    self._parked.discard(threading.current_thread())
                try:
                    contextvars.Context().run(*job)
                except SystemExit:
                    return  # ends this thread without a word, as in any thread
                except BaseException as error:
                    # A hook that raised; printed here, as a thread does, it would land in some cell.
                    self._on_error(f"{type(error).__name__} in {threading.current_thread().name}: {error}")
                job = self._next()
        finally:
            with self._lock:
                self._parked.discard(threading.current_thread())
                self.threads.discard(threading.current_thread())

    def _next(self) -> _Job | None:
        """The next job; None after a while without one, or when the workers were closed."""
        with self._lock:
            if self._is_closed:
                return None
            self._idle += 1
            self._parked.add(threading.current_thread())
        try:
            return self._queue.get(timeout=_IDLE_SECONDS)
        except Empty:
            with self._lock:
                if self._idle:
                    self._idle -= 1
                    return None
            # Somebody counted on this worker at the last moment: its job is in the queue, or will be.
            return self._queue.get()

    def close(self, timeout: float = 1.0) -> None:
        """Let the idle threads end, and wait for them `timeout` seconds at most; the others end with their job."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, 0
            parked = self._parked - {threading.current_thread()}
        for _ in range(idle):
            self._queue.put(None)
        deadline = time.monotonic() + timeout
        for thread in parked:
            # One that was given a job at the last moment is parked no more: nobody waits for that.
            while thread in self._parked and (left := deadline - time.monotonic()) > 0:
                thread.join(min(left, _LOOK_AGAIN))

    def after_fork(self) -> None:
        """In a forked child: no thread is here but perhaps one of these, which ends with its job."""
        self._lock, self._queue = threading.Lock(), SimpleQueue()
        self._idle, self._parked, self._is_closed = 0, set(), True


@teach.hide
class PooledThreads(socketserver.ThreadingMixIn):
    """``ThreadingMixIn`` whose threads are reused, and whose ``server_close`` waits for no handler."""

    _enters = FINISHES_IN_THREAD
    daemon_threads = True
    block_on_close = False

    @property
    def _workers(self) -> Workers:
        try:
            return vars(self)["_nbserver_workers"]  # type: ignore[no-any-return]
        except KeyError:
            address = self.server_address  # type: ignore[attr-defined]
            name = f"nbserver-{address[1] if isinstance(address, tuple) else 'unix'}-worker"
            workers = Workers(name, self._trouble)  # type: ignore[attr-defined]
            return vars(self).setdefault("_nbserver_workers", workers)  # type: ignore[no-any-return]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Hand the connection to a worker; without a thread to be had the client reads the end, the loop goes on."""
        lane = here.lane
        if lane is not None and not lane.slow.is_used:
            lane.hand_over()
            here.lane = None
        try:
            self._workers.submit(self.process_request_thread, request, client_address)
        except (RuntimeError, MemoryError) as error:
            if lane is not None and lane.first:
                lane.take_back()
                here.lane = lane
            self._trouble(f"no thread for a connection: {error}")  # type: ignore[attr-defined]
            self.shutdown_request(request)  # type: ignore[attr-defined]

    def server_close(self) -> None:
        """Close the listener, and let idle workers end."""
        super().server_close()
        if not sys.is_finalizing():  # see shutdown()
            self._workers.close()
