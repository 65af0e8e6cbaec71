"""The end of the interpreter: what is still told to pages then arrives whole.

A message above 64 KiB is sent with the help of a thread of ZeroMQ's. Once that has ended, such a message fails after
its first parts have gone, and the page takes the next message for the rest of it.
"""

from __future__ import annotations

import atexit
import threading

import zmq.utils.garbage  # noqa: F401  # ZeroMQ imports it when it is needed first; what is registered first is called last

from ..net import stop_all_at_exit
from .bridge import kernel

_FLUSH_SECONDS = 1.0


def _end() -> None:
    stop_all_at_exit()
    io_thread = getattr(kernel(), "iopub_thread", None)
    if io_thread is not None:
        is_sent = threading.Event()
        io_thread.schedule(is_sent.set)
        is_sent.wait(_FLUSH_SECONDS)


atexit.register(_end)
