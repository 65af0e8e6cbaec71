"""What runs in the kernel for `tests/bench/board.py`: a server with many connections, and the events that befall them.

Ten thousand real sockets would need as many threads; so the connections are made by the function that accepting calls,
and are told what they carry by the functions that the sockets call. Everything behind that is the real thing: the
journal, the feed, the publisher, the messages to the page.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import ipywidgets

import nbserver
from nbserver.net import Connection
from nbserver.states import Activity

_STEP = 0.005  # seconds between two handfuls of events
_PERIOD = 0.1  # seconds between two updates of the panel made of ipywidgets, as often as the board's


def _seconds_of(clock: int) -> float:
    try:
        return time.clock_gettime(clock)
    except OSError:
        return 0.0  # its thread has ended meanwhile


class Crowd:
    """A server's connections, each blocked in ``recv()``."""

    def __init__(self, count: int) -> None:
        """So many."""
        self.server = nbserver.serve(nbserver.Echo, max_connections=count + 100)
        self.connections: list[Connection] = []
        for n in range(count):
            connection = self.server.observation.open(("127.0.0.1", 1024 + n % 60_000), None)
            connection.served()
            connection.activity = Activity.RECEIVING
            self.connections.append(connection)
        self.on_event: Callable[[Connection], Any] = lambda connection: None
        self.last_event = self.shown = self.busy = 0.0
        self.done = 0

    def show(self) -> Any:
        """The last expression of the cell."""
        self.shown = time.time()
        return self.server

    def end(self) -> None:
        """Let go of everything: no handler ends these connections."""
        for connection in self.server.observation.live:
            connection.end()
        self.server.stop()

    def talk(self, rate: int, seconds: float, last: str) -> None:
        """Let them talk, `rate` messages a second in all for `seconds`; the first one ends with the text `last`."""
        threading.Thread(target=self._talk, args=(rate, seconds, last), daemon=True).start()

    def _talk(self, rate: int, seconds: float, last: str) -> None:
        drawers = [t for t in threading.enumerate() if t.name in ("nbserver-publisher", "panel")]
        clocks = [time.pthread_getcpuclockid(thread.ident) for thread in drawers if thread.ident is not None]
        used = sum(map(_seconds_of, clocks))
        began, self.done = time.perf_counter(), 0
        while (passed := time.perf_counter() - began) < seconds:
            for n in range(self.done, int(passed * rate)):
                self._message(self.connections[n * 7919 % len(self.connections)], n)
                self.done += 1
            time.sleep(_STEP)
        self._tell(self.connections[0], last.encode())
        self.last_event = time.time()
        self.busy = (sum(map(_seconds_of, clocks)) - used) / (time.perf_counter() - began)

    def _message(self, connection: Connection, n: int) -> None:
        self._tell(connection, b"message %d of the crowd" % n)

    def _tell(self, connection: Connection, data: bytes) -> None:
        (connection.received if connection.messages_in <= connection.messages_out else connection.sent)(data, len(data))
        self.on_event(connection)


class Panel(Crowd):
    """The same shown by ipywidgets alone, as one would write it: HTML, Text and Button for each connection."""

    def show(self) -> Any:
        """The last expression of the cell."""
        self.shown = time.time()
        self._changed: dict[int, Connection] = {}
        self._lines = {c.number: ipywidgets.HTML(self._text(c)) for c in self.connections}
        self.on_event = lambda connection: self._changed.update({connection.number: connection})
        threading.Thread(target=self._draw, name="panel", daemon=True).start()
        rows = [
            ipywidgets.HBox([line, ipywidgets.Text(placeholder="reply"), ipywidgets.Button(description="Send")])
            for line in self._lines.values()
        ]
        return ipywidgets.VBox(rows)

    def _draw(self) -> None:
        while self.server.state.value == "serving":
            changed, self._changed = self._changed, {}
            for number, connection in changed.items():
                self._lines[number].value = self._text(connection)
            time.sleep(_PERIOD)

    def _text(self, c: Connection) -> str:
        return f"<b>#{c.number}</b> {c.status} {c.messages_in} / {c.messages_out} <code>{c.preview.decode()}</code>"
