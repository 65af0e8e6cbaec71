"""Runs the text of a cell as a program in a sibling thread; the servers that it makes are observed."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from .. import context
from ..console import Program
from ..errors import NbserverError, UsageError
from ..events import Kind
from ..net import Access, Limits, Observed, Server, address_error, observed_class, refuse_forking
from .cells import current_cell, shell

_NEVER_LISTENING_SECONDS = 10.0
_SHOWN = (Kind.PRINTED, Kind.ASKED, Kind.ERROR)


def compiled(source: str) -> Any:
    """The code of a cell's text, IPython's own syntax included. Raises `SyntaxError`, with the student's line."""
    ip = shell()
    if ip is None:
        return compile(source, "<program>", "exec")
    above = "\n" * (len(source) - len(source.lstrip("\n")))
    text = above + ip.transform_cell(source)
    # Known to linecache under this name, so that a traceback shows the line, and as the cell's, so that it names it.
    return ip.compile(text, ip.compile.cache(text, current_cell().run), "exec")


def run_text(code: Any, namespace: dict[str, Any]) -> Callable[[], None]:
    """A function that runs `code` as the main program, with `namespace` as its variables."""
    namespace.update(__name__="__main__")

    def run() -> None:
        exec(code, namespace)

    return run


class ServerProgram(Program):
    """A server's program. Its ``socketserver`` objects become observed ones when they are made, whatever their class.

    Attributes:
        variables: Its variables.
        servers: The `Server`s that it serves, in the order in which they began.
        access, limits: Who may connect to its servers, and what each allows.
        last_address: What it tried to bind last.
        shown: The number of the last event of its transcript that its cell has shown.
    """

    def __init__(
        self, code: Any, variables: dict[str, Any], inherited: Iterable[object], access: Access, limits: Limits
    ) -> None:
        super().__init__(0, run_text(code, variables), "nbserver-program", inherited)
        self.variables = variables
        self.access, self.limits = access, limits
        self.servers: list[Server] = []
        self.last_address: Any = None
        self.shown = 0
        self._is_listening = False
        self.on_server: Callable[[Server], None] = lambda server: None

    def start(self) -> None:
        """Start it; the hooks by which it is followed live as long as it does."""
        _hooks.acquire()
        try:
            super().start()
        except RuntimeError:
            _hooks.release()
            raise

    def _end(self) -> None:
        _hooks.release()
        super()._end()

    def wait_listening(self) -> None:
        """Wait until it listens, ends, or asks for input; at most 10 s.

        Raises:
            AddressError: It could not bind its address.
            BaseException: What it raised before it listened.
        """
        self._journal.wait_for(
            lambda: self._is_listening or self.has_ended or self.is_waiting, timeout=_NEVER_LISTENING_SECONDS
        )
        if self.error is None:
            return
        if isinstance(self.error, OSError) and self.error.errno and self.last_address is not None:
            raise address_error(self.error, self.last_address) from self.error
        _show_only_own_frames(self.error)
        raise self.error

    def adopt(self, base: Any, address: Any) -> None:
        """A ``socketserver`` object is being made in this program's thread: observe it from its first moment."""
        refuse_forking(type(base))
        if not isinstance(base, Observed):
            base.__class__ = observed_class(type(base))
            base.observation.life.begin("__init__")  # as good as: it is the first thing that an __init__ calls
        base.observation.on_serving = lambda is_serving: self._serves(base, is_serving)
        self.last_address = address

    def _serves(self, base: Any, is_serving: bool) -> None:
        if is_serving:
            server = Server(base, replace(self.limits), self.access)
            server.program = self
            server.is_saved = self.is_saved
            self.servers.append(server)
            self.on_server(server)
            server._serving(True)
            self.listens()

    def listens(self) -> None:
        """It listens now: the cell may return."""
        self._is_listening = True
        self._journal.wake()

    def run_again(self) -> None:
        """Not this one. Raises `UsageError`: its cell runs it again, and takes over its ports."""
        raise UsageError("a server's program is run again by running its cell")

    def close(self) -> None:
        """Stop its servers, and end what is left of it."""
        for server in self.servers:
            server.stop()
        try:
            self.wait_ended(0.2 if self.servers else 0.0)
        except NbserverError:
            super().close()

    def take_printed(self) -> str:
        """What it has printed since the last time; its cell shows it, as it would show what any cell prints."""
        fresh = self.transcript.read(self.shown)
        self.shown = fresh[-1][0] if fresh else self.shown
        return "".join(event.data.decode() + "\n" for _, event in fresh if event.kind is Kind.PRINTED)

    @property
    def has_more_to_show(self) -> bool:
        """Whether it has printed, asked, or failed since then: then its console is shown with its server's board."""
        return self.transcript.last > self.shown and any(e.kind in _SHOWN for _, e in self.transcript.read(self.shown))


def _show_only_own_frames(error: BaseException) -> None:
    """Let IPython show the student's lines of the traceback, and not the lines of ours that ran them."""
    ip, frames = shell(), error.__traceback__
    while frames is not None and frames.tb_frame.f_globals.get("__name__") != "__main__":
        frames = frames.tb_next
    if ip is not None and frames is not None:
        shown = ip.InteractiveTB.structured_traceback(type(error), error, frames)
        error._render_traceback_ = lambda: shown  # type: ignore[attr-defined]  # IPython asks for it before it makes its own


def _current_program() -> ServerProgram | None:
    speaker = context.current()
    return speaker if isinstance(speaker, ServerProgram) else None


class _Hooks:
    """Two methods of the standard library that look whether a program of ours calls them; in place while one runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # programs begin and end in threads of their own
        self._users = 0
        self._init: Any = None

    def acquire(self) -> None:
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._init = socketserver.BaseServer.__init__
                socketserver.BaseServer.__init__ = self._observing(self._init)  # type: ignore[method-assign]
                socket.socket.listen = _listen  # type: ignore[method-assign, assignment]  # in front of the C method that it inherits

    def release(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                socketserver.BaseServer.__init__ = self._init  # type: ignore[method-assign]
                del socket.socket.listen

    @staticmethod
    def _observing(original: Any) -> Any:
        def __init__(self: Any, server_address: Any, RequestHandlerClass: Any) -> None:
            program = _current_program()
            if program is not None:
                program.adopt(self, server_address)
            original(self, server_address, RequestHandlerClass)

        return __init__


def _listen(self: socket.socket, *args: Any) -> None:
    """``socket.listen``, which also tells the program that calls it that it may be waited for no longer.

    A ``socketserver`` object listens before it serves: there the cell waits for the board.
    """
    super(socket.socket, self).listen(*args)
    program = _current_program()
    if program is not None and not _is_socketserver(program):
        program.listens()


def _is_socketserver(program: ServerProgram) -> bool:
    return program.last_address is not None


_hooks = _Hooks()
