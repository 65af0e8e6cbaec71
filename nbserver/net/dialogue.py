"""What people say to the clients of a server, and what they hear from them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterable
from typing import Any, overload

from ..errors import ConnectionEnded, NbserverError, NotHeard, UsageError
from ..states import ServerState
from .connection import Connection
from .finding import find
from .known import Known
from .waiting import ear_of, named, wait, wait_async

# A handler that has just received is about to ask, or to receive again. A text that went past it now would leave it in
# input(), where it would not hear the answer. No byte tells us, so we look; in seconds.
_SETTLING, _STEP = 1.0, 0.001
_ASYNC_PATIENCE = 0.2  # seconds for a client that does not read, while no other task of the loop runs


class Dialogue(Known):
    """The talk of a `Server` with its clients: with one, or with all. Thread: any."""

    @overload
    def wait_for_connections(self, number: int) -> Coroutine[Any, Any, list[Connection]]: ...

    @overload
    def wait_for_connections(self, number: int, timeout: float) -> list[Connection]: ...

    def wait_for_connections(
        self, number: int, timeout: float | None = None
    ) -> list[Connection] | Coroutine[Any, Any, list[Connection]]:
        """The first `number` connections, as soon as so many have been accepted in all; some may have ended since.

        ``server.wait_for_connections(3, timeout=60)`` waits in any cell; ``await server.wait_for_connections(3)`` lets
        other tasks run, and its limit is that of ``asyncio.timeout()``. The board works meanwhile, either way.

        Args:
            number: How many, from 1.
            timeout: In seconds, `math.inf` for as long as it takes; left out, an awaitable is returned.

        Returns:
            In the order of their numbers; without those that ended so long ago that they are no longer known.

        Raises:
            NotHeard: They have not come in time, or until it was stopped.

        Thread: any.
        """

        def come() -> str:
            return f"{self.accepted} of {number} connections have come"

        def look() -> list[Connection] | None:
            is_stopped = self._state is ServerState.STOPPED  # asked before: none comes after
            known = self.observation.connections
            if self.accepted >= number:
                return [known[n] for n in range(1, number + 1) if n in known]
            if is_stopped:
                raise NotHeard(f"{come()} until it was stopped")
            return None

        if timeout is None:
            return named(wait_async(self.journal, look), "Server.wait_for_connections")
        return wait(self.journal, look, timeout, come)

    def reply(self, number: int, text: str, ask: int = 0) -> None:
        """As `Connection.reply` of connection `number`."""
        self[number].reply(text, ask)

    @overload
    def ask(self, number: int, text: str) -> Coroutine[Any, Any, str]: ...

    @overload
    def ask(self, number: int, text: str, timeout: float) -> str: ...

    def ask(self, number: int, text: str, timeout: float | None = None) -> str | Coroutine[Any, Any, str]:
        """Give client `number` the text, as `reply` does, and wait for what it sends next.

        ``server.ask(3, "your name? ", timeout=60)`` waits in any cell; ``await server.ask(3, "your name? ")`` lets
        other tasks run. Once awaited, that is: before, nothing is sent. See `Connection.receive`.

        Args:
            number: Of the connection.
            text: Without a line end; none is added.
            timeout: In seconds, `math.inf` for as long as it takes; left out, an awaitable is returned.

        Returns:
            One message, read as UTF-8; what cannot be is replaced.

        Raises:
            NotHeard: It has sent nothing in time.
            NbserverError: As `Connection.reply` and `Connection.receive` do.

        Thread: any.
        """
        connection = self[number]
        if timeout is None:
            return named(self._ask(connection, text), "Server.ask")
        deadline = time.monotonic() + _SETTLING
        while not connection.is_settled and time.monotonic() < deadline:
            time.sleep(_STEP)
        ear_of(connection).skip()
        connection.reply(text)
        return connection.receive(timeout).decode("utf-8", "replace")

    async def _ask(self, connection: Connection, text: str) -> str:
        deadline = time.monotonic() + _SETTLING
        while not connection.is_settled and time.monotonic() < deadline:
            await asyncio.sleep(_STEP)
        ear_of(connection).skip()
        connection.reply(text, timeout=_ASYNC_PATIENCE)
        return (await connection.receive()).decode("utf-8", "replace")

    def broadcast(self, text: str, to: Iterable[int] | None = None) -> dict[int, str]:
        """Give `text` to every client, or to some, as `Connection.reply` does.

        Args:
            text: See `Connection.reply`.
            to: The numbers of the connections that are meant, such as ``[1, 3]``; None means all that live.

        Returns:
            Those that could not be given it: number → why. One that does not read stops nobody else.
        """
        missed = {}
        deadline = time.monotonic() + 1.0  # for all together: those that do not read must not add up
        numbers = {connection.number for connection in self.observation.live} if to is None else set(to)
        for number in sorted(numbers):
            try:
                self[number].reply(text, timeout=max(0.0, deadline - time.monotonic()))
            except NbserverError as error:
                # Who left meanwhile is not among all any more; but who was named is missed.
                if to is not None or not isinstance(error, (ConnectionEnded, UsageError)):
                    missed[number] = str(error)
        return missed

    def find(self, text: str) -> list[int]:
        """The numbers of the connections in whose conversations `text` stands, in small or in capital letters.

        What is looked through: all that their transcripts keep, of what came and went, was asked, answered and printed.
        """
        return sorted(find(self.connections.values(), text))
