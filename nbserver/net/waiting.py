"""Waiting for what clients do: as a call with a limit of time, or with ``await``. No thread, and no cost for a byte.

Most facts announce themselves, and whoever waits is told by the journal. Received messages do not, since no byte takes
a lock. How a connection notes what it carries is an attribute of it, though (`Traffic`): while somebody waits for a
message of that connection, and only then, this is a function that announces it, too. So an answer comes at once, and
nobody looks again and again.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import ConnectionEnded, NotHeard
from ..events import Kind
from ..journal import LOOK_SECONDS, Journal, meanwhile
from ..states import ConnectionState
from .traffic import CREDIT

if TYPE_CHECKING:
    from .connection import Connection

T = TypeVar("T")

# Held while somebody begins or ceases to listen, and takes a message; nothing is announced meanwhile. Reentrant, since
# a signal handler may wait, too.
_changing = threading.RLock()


def wait(journal: Journal, look: Callable[[], T | None], timeout: float, late: Callable[[], str]) -> T:
    """What `look` gives, as soon as it gives something.

    Args:
        journal: Where what is waited for is announced.
        look: Returns None while it is not there.
        timeout: In seconds; `math.inf` waits for ever.
        late: Says what there is instead, for the message of `NotHeard`.

    Raises:
        NotHeard: It gave nothing in time.
    """
    found: list[T] = []

    def is_there() -> bool:
        value = look()
        found.extend([] if value is None else [value])
        return bool(found)

    if not journal.wait_for(is_there, timeout):
        raise NotHeard(f"{late()} within {timeout} s")
    return found[0]


async def wait_async(journal: Journal, look: Callable[[], T | None]) -> T:
    """As `wait`, in an event loop: without a thread, and cancelled it leaves nothing behind."""
    loop, work = asyncio.get_running_loop(), meanwhile()
    while True:
        changed = asyncio.Event()

        def tell(changed: asyncio.Event = changed) -> None:
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits there any more
                loop.call_soon_threadsafe(changed.set)

        # One after the other: what happens after the look finds somebody to tell.
        with journal.telling(tell):
            value = look()
            if value is not None:
                return value
            timer = loop.call_later(LOOK_SECONDS, changed.set) if work else None
            try:
                await changed.wait()
            finally:
                if timer:
                    timer.cancel()
        if work:
            work()


def named(coroutine: Coroutine[Any, Any, T], name: str) -> Coroutine[Any, Any, T]:
    """The coroutine, known to Python's warnings as the method that was called."""
    coroutine.__qualname__ = name  # type: ignore[attr-defined]  # typeshed knows only what `inspect` checks
    return coroutine


def ear_of(connection: Connection) -> Ear:
    """The one that listens to a connection; most are never listened to. Thread: any."""
    with _changing:
        if connection._ear is None:
            connection._ear = Ear(connection)
        return connection._ear


class Ear:
    """Listens to one connection: inside its ``with`` block what the connection carries is kept and announced."""

    __slots__ = ("_connection", "_heard", "_listeners")

    def __init__(self, connection: Connection) -> None:
        """Nobody listens yet, and nothing was heard."""
        self._connection = connection
        self._listeners = 0
        self._heard = 0  # the number of the last event that was gone past

    def __enter__(self) -> None:
        connection = self._connection
        with _changing:
            self._listeners += 1
            connection.credit = max(connection.credit, 1)  # the next message is kept, however many went by before
            connection._note = self._note
        connection._observation.call_regularly(self)

    def __exit__(self, *exception: object) -> None:
        with _changing:
            self._listeners -= 1
            if not self._listeners:
                self._connection._note = self._connection.transcript.note

    def _note(self, fact: tuple[Kind, float, int, bytes, int]) -> None:
        connection = self._connection
        connection.transcript.note(fact)
        if connection.credit <= 0:
            connection.credit = CREDIT
        connection._journal.wake()

    def tick(self) -> bool:
        """Let those who wait look again: a thread may have been about to note something when the first began."""
        self._connection._journal.wake()
        return self._listeners > 0

    def skip(self) -> None:
        """Go past all that has come."""
        with _changing:
            self._heard = self._connection.transcript.last

    def next(self) -> bytes | None:
        """The next message, if it is there.

        Raises:
            ConnectionEnded: It is not, and none will come.
        """
        connection = self._connection
        # Asked before: whatever came had come by then.
        is_last = connection.is_over or connection.state is ConnectionState.HALF_CLOSED
        with _changing:
            for number, event in connection.transcript.read(self._heard):
                self._heard = number
                if event.kind is Kind.RECEIVED:
                    return event.data
        if is_last:
            why = connection.note or "the client has closed"
            raise ConnectionEnded(f"connection {connection.number} sends no more: {why}")
        return None
