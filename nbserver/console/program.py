"""A program in a sibling thread, with a console of its own."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import socket
import sys
import threading
import time
import traceback
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import Any, ClassVar

from .. import context
from ..errors import InputClosed, NotHeard, UsageError
from ..events import Kind, text_event
from ..export import Snapshot
from ..journal import Journal
from ..teach import About, card_of
from ..text import safe_text
from . import connects, routing
from .connects import Ends
from .console import Console
from .tap import Tap

_MORE_STROKES = 3
_KEPT_TAPS = 8
_STROKE_SECONDS = 0.05  # between two of them
_ENDING_SECONDS = 1.0  # for how long the run before is waited for
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
END_OF_INPUT = "\x04"
"""What a terminal sends for Ctrl+D: given as an answer, it ends the input."""


class Program(Console):
    """Runs a function in a thread of its own; its ``print()`` and ``input()`` are this console's.

    What is typed before the program asks is kept for the next ``input()``, as in a terminal.

    Call: `start`, `answer`, `end_input`, `wait_ended`, `close`, `run_again`. Leave alone: names with an underscore.

    Attributes:
        name: What it is, in a few words; its thread's name as well.
        error: What it raised, or None.
        is_saved: Whether a notebook that shows it keeps its conversation as text.
        on_snapshot: Given each snapshot that is taken, if somebody keeps them.
        exit_code: What it gave to ``exit()``, as a process would end with; 0 otherwise.
        runs: How often it was run, this time included.
        ends: The addresses of the last connection that it made, or None.
        cell: Where in a notebook it was made, such as ``cell [3]``, or "".
        taps: What its last connections have carried, those of earlier runs included.
        before_again: Called before it runs again. Whoever gives out the numbers sees to its number there.
        make_another: Makes one more of the same kind, given its number; None if nobody knows how.
    """

    # Set by the package that knows both programs and servers; this one does not know the network.
    find_connection: ClassVar[Callable[[Program], Any]] = staticmethod(lambda program: None)

    def __init__(
        self, number: int, function: Callable[[], object], name: str, inherited: Iterable[object] = ()
    ) -> None:
        """A program that has not begun.

        Args:
            number: Which one, counted from 1; 0 for the console of a server's own program.
            function: What to run, called without arguments.
            name: What it is, in a few words.
            inherited: Objects in its variables that are not its own, and that `close` leaves alone.
        """
        super().__init__(number, Journal(kept=2_000))
        self._inherited = frozenset(map(id, inherited))
        self.name = name
        self.is_saved = True
        self.cell = ""
        self._sockets: list[tuple[weakref.ref[socket.socket], int]] = []
        self.on_snapshot: Callable[[Snapshot], None] | None = None
        self._function = function
        self.before_again: Callable[[], None] = lambda: None
        self.make_another: Callable[[int], Program] | None = None
        # Held to decide whether the thread may still be struck: an exception that arrived after the program's own end
        # would strike our clean-up.
        self._striking = threading.Lock()
        # Two may ask at once to run it again: the second ends what the first has begun.
        self._beginning = threading.Lock()
        self._ahead: deque[str] = deque()
        self.taps: deque[Tap] = deque(maxlen=_KEPT_TAPS)
        self.runs = 0
        self._renew()

    def _renew(self) -> None:
        """As if it had not run yet."""
        self.runs += 1
        self.error: BaseException | None = None
        self.exit_code = 0
        self.ends: Ends | None = None
        self.opened, self._began = time.time(), time.monotonic()
        self._ended = self._is_closing = False
        self._may_be_struck, self._was_struck = True, False
        with self._asking:
            self._ahead.clear()
            self._input_closed = ""
        # A daemon, so that a program that nobody ends does not keep the kernel alive.
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)

    def start(self) -> None:
        """Start the thread. Raises `RuntimeError` when the system has no more threads."""
        routing.acquire()
        connects.acquire()
        try:
            self._thread.start()
        except BaseException:
            self._let_go()
            raise

    def run_again(self) -> None:
        """Run the same program anew: ended first if it still runs; below what it has shown so far stands "run 2".

        Raises:
            NotHeard: The run before does not end: it is in a call that nothing wakes.
            UsageError: What it needs is not there any more (`NotListening`); its console shows that, too.
            RuntimeError: The system has no more threads.

        Thread: any but its own.
        """
        if self._thread is threading.current_thread():
            raise UsageError("a program cannot run itself again: it would have to end first")
        with self._beginning:
            if self._thread.ident is not None:
                self.close()
                self.wait_ended(_ENDING_SECONDS)
            self._settle()  # while it still says that it has ended: whoever waits for that must see it
            self._renew()
            self.before_again()
            self._thread.name = self.name
            self._tell(text_event(Kind.OPENED, self.opened, self.number, f"run {self.runs}"))
            try:
                self._prepare()
                self.start()
            except BaseException as error:
                self._fail_to_run(error)
                raise

    def _settle(self) -> None:
        """Wait until nothing of the run before goes on."""

    def _prepare(self) -> None:
        """Have ready what the next run needs, before its thread starts."""

    def _fail_to_run(self, error: BaseException) -> None:
        self.error = error
        self.told_in_words(card_of(error))
        self._tell(text_event(Kind.ERROR, time.time(), self.number, f"{type(error).__name__}: {error}"))
        self.close_input("the program could not be run")
        self._ended = True
        self._journal.wake()

    def _let_go(self) -> None:
        for tap in list(self.taps):
            tap.let_go()
        connects.release()
        routing.release()

    def _run(self) -> None:
        with contextlib.suppress(SystemExit):  # close() struck just after the program's own end
            self._run_function()
        while self._may_be_struck:
            with contextlib.suppress(SystemExit):  # as above; after this no stroke comes
                self._spare()
        if self.error is not None:  # told now: a stroke into the making of its card could break that
            self._failed(self.error)
        self._end()

    def _run_function(self) -> None:
        try:
            with context.speaking_to(self):
                self._function()
        except InputClosed:
            pass  # its console was closed while it asked
        except SystemExit as error:  # it was struck, or called exit(): that ends this program, not the notebook
            self._exited(error.code)
        except BaseException as error:
            # What a closed socket or a cancelled task raises in a program that is being ended says only that it is.
            if not (self._is_closing and isinstance(error, (OSError, EOFError, asyncio.CancelledError))):
                self.error = error

    def _exited(self, code: object) -> None:
        """What ``exit(code)`` means for a process: a text is printed, and stands for 1."""
        if code is None or self._is_closing:
            return
        self.exit_code = code if isinstance(code, int) else 1
        if not isinstance(code, int):
            self.write(f"{code}\n")

    def _spare(self) -> None:
        """From here on `close` strikes no more; a stroke under way arrives here. Called in the program's thread."""
        with self._striking:
            if self._was_struck:
                self._was_struck = False
                # One more, in place of that under way: taken back, it would leave the interpreter looking for it for
                # ever, and a thread that is traced spins there (CPython 3.11).
                _raise_in(threading.get_ident(), SystemExit)
                for _ in range(100):
                    pass  # it arrives between two turns
            self._may_be_struck = False

    def _failed(self, error: BaseException) -> None:
        self.told_in_words(card_of(error, About("program" if self.ends is None else "client")))
        self._tell(text_event(Kind.ERROR, time.time(), self.number, _report(error)))

    def _end(self) -> None:
        self.flush()
        self.close_input("the program has ended")
        self._let_go()
        self._tell(text_event(Kind.CLOSED, time.time(), self.number, self._how_it_ended()))
        self._ended = True  # last: whoever waited for the end finds everything done
        self._journal.wake()

    def _how_it_ended(self) -> str:
        seconds = f"{time.monotonic() - self._began:.1f}"
        if self.error is not None:
            return f"ended by {type(self.error).__name__} after {seconds} s"
        if self.exit_code:
            return f"exit code {self.exit_code} after {seconds} s"
        return f"stopped after {seconds} s" if self._is_closing else f"ended after {seconds} s"

    def connected(self, ends: Ends, sock: socket.socket | None = None) -> None:
        """Told in its own thread that it has connected, or begun to; `sock` is seen from now on, if it is given."""
        tap = Tap(*ends, self.name.partition(":")[0])
        if sock is not None:
            tap.watch(sock)
            self._sockets = [*((held, run) for held, run in self._sockets if held()), (weakref.ref(sock), self.runs)]
        if len(self.taps) == _KEPT_TAPS:
            self.taps[0].let_go()
        self.taps.append(tap)
        self.ends = ends
        self._journal.wake()

    @property
    def open_sockets(self) -> list[tuple[socket.socket, int]]:
        """The sockets that it has connected and that are still open, each with the number of the run that did."""
        held = [(sock(), run) for sock, run in self._sockets]
        return [(sock, run) for sock, run in held if sock is not None and sock.fileno() >= 0]

    @property
    def connection(self) -> Any:
        """The `Connection` at the other end, where a server of this process has accepted it; otherwise None."""
        return type(self).find_connection(self)

    def ask(self, prompt: str = "", *, secret: bool = False) -> str:
        """As any console's. Raises `EOFError` as well: see `end_input`."""
        text = super().ask(prompt, secret=secret)
        if text == END_OF_INPUT:
            raise EOFError("EOF when reading a line")
        return text

    def end_input(self) -> None:
        """End its input once, as Ctrl+D does: ``input()`` raises `EOFError`, ``for line in sys.stdin`` ends.

        Raises:
            InputClosed: It has ended.

        Thread: any.
        """
        self.answer(END_OF_INPUT)

    def _typed_ahead(self) -> str | None:
        return self._ahead.popleft() if self._ahead else None

    def _nobody_asks(self, text: str) -> bool:
        if self._input_closed:
            raise InputClosed(f"{self.name} has ended")
        self._ahead.append(text)
        return True

    def __repr__(self) -> str:
        return f"<Program {self.name}, {'ended' if self.has_ended else 'waiting' if self.is_waiting else 'running'}>"

    @property
    def title(self) -> str:
        """What it is, and how it stands, in one line that is safe to show."""
        state = "running" if not self._ended else "ended" if self.error is None else "failed"
        return f"{safe_text(self.name, 200)}, {'waiting' if self.is_waiting else state}"

    def snapshot(self) -> Snapshot:
        """As `Console.snapshot`; where the notebook shows it, its text there is refreshed. Thread: any."""
        made = super().snapshot()
        if self.on_snapshot is not None:
            self.on_snapshot(made)
        return made

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
        """End the program, and its ``input()``, and the sockets and the event loop that it is waiting in.

        A program that waits elsewhere (a lock, a long sleep) ends when it runs Python again. Returns when it has ended,
        or after 0.2 s.

        Thread: any; once it has ended, this does nothing.
        """
        if self._ended or not self._thread.ident:
            return
        self._is_closing, thread = True, self._thread
        found = [thing for thing in self._waited_in() if id(thing) not in self._inherited]
        # Struck before it is woken: what was blocked returns, and it must not go on with what it got.
        self._strike()
        self.close_input("the console was closed")
        for thing in found:
            _wake(thing)

        def is_over() -> bool:  # or somebody has run it again: that run is not the one that is to end
            return self._ended or self._thread is not thread

        for _ in range(_MORE_STROKES):
            if thread is threading.current_thread() or self._journal.wait_for(is_over, _STROKE_SECONDS):
                return
            if self._is_leaving():
                return
            self._strike()

    def _strike(self) -> None:
        """Raise `SystemExit` in the program, at its next step in Python."""
        with self._striking:
            if self._may_be_struck:
                self._was_struck = True
                _raise_in(self._thread.ident or 0, SystemExit)

    def _is_leaving(self) -> bool:
        """Whether the program is in a clean-up of its own (``finally``, ``with``) on its way out, which is left alone.

        Otherwise the stroke fell in a place that swallows exceptions, such as a destructor.
        """
        caught: Any = sys._current_exceptions().get(self._thread.ident or 0)
        error = caught[1] if isinstance(caught, tuple) else caught
        while error is not None and not isinstance(error, SystemExit):
            error = error.__context__
        return error is not None

    def _waited_in(self) -> list[object]:
        return list(_found_in(sys._current_frames().get(self._thread.ident or 0)))


