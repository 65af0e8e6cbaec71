"""What serves the clients of a comparison: a `socketserver` class, or an asyncio server, each on a port of its own."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import socket
import socketserver
import threading
import time
import types
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, Protocol

from .. import console, context, teach
from ..errors import InputClosed, UsageError
from ..net import Limits, Server, listen, refuse_forking
from ..text import safe_text

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
_STARTING_SECONDS = 5.0


class Served(NamedTuple):
    """What a server knows of one client, in seconds since 1970; None if it has not come to that."""

    accepted: float | None = None
    begun: float | None = None
    ended: float | None = None
    note: str = ""


class Column(Protocol):
    """One server of a comparison. Thread: any."""

    name: str

    def start(self) -> Any:
        """Begin to serve; returns the address."""

    def served(self, peer: Any) -> Served:
        """What it knows of the client with this address."""

    @property
    def is_idle(self) -> bool:
        """Whether no handler runs."""

    @property
    def has_ended(self) -> bool:
        """Whether it serves no more."""

    def stop(self) -> None:
        """End it."""


def column_of(what: Any, handler: Any, answer: str) -> Column:
    """The column of a server class, or of an async function.

    Raises:
        UsageError: It is neither, or one that cannot be compared; the message says why.
    """
    if inspect.iscoroutinefunction(what):
        return AsyncColumn(what)
    if isinstance(what, type) and issubclass(what, socketserver.BaseServer):
        refuse_forking(what)
        if inspect.iscoroutinefunction(handler):
            raise UsageError(f"{what.__name__} calls no async function: put it among the servers, beside the classes")
        is_tcp = getattr(what, "address_family", None) in (socket.AF_INET, socket.AF_INET6)
        if not (is_tcp and issubclass(what, socketserver.TCPServer) and what.socket_type == socket.SOCK_STREAM):
            raise UsageError(
                f"{what.__name__} cannot be compared: who waits for whom is a question of TCP servers, since UDP and "
                "Unix sockets give a client no address to know it by"
            )
        return ServerColumn(what, handler, answer)
    raise UsageError(
        "compare() takes server classes, such as socketserver.TCPServer and nbserver.pool(2), and async functions "
        f"handle(reader, writer), not {safe_text(repr(what), 80)}"
    )


class ServerColumn:
    """A real server of a ``socketserver`` class."""

    def __init__(self, server_class: type[socketserver.BaseServer], handler: Any, answer: str) -> None:
        self.name = server_class.__name__
        self._begun: dict[Any, float] = {}
        self._ended: dict[Any, float] = {}
        host = "::1" if server_class.address_family == socket.AF_INET6 else "127.0.0.1"  # type: ignore[attr-defined]
        self.server: Server = listen(handler, (host, 0), self._timed(server_class), Limits())
        self.server.rules.add("", answer)
        self.server.is_saved = False

    def _timed(self, cls: Any) -> Any:
        """The class, with two looks at the clock around ``finish_request``, which runs the handler."""
        begun, ended = self._begun, self._ended

        def finish_request(server: Any, request: Any, client_address: Any) -> None:
            begun[client_address] = time.time()
            try:
                super(made, server).finish_request(request, client_address)  # type: ignore[misc]
            finally:
                ended[client_address] = time.time()

        made: Any = types.new_class(
            cls.__name__, (cls,), exec_body=lambda body: body.update(finish_request=finish_request)
        )
        made.__module__, made.__qualname__, made.__doc__ = cls.__module__, cls.__qualname__, cls.__doc__
        return teach.hide(made)

    def start(self) -> Any:
        """Begin to serve; returns the address."""
        return self.server.start().address

    def served(self, peer: Any) -> Served:
        """What it knows of the client with this address."""
        found = next((c for c in self.server.connections.values() if c.peer == peer), None)
        if found is None:
            return Served()
        note = found.note if found.state.value == "failed" else ""
        return Served(found.opened, self._begun.get(peer), self._ended.get(peer), note)

    @property
    def is_idle(self) -> bool:
        """Whether no handler runs."""
        return not self.server.observation.live

    @property
    def has_ended(self) -> bool:
        """Whether it serves no more."""
        return self.server.state.value in ("stopping", "stopped")

    def stop(self) -> None:
        """End it."""
        self.server.stop()


class _Keyboard:
    """What ``input()`` and ``print()`` of an async function are given to: an event loop has no time for a person."""

    def ask(self, prompt: str) -> str:
        raise InputClosed("input() would stop the event loop, and with it every client")

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        """Nothing is kept."""


class AsyncColumn:
    """An asyncio server, whose event loop has a thread of its own."""

    def __init__(self, handle: Handle) -> None:
        self.name = f"asyncio: {getattr(handle, '__name__', 'handle')}"
        self._handle = handle
        self._known: dict[Any, Served] = {}
        self._transports: set[asyncio.BaseTransport] = set()
        self._running = 0
        self._address: Any = None
        self._error: OSError | None = None
        self._is_ready, self._end = threading.Event(), asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        # A daemon: a handler that blocks its loop must not keep the kernel alive.
        self._thread = threading.Thread(target=self._run, name="nbserver-compare-asyncio", daemon=True)

    def start(self) -> Any:
        """Begin to serve; returns the address. Raises `OSError` when the system has no descriptors left."""
        self._thread.start()
        self._is_ready.wait(_STARTING_SECONDS)
        if self._error is not None:
            raise self._error
        return self._address

    def _run(self) -> None:
        console.acquire()
        try:
            with context.speaking_to(_Keyboard()):
                asyncio.run(self._serve())
        except OSError as error:
            self._error = error
        finally:
            console.release()
            self._is_ready.set()

    async def _serve(self) -> None:
        self._loop, column = asyncio.get_running_loop(), self

        class Accepted(asyncio.StreamReaderProtocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                column._known[transport.get_extra_info("peername")] = Served(time.time())
                column._transports.add(transport)
                super().connection_made(transport)

        def protocol() -> Accepted:
            return Accepted(asyncio.StreamReader(), self._timed)

        server = await self._loop.create_server(protocol, "127.0.0.1", 0)
        self._address = server.sockets[0].getsockname()
        self._is_ready.set()
        await self._end.wait()
        server.close()
        for transport in self._transports:
            transport.close()

    async def _timed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer, note = writer.get_extra_info("peername"), ""
        self._known[peer] = self._known[peer]._replace(begun=time.time())
        self._running += 1
        try:
            await self._handle(reader, writer)
        except InputClosed as error:
            note = str(error)
        except Exception as error:  # it is the lane's note, as another handler's would be its connection's
            note = safe_text(f"{type(error).__name__}: {error}", 200)
        finally:
            self._running -= 1
            self._known[peer] = self._known[peer]._replace(ended=time.time(), note=note)
            if note:
                writer.close()

    def served(self, peer: Any) -> Served:
        """What it knows of the client with this address."""
        return self._known.get(peer, Served())

    @property
    def is_idle(self) -> bool:
        """Whether no handler runs."""
        return self._running == 0

    @property
    def has_ended(self) -> bool:
        """Whether it serves no more."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        """End it; a handler that blocks its loop is waited for 2 s."""
        if self._loop is not None and self._thread.is_alive():
            with contextlib.suppress(RuntimeError):  # its loop was closed this moment
                self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join(2.0)
