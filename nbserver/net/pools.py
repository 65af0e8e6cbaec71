"""A server class whose handlers run in a fixed number of threads: who finds none free waits, accepted, for its turn."""

from __future__ import annotations

import socketserver
import threading
from queue import SimpleQueue
from typing import Any

from ..errors import UsageError
from ..text import safe_text


class PoolMixIn(socketserver.ThreadingMixIn):
    """In place of ``ThreadingMixIn``: at most `max_workers` threads, which serve one connection after the other.

    Override: `max_workers`.
    """

    max_workers = 4
    _jobs: SimpleQueue[tuple[Any, Any] | None] | None = None
    _pool: list[threading.Thread]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Queue the connection; while there are fewer than `max_workers` threads, one more is started.

        Raises:
            RuntimeError: The system has no more threads.

        Thread: the accept loop's.
        """
        if self._jobs is None:
            self._jobs, self._pool = SimpleQueue(), []
        if len(self._pool) < self.max_workers:
            # A daemon, which those of concurrent.futures are not: a handler that hangs must not keep the process alive.
            thread = threading.Thread(target=self._work, args=(self._jobs,), daemon=True)
            thread.start()
            self._pool.append(thread)
        self._jobs.put((request, client_address))

    def _work(self, jobs: SimpleQueue[tuple[Any, Any] | None]) -> None:
        while (job := jobs.get()) is not None:
            self.process_request_thread(*job)

    def server_close(self) -> None:
        """Close the listener; the threads end when they have served those who were accepted."""
        super().server_close()
        if self._jobs is not None:
            for _ in self._pool:
                self._jobs.put(None)


def pool(workers: int) -> type[socketserver.TCPServer]:
    """A TCP server class with a pool of `workers` threads: ``serve(MyHandler, server_class=pool(2))``.

    Args:
        workers: How many, from 1 to 1000.

    Raises:
        UsageError: The number is none, or out of that range.
    """
    if type(workers) is not int or not 1 <= workers <= 1000:
        raise UsageError(f"a pool has from 1 to 1000 workers, not {safe_text(repr(workers), 40)}")
    return type(f"pool({workers})", (PoolMixIn, socketserver.TCPServer), {"max_workers": workers})
