"""One observed server in the background: the whole of what a board can show and do, without a board."""

from __future__ import annotations

import contextlib
import errno
import socket
import socketserver
import threading
import time
from collections.abc import Callable
from typing import Any

from .. import console, context
from ..console import Program
from ..errors import NotHeard, UsageError
from ..events import Kind
from ..export import Snapshot, count_of
from ..states import SERVER_TRANSITIONS, ServerState, may_follow
from ..text import safe_text
from . import registry
from .connection import Connection
from .dialogue import Dialogue
from .door import Access
from .lessons import ServerInLessons
from .limits import Limits
from .observation import Observation, close_copy
from .report import StopReport
from .takeover import take_over
from .unixpath import UnixPath


class Server(ServerInLessons, Dialogue):
    """A ``socketserver`` server that runs in a background thread, observed.

    Call, from any thread: `start`, `stop`, `reply`, `ask`, `broadcast`, `find`, `snapshot`, `wait_…`, in lessons
    `slow_motion`, `next`, `lens`, `watch_shared`, and all that is read; ``with`` starts and stops it.
    Override: nothing. Leave alone: names with an underscore.

    Attributes:
        cell: Where in a notebook it was made, such as ``cell [3]``, or "".
        panel: Its board, where there is a notebook to show one; set by the front door, which knows of notebooks.
        program: The program that made it, if a program did (``%%server``).
        is_saved: Whether a notebook that shows it keeps its conversation as text.
        on_snapshot: Given each snapshot that is taken, and one at the stop, if somebody keeps them.
    """

    def __init__(
        self, base: socketserver.BaseServer, limits: Limits | None = None, access: Access | None = None
    ) -> None:
        """Take over a server object; from here on it is observed.

        Args:
            base: Constructed and bound, not serving.
            limits: What it allows; kept, and may be changed later.
            access: Who may connect; by default this machine only.

        Raises:
            UsageError: `base` is no ``socketserver`` server, or one that forks; or `access` is not for its kind.
        """
        access = access or Access()
        self._own_class = type(base)
        self.base = take_over(base, access)
        self.observation: Observation = self.base.observation
        self._loop = self.base._loop  # kept, for the time after the stop, when the object has its own class back
        self.observation.limits = limits or Limits()
        self.observation.access = access
        self.observation.on_serving = self._serving
        self.observation.on_idle = self._let_go
        self.cell = ""
        self.panel: Any = None
        self.program: Program | None = None
        self.is_saved = True
        self.on_snapshot: Callable[[Snapshot], None] | None = None
        self._state = ServerState.NEW
        # One step at a time through the states, whoever asks: stop() may be called from anywhere, twice, and at once.
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._report: StopReport | None = None
        self._failure: BaseException | None = None
        self._holds_console = False
        self._may_let_go = False
        self._path = UnixPath.of(self.base)
        registry.made(self)

    def start(self) -> Server:
        """Serve in a background thread; returns when it does.

        Raises:
            UsageError: It has been started before.
            OSError: The system has no descriptors or threads for it left; nothing stays behind.
        """
        name = f"nbserver-serve-{self._port_text()}"
        with self._lock:
            if self._state is not ServerState.NEW or self._thread is not None:
                raise UsageError(
                    f"a server is started once, and this one is {self._state.value}: make a new one with serve()"
                )
            # A daemon: a forgotten server must not keep the kernel alive.
            self._thread = threading.Thread(target=self._run, name=name, daemon=True)
            # Started with the lock held: a stop() from elsewhere must not find a thread that it cannot join.
            try:
                self._thread.start()
            except (RuntimeError, MemoryError) as error:
                self._failure = OSError(errno.EAGAIN, f"no thread for the accept loop: {error}")
        if self._failure is not None:
            self.stop()
        self.journal.wait_for(lambda: self._state is not ServerState.NEW, None)
        if self._failure is not None:
            self.journal.wait_for(lambda: self._state is ServerState.STOPPED, 2.0)
            raise self._failure
        return self

    def _run(self) -> None:
        try:
            self.base.serve_forever()
        except BaseException as error:
            self._failure = error
            self.observation.tell(Kind.TROUBLE, f"the accept loop ended: {type(error).__name__}: {error}")
        finally:
            self.stop()

    def _serving(self, is_serving: bool) -> None:
        """Told by the observed server at the begin and end of ``serve_forever``, in the thread that runs it."""
        if not is_serving:
            was_closed_unserved = self._state is ServerState.NEW and self._loop.is_closed
            if self._state is ServerState.SERVING or was_closed_unserved:
                self.stop()
            self._let_go()
            return
        with self._lock:
            self._thread = threading.current_thread()
            if self._state is ServerState.NEW:
                # Before anybody can see that it serves: who then asks, prints or stops it finds all in place.
                self._holds_console = True
                console.acquire()
                registry.add(self)
                self._become(ServerState.SERVING)

    def _become(self, state: ServerState) -> bool:
        with self._lock:
            if not may_follow(SERVER_TRANSITIONS, self._state, state):
                return False
            self._state = state
        self.observation.tell(Kind.STATE, state.value)
        return True

    def stop(self, grace: float = 2.0) -> StopReport:
        """End the accept loop, hang up on every client, wake every ``input()``, and wait for the handlers.

        Args:
            grace: How long to wait for handlers to return, in seconds.

        Returns:
            What ended, and which handlers did not; the same report however often it is called.

        Thread: any, a handler's own included: that one is not waited for.
        """
        started = time.monotonic()
        if not self._become(ServerState.STOPPING):
            self.journal.wait_for(lambda: self._state is ServerState.STOPPED, self._patience(grace))
            return self._report or StopReport()
        loop = self._loop
        self.observation.is_closing = True
        self.base._tell_to_stop()
        live = self.observation.live
        self._hang_up(live)
        if self.is_datagram:
            with contextlib.suppress(OSError):  # it is not connected, but a handler in recvfrom() is woken all the same
                socket.socket.shutdown(self.base.socket, socket.SHUT_RD)
        deadline = started + grace
        try:
            if not self._is_own_thread():
                loop.is_done.wait(max(0.0, deadline - time.monotonic()))
            self._close_listener()
            self._hang_up(self.observation.live)  # those that were accepted between the first look and the loop's end
            self._wait_for_handlers(deadline)
        finally:
            # Interrupted, as Ctrl-C in a cell does, it has stopped all the same: only the waiting ends.
            self._close_listener()
            self.observation.lab.end()
            self._end(len(live), started, deadline)
        return self._report or StopReport()

    def _patience(self, grace: float) -> float:
        # A handler that calls stop() while another thread's stop() waits for that handler must not wait for the other.
        return 0.0 if self._is_own_thread() or console_of_this_thread(self) else grace

    def _is_own_thread(self) -> bool:
        return threading.current_thread() in (self._thread, self._loop.thread)

    def _hang_up(self, connections: list[Connection]) -> None:
        for connection in connections:
            connection._hang_up("the server was stopped", socket.SHUT_RDWR)

    def _close_listener(self) -> None:
        # First, so that what is bound to the path right after is not taken away with it.
        if self._path is not None:
            self._path.remove()
        if self._loop.is_closed:
            return  # the program itself has closed it
        try:
            self.base.server_close()
        except Exception as error:  # a user's own server_close: told, and the stop goes on
            self.observation.tell(Kind.TROUBLE, f"server_close: {type(error).__name__}: {error}")

    def _wait_for_handlers(self, deadline: float) -> None:
        self.journal.wait_for(lambda: not self._others(), max(0.0, deadline - time.monotonic()))

    def _others(self) -> list[Connection]:
        """The connections that live, but for the one that this thread serves: it cannot be waited for."""
        own = console_of_this_thread(self)
        return [connection for connection in self.observation.live if connection is not own]

    def _end(self, ended: int, started: float, deadline: float) -> None:
        stragglers = tuple(self._others())
        for connection in stragglers:
            connection.note = "its handler did not end when the server was stopped"
        registry.remove(self)
        self._unwatch_shared()
        workers = vars(self.base).get("_nbserver_workers")
        if workers is not None:  # a server_close() of the user's own may not have come to ours
            workers.close(max(0.1, deadline - time.monotonic()))
        thread = self._thread
        is_ours = thread is not None and not self.program and not self._is_own_thread()
        if thread is not None and is_ours and thread.is_alive() and self._loop.is_done.is_set():
            thread.join(max(0.1, deadline - time.monotonic()))  # its loop is done: only its last lines are left
        self._report = StopReport(ended, stragglers, time.monotonic() - started)
        self._may_let_go = True
        self._let_go()
        self._become(ServerState.STOPPED)
        if self.on_snapshot is not None:
            self.snapshot()

    def _let_go(self) -> None:
        """Undo what handlers need, when it was stopped and the last has ended: routed input() and print(), our class.

        A handler that goes on after the stop would else print into some cell, and its error to stderr.
        """
        with self._lock:
            if not self._may_let_go or not self._loop.is_done.is_set() or self.observation.live:
                return
            holds, self._holds_console = self._holds_console, False
            self.base.__class__ = self._own_class
        if holds:
            console.release()

    def _after_fork(self) -> None:
        """In a forked child: it has been stopped here; what the parent's does with the same sockets goes on."""
        self._lock = threading.RLock()
        self._loop.after_fork()
        workers = vars(self.base).get("_nbserver_workers")
        if workers is not None:
            workers.after_fork()
        self.observation.after_fork()
        close_copy(getattr(self.base, "socket", None))
        self._thread = self._path = None
        self._holds_console = self._may_let_go = False
        self._state = ServerState.STOPPED

    def __enter__(self) -> Server:
        return self.start() if self._state is ServerState.NEW and self._thread is None else self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def wait_stopped(self, timeout: float | None = None) -> None:
        """Wait until it has been stopped: what a script does after `start`, whose end would end the server's threads.

        Raises:
            NotHeard: It has not been stopped within `timeout` seconds.
        """
        if not self.journal.wait_for(lambda: self._state is ServerState.STOPPED, timeout):
            raise NotHeard(f"{self.address_text} has not been stopped within {timeout} s")

    def snapshot(self) -> Snapshot:
        """What was said with each client until now, as text: ``print(server.snapshot())``.

        It is bounded, and counts what it leaves out. Where the notebook shows the board, the text that is kept there
        for readers without a kernel is refreshed. Thread: any.
        """
        connections = self.connections.values()
        seen = self.observation.forgotten[0]
        made = Snapshot.of(
            f"Conversation with {count_of(seen + len(connections), 'client')}",
            [(connection.title, connection.transcript) for connection in connections],
            f"{safe_text(self.kind, 200)} on {self.address_text}, {self.state.value}",
            seen,
        )
        if self.on_snapshot is not None:
            self.on_snapshot(made)
        return made

    def _port_text(self) -> str:
        address = self.base.server_address
        return str(address[1]) if isinstance(address, tuple) else "unix"

    def __repr__(self) -> str:
        live = len(self.observation.live)
        return f"<Server {self.address_text} {self.kind} {self._state.value}, {live} open>"


def console_of_this_thread(server: Server) -> Connection | None:
    """The connection of `server` that this thread serves, if it is one of its handlers."""
    speaker = context.current()
    mine = isinstance(speaker, Connection) and speaker._observation is server.observation
    return speaker if mine else None  # type: ignore[return-value]