def _raise_in(thread: int, error: type[BaseException]) -> None:
    """Raise `error` in a thread, at its next step in Python."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))


def _report(error: BaseException) -> str:
    """The traceback as a terminal shows it: the lines of ours that ran the program are not the program's."""
    told: traceback.TracebackException | None
    told = whole = traceback.TracebackException(type(error), error, error.__traceback__)
    while told is not None:
        own = [frame for frame in told.stack if not frame.filename.startswith(_PACKAGE)]
        told.stack = traceback.StackSummary.from_list(own or told.stack)
        told = told.__cause__ or told.__context__
    return "".join(whole.format())


def _found_in(frame: FrameType | None) -> Iterator[object]:
    """The sockets and event loops in the variables of a stack of calls, and one step inside them (a file's socket)."""
    while frame:
        for value in list(frame.f_locals.values()):
            yield from (value, _attribute(value, "_sock"), _attribute(value, "sock"))
        frame = frame.f_back


def _attribute(value: object, name: str) -> object:
    try:
        return getattr(value, name, None)
    except Exception:
        return None  # a variable of the user's, whose properties may do anything: it is no file and no client


def _wake(thing: object) -> None:
    """Let whoever is blocked in `thing` go on."""
    if isinstance(thing, socket.socket):
        with contextlib.suppress(OSError):  # not connected, or closed already: nobody is blocked in it
            thing.shutdown(socket.SHUT_RDWR)
    elif isinstance(thing, asyncio.AbstractEventLoop) and thing.is_running():
        with contextlib.suppress(RuntimeError):  # it has been closed meanwhile
            for task in asyncio.all_tasks(thing):
                thing.call_soon_threadsafe(task.cancel)
