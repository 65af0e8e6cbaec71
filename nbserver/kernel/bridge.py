"""What is changed in ipykernel, and undone: ``input()`` and output by thread, messages from views while a cell runs.

Three ways lead from a view to the kernel. Widget messages wait for the running cell to end; so a view sends over the
control channel where it has the kernel's handle, a kernel with subshells is told to leave our comm on the subshell it
came by, and what comes by neither is read ahead of its turn (`ahead.py`).
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from .. import console, context
from . import ahead
from .cells import shell

REQUEST = "nbserver_request"
"""The type of our messages on the control channel."""

Receiver = Callable[[dict[str, Any], str], None]

_lock = threading.Lock()  # views come and go in the main thread; their messages come in the control thread
_receivers: dict[str, Receiver] = {}
_paths: Counter[str] = Counter()


def kernel() -> Any:
    """The ipykernel of this process, or None."""
    ip = shell()
    return getattr(ip, "kernel", None)


def install() -> None:
    """Have the kernel's own ``input()`` routed by thread, too, whenever routing is on. Twice is once."""
    if kernel() is not None:
        console.also(_route_kernel_input, _unroute_kernel_input)
        console.also(_route_kernel_output, _unroute_kernel_output)


def _route_kernel_input() -> None:
    """Route what the kernel puts in place of ``input`` around every cell, and what it restores afterwards."""
    k = kernel()
    k.raw_input = console.routed_input(k.raw_input)  # an attribute of the instance, in front of the method
    k.getpass = console.routed_getpass(k.getpass)
    if getattr(k, "_sys_raw_input", None) is not None:  # a cell is running: these are put back at its end
        k._sys_raw_input = console.routed_input(k._sys_raw_input)
        k._save_getpass = console.routed_getpass(k._save_getpass)


def _unroute_kernel_input() -> None:
    k = kernel()
    for name in ("raw_input", "getpass"):
        vars(k).pop(name, None)
    for name in ("_sys_raw_input", "_save_getpass"):
        ours = getattr(k, name, None)
        setattr(k, name, getattr(ours, "original", ours))


def _route_kernel_output() -> None:
    """Let what a handler's thread does send to the page, such as a log that a cell set up, go without a new socket.

    Each thread that sends opens a ZeroMQ socket to wake the kernel's IO thread, and at about a thousand no more can be
    had, by nobody. Its event loop can be woken without one.
    """
    io_thread: Any = getattr(kernel(), "iopub_thread", None)
    if not hasattr(io_thread, "io_loop"):
        return
    original = io_thread.schedule

    def schedule(function: Callable[[], Any]) -> None:
        if context.owner() is None or not io_thread.thread.is_alive():
            original(function)
        else:
            io_thread.io_loop.add_callback(function)

    io_thread.schedule = schedule  # an attribute of the instance, in front of the method


def _unroute_kernel_output() -> None:
    io_thread: Any = getattr(kernel(), "iopub_thread", None)
    if io_thread is not None:
        vars(io_thread).pop("schedule", None)


def listen_to_views(key: str, receive: Receiver, comm: Any) -> bool:
    """Give what views send to the hub `key` to `receive`.

    Args:
        key: The hub's own name, which its views send along.
        receive: Called with the request and the way that it took, ``control`` or ``ahead``, in the kernel's thread that
            reads that channel: it must not block. Those that come ``ahead`` come by the comm as well, afterwards.
        comm: The hub's comm.

    Returns:
        Whether the control channel can be used.
    """
    # ipykernel 7.4 answers a comm on the shell that it was last heard on, which may be the busy one; ours stays
    # where it came.
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda data, default: default
    k = kernel()
    ahead.read_ahead(k, comm.comm_id, lambda request: receive(request, "ahead"))
    with _lock:
        _receivers[key] = receive
    if k is None or not hasattr(k, "control_handlers"):
        return False
    k.control_handlers[REQUEST] = _on_control
    return True


def stop_listening(key: str, comm_id: str) -> None:
    """The hub `key` is gone; with the last, the kernel's channels are as they were."""
    k = kernel()
    ahead.stop_reading(k, comm_id)
    with _lock:
        _receivers.pop(key, None)
        is_last = not _receivers
    if is_last and k is not None and hasattr(k, "control_handlers"):
        k.control_handlers.pop(REQUEST, None)


async def _on_control(stream: Any, ident: Any, parent: dict[str, Any]) -> None:
    """One message of a view. It came from a page: checked here for its shape, and by the hub for its meaning."""
    content = parent.get("content")
    if isinstance(content, dict) and isinstance(content.get("request"), dict):
        hub = content.get("hub")
        with _lock:
            receive = _receivers.get(hub) if isinstance(hub, str) else None
        if receive is not None:
            receive(content["request"], "control")


def count_path(path: str) -> None:
    """A request came by `path`: ``control``, ``subshell``, ``ahead`` or ``comm``."""
    _paths[path] += 1


def view_paths() -> dict[str, int]:
    """By which ways views have reached this kernel, and how often."""
    return dict(_paths)
