"""A page without a browser: what a view makes of a hub's messages, and how it asks, by PROTOCOL.md."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .conftest import Kernel


class Page:
    """One view of the board of a kernel's server.

    Attributes:
        rows: By table and number, as the protocol gives them.
        gaps: How often a number was missing, and a snapshot was asked for.
    """

    def __init__(self, kernel: Kernel, server: str = "server") -> None:
        """Show the board of `server`, an expression in the kernel."""
        self.kernel = kernel
        self.key, self._comm = kernel.value(f"'{{0.key}} {{0.model_id}}'.format({server}.panel.mirror)").split()
        self.rows: dict[tuple[str, int], list] = {}
        self.server: dict = {}
        self.counts: dict = {}
        self.acks: dict[str, dict] = {}
        self.messages = self.gaps = 0
        self._life, self._number = "", 0
        kernel.listeners.append(self._hear)
        self.ask("hello")
        self.wait(lambda: self._life)

    def ask(self, do: str, **request: Any) -> str:
        """Send a wish; returns its name in `acks`."""
        rid = secrets.token_hex(8)
        self.send({"do": do, "rid": rid, **request})
        return rid

    def send(self, request: dict) -> None:
        client = self.kernel.client
        content = {"hub": self.key, "request": request}
        client.control_channel.send(client.session.msg("nbserver_request", content))

    def must(self, do: str, **request: Any) -> None:
        """A wish that is carried out."""
        rid = self.ask(do, **request)
        self.wait(lambda: rid in self.acks)
        assert self.acks[rid]["ok"], self.acks[rid]

    def wait(self, condition: Callable[[], object]) -> None:
        """Take in what the kernel sends until something is so."""
        self.kernel.pump_until(condition)

    def _hear(self, said: dict) -> None:
        content = said["content"]
        if said["msg_type"] != "comm_msg" or content["comm_id"] != self._comm or content["data"]["method"] != "custom":
            return
        message = content["data"]["content"]
        for one in message["messages"] if message["t"] == "bundle" else [message]:
            self._take(one)

    def _take(self, message: dict) -> None:
        if message["t"] == "snap":
            self.rows = {}
        elif message["t"] != "delta" or (message["ep"] == self._life and message["q"] <= self._number):
            return
        elif message["ep"] != self._life or message["q"] != self._number + 1:
            self.gaps += 1
            self.ask("hello")
            return
        self._apply(message)

    def _apply(self, message: dict) -> None:
        self.messages += 1
        self._life, self._number = message["ep"], message["q"]
        self.server, self.counts = message.get("server", self.server), message.get("counts", self.counts)
        for table in ("connections", "clients"):
            self.rows.update({(table, row[0]): row for row in message.get(table, [])})
            for number in message.get("gone", {}).get(table, []):
                del self.rows[table, number]
        self.acks.update({ack["rid"]: ack for ack in message.get("acks", [])})


class CommPage(Page):
    """One without the kernel's handle, as in Visual Studio Code and Colab: it has nothing but the widget's comm."""

    def send(self, request: dict) -> None:
        client = self.kernel.client
        content = {"comm_id": self._comm, "data": {"method": "custom", "content": request}}
        client.shell_channel.send(client.session.msg("comm_msg", content))
