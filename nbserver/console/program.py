"""A program in a sibling thread, with a console of its own."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import socket
import sys
import threading
import time
import traceback
from collections import deque
from types import FrameType
from typing import Callable, Iterable, Iterator

from .. import context
from ..errors import InputClosed, NotHeard
from ..events import Kind, text_event
from ..journal import Journal
from . import routing
from .console import Console


class Program(Console):
    """Runs a function in a thread of its own; its ``print()`` and ``input()`` are this console's.

    What is typed before the program asks is kept for the next ``input()``, as in a terminal.

    Call: `start`, `answer`, `wait_ended`, `close`. Leave alone: names with an underscore.

    Attributes:
        name: What it is, in a few words; its thread's name as well.
        error: What it raised, or None.
    """

    def __init__(self, number: int, function: Callable[[], object], name: str, inherited: Iterable[object] = ()) -> None:
        """
        Args:
            number: Which one, counted from 1; 0 for the console of a server's own program.
            function: What to run, called without arguments.
            name: What it is, in a few words.
            inherited: Objects in its variables that are not its own, and that `close` leaves alone.
        """
        super().__init__(number, Journal(kept=2_000))
        self._inherited = frozenset(map(id, inherited))
        self.name = name
        self.error: BaseException | None = None
        self.opened = time.time()
        self._function = function
        self._ended = False
        self._ahead: deque[str] = deque()
        # A daemon, so that a program that nobody ends does not keep the kernel alive.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread. Raises `RuntimeError` when the system has no more threads."""
        routing.acquire()
        try:
            self._thread.start()
        except RuntimeError:
            routing.release()
            raise

    def _run(self) -> None:
        try:
            with context.speaking_to(self):
                self._function()
        except InputClosed:
            pass  # its console was closed while it asked: that is how it was ended
        except BaseException as error:
            # SystemExit too: `exit()` in a program ends this program, not the notebook.
            if not isinstance(error, SystemExit):
                self._failed(error)
        finally:
            self._end()

    def _failed(self, error: BaseException) -> None:
        self.error = error
        report = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        self._tell(text_event(Kind.ERROR, time.time(), self.number, report))

    def _end(self) -> None:
        self.flush()
        self.close_input("the program has ended")
        self._ended = True
        routing.release()
        how = "ended" if self.error is None else f"ended by {type(self.error).__name__}"
        self._tell(text_event(Kind.CLOSED, time.time(), self.number, how), announce=True)

    def _typed_ahead(self) -> str | None:
        return self._ahead.popleft() if self._ahead else None

    def _nobody_asks(self, text: str) -> bool:
        if self._input_closed:
            raise InputClosed(f"{self.name} has ended")
        self._ahead.append(text)
        return True

    @property
    def has_ended(self) -> bool:
        """Whether the program has come to its end."""
        return self._ended

    @property
    def thread(self) -> threading.Thread:
        """The thread that runs it."""
        return self._thread

    def wait_ended(self, timeout: float | None = None) -> None:
        """Wait for the program's end.

        Args:
            timeout: In seconds; None waits for ever.

        Raises:
            NotHeard: It has not ended in time.
        """
        if not self._journal.wait_for(lambda: self._ended, timeout):
            raise NotHeard(f"{self.name} has not ended within {timeout} s")

    def close(self) -> None:
        """End the program: its ``input()``, then the sockets and the event loop that it is waiting in, then the program itself.

        A program that waits elsewhere (a lock, a long sleep) ends when it runs Python again.

        Thread: any; doing it twice is doing it once.
        """
        if self._ended or not self._thread.ident:
            return
        self.close_input("the console was closed")
        frame = sys._current_frames().get(self._thread.ident)
        for thing in _found_in(frame):
            if id(thing) not in self._inherited:
                _wake(thing)
        # What was blocked returns now; this is raised at the program's next step, so that it does not go on with what it got.
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread.ident), ctypes.py_object(SystemExit))


def _found_in(frame: FrameType | None) -> Iterator[object]:
    """The sockets and event loops in the variables of a stack of calls, and one step inside them (a file's socket)."""
    while frame:
        for value in list(frame.f_locals.values()):
            yield from (value, getattr(value, "_sock", None), getattr(value, "sock", None))
        frame = frame.f_back


def _wake(thing: object) -> None:
    """Let whoever is blocked in `thing` go on."""
    if isinstance(thing, socket.socket):
        with contextlib.suppress(OSError):  # not connected, or closed already: nobody is blocked in it
            thing.shutdown(socket.SHUT_RDWR)
    elif isinstance(thing, asyncio.AbstractEventLoop) and thing.is_running():
        for task in asyncio.all_tasks(thing):
            thing.call_soon_threadsafe(task.cancel)
