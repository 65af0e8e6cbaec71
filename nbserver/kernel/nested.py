"""``asyncio.run()`` in a cell, for those who ask for it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from .report import Finding, Level, Report

_OURS = "works in a cell: replaced by nbserver.allow_asyncio_run(), nothing else of asyncio is"
_NESTED = "works in a cell: all of asyncio is patched by nest-asyncio"


def allow_asyncio_run() -> Report:
    """Let ``asyncio.run()`` work in a cell, where the kernel's loop runs already and Python refuses a second one.

    The program runs in a fresh loop, in the cell's own thread, as it would in a script: ``print()`` and ``input()`` are
    the cell's, context variables are copied, an interrupt ends the program, and nothing but the function
    ``asyncio.run`` is replaced, until the kernel restarts. The kernel's loop rests until the cell has ended, as it does
    while any cell computes: the board goes on where it has another way than the loop (see `doctor`).

    nest-asyncio, the usual remedy, goes on with the kernel's loop inside the cell. For that it replaces tasks and
    futures by slower ones, and methods of every loop, for the whole session; on ipykernel 7.4 it logged "cannot enter
    context" for what came from the page meanwhile. In a helper thread ``input()`` could not be interrupted.

    A program under ``%%server`` or ``%%client`` has a thread of its own, where ``asyncio.run()`` works without this,
    and the notebook goes on.

    Returns:
        What is so now. Calling it twice changes nothing more.

    Thread: any.
    """
    if not (_is_ours() or _is_nested()):
        asyncio.run = _beside(asyncio.run)
    return Report((asyncio_finding(),))


def asyncio_finding() -> Finding:
    """How ``asyncio.run()`` does in a cell."""
    name = "asyncio.run()"
    if _is_nested():
        advice = "restart the kernel to undo it; nbserver.allow_asyncio_run() replaces less"
        return Finding(name, _NESTED, Level.NOTE, advice)
    return Finding(name, _OURS if _is_ours() else "as it was: not in a cell")


def _is_ours() -> bool:
    return getattr(asyncio.run, "__module__", "") == __name__


def _is_nested() -> bool:
    return hasattr(asyncio, "_nest_patched")


def _beside(original: Callable[..., Any]) -> Callable[..., Any]:
    """`original`, for a thread whose loop runs as well. Inside itself it refuses a second loop, as Python does."""
    here = threading.local()

    def run(main: Any, **options: Any) -> Any:
        loop = asyncio._get_running_loop()
        if loop is None or getattr(here, "is_inside", False):
            return original(main, **options)
        here.is_inside = True
        try:
            with _resting(loop), _interruptible():
                return original(main, **options)
        finally:
            here.is_inside = False

    return run


@contextlib.contextmanager
def _resting(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """As far as asyncio knows, no loop runs in this thread inside the ``with`` block, and no task."""
    task = asyncio.current_task(loop)
    if task is not None:
        asyncio._leave_task(loop, task)
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio.set_event_loop(loop)  # asyncio.run() leaves none behind
        asyncio._set_running_loop(loop)
        if task is not None:
            asyncio._enter_task(loop, task)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """One interrupt ends the program, even in ``input()`` or a sleep that blocks its loop.

    From Python 3.11 on asyncio.run() takes the default handler away, and at the first interrupt only cancels a task.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """What the default handler does; only that one is taken away."""
    raise KeyboardInterrupt
