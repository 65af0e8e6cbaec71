"""What stays of a board in a notebook that is read without a kernel: the conversation as text, in an output of its own.

JupyterLab shows no other form of an output whose widget is gone, so the text cannot be in the board's own. While the
board is there, the style sheet hides it.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from ..console import Program
from ..kernel import Output
from ..net import Server
from ..states import ServerState
from .hub import publisher

if TYPE_CHECKING:
    from ..export import Snapshot
    from ..fleet import Fleet

_PERIOD = 10.0  # seconds: JupyterLab saves the file whenever it likes, with what was said until a moment before
_NOTHING = {"text/html": '<div class="nbs-conversation"></div>', "text/plain": ""}


class Saved:
    """The text of one server, of one client, or of several, as the notebook keeps it.

    It is refreshed every ten seconds while something is said, with each snapshot that is taken, and at the end: when
    the server stops, when all clients have ended.
    """

    def __init__(self, thing: Server | Program | Fleet) -> None:
        """Keep what is said with `thing`, once it is shown."""
        self._thing = thing
        self._output = Output()
        self._due: Snapshot | None = None
        self._is_complete = False
        self._taken, self._taken_at = 0, 0.0
        self._sending = threading.Lock()  # the main thread and the publisher send; the newer must not be overtaken

    def show(self) -> None:
        """Begin, or show it in one more cell. Thread: the main one."""
        with self._sending:
            self._thing.on_snapshot = None
            made = self._thing.snapshot()
            self._thing.on_snapshot = self.take
            self._note()
            self._is_complete = self._has_ended()
            has_said = any(block.lines for block in made.blocks)
            self._output.show(_bundle(made) if has_said else _NOTHING)
        if not self._is_complete:
            publisher.add(self)

    def close(self) -> None:
        """End it, as it is now. Thread: the main one."""
        if not self._is_complete:
            self._thing.snapshot()
        self._thing.on_snapshot, self._is_complete = None, True

    def take(self, made: Snapshot) -> None:
        """A snapshot was taken. Thread: any; a handler's does not send, since that would open a socket of ZeroMQ's."""
        self._due = made
        self._note()
        if threading.current_thread() is threading.main_thread():
            self._send()
        else:
            publisher.add(self)
            publisher.hurry()

    def tick(self) -> bool:
        """Send what is due; returns whether there may be more to come. Thread: the publisher's."""
        if self._due is not None:
            self._send()
        elif self._has_ended() != self._is_complete or self._has_news():  # clients may run again
            self._thing.snapshot()  # comes to `take`
        return not self._is_complete

    def _note(self) -> None:
        self._taken, self._taken_at = self._events(), time.monotonic()

    def _has_news(self) -> bool:
        is_time = self._is_complete or time.monotonic() - self._taken_at > _PERIOD
        return is_time and self._events() != self._taken

    def _events(self) -> int:
        """How many facts there have been."""
        if isinstance(self._thing, Server):
            return self._thing.journal.last
        clients = [self._thing] if isinstance(self._thing, Program) else self._thing
        return sum(client.transcript.last for client in clients)

    def _send(self) -> None:
        with self._sending:
            made, self._due = self._due, None
            if made is not None:
                self._is_complete = self._has_ended()
                self._output.refresh(_bundle(made))

    def _has_ended(self) -> bool:
        if isinstance(self._thing, Server):
            return self._thing.state is ServerState.STOPPED
        return self._thing.has_ended


def _bundle(made: Snapshot) -> dict[str, str]:
    return {"text/html": made._repr_html_(), "text/plain": str(made)}
