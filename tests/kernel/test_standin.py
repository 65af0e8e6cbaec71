"""The board in Visual Studio Code and in Colab: a page that lacks what theirs lack, and a real kernel.

Neither gives a view the kernel's handle, and so neither control channel nor subshell: there is the widget's comm. They
mark their themes in ways of their own, and have no style of JupyterLab. What the page sends is carried to the kernel,
and what the kernel publishes to the page, as those programs do.
"""

from __future__ import annotations

import base64
import contextlib
import socket
import time
from pathlib import Path
from queue import Empty

import pytest
from playwright.sync_api import expect

from nbserver.widgets.pack import pack

from .conftest import PATIENCE

WIDGETS = Path(__file__).resolve().parents[2] / "nbserver/widgets"
FAKE = (Path(__file__).resolve().parents[1] / "widgets/page.js").read_text("utf-8")
ORIGIN = "http://standin.test/"
SOURCES = {
    "": ("text/html", f"<!doctype html><meta charset=utf-8><body><script>{FAKE}</script>"),
    "hub.js": ("text/javascript", pack(WIDGETS / "hub.js")),
    "view.js": ("text/javascript", (WIDGETS / "view.js").read_text("utf-8")),
    "nbserver.css": ("text/css", (WIDGETS / "nbserver.css").read_text("utf-8")),
}
THEMES = {
    "vscode": "dark => { document.body.dataset.vscodeThemeKind = dark ? 'vscode-dark' : 'vscode-light'; }",
    "colab": "dark => document.documentElement.setAttribute('theme', dark ? 'dark' : 'light')",
}
GROUND = "() => getComputedStyle(document.querySelector('.nbs .nbs-main')).backgroundColor"


class StandIn:
    """A page with the board of a kernel's `server`, and the program around it that carries messages."""

    def __init__(self, kernel, page, program: str) -> None:
        self.kernel, self.page, self.program = kernel, page, program
        self.key, self.comm = kernel.value("f'{server.panel.mirror.key} {server.panel.mirror.model_id}'").split()
        for name, (kind, text) in SOURCES.items():
            page.route(
                ORIGIN + name,
                lambda route, *, kind=kind, text=text: route.fulfill(content_type=f"{kind}; charset=utf-8", body=text),
            )
        kernel.listeners.append(self._publish)
        self.open()

    def open(self) -> None:
        """Load the page, or load it anew."""
        self.is_open = False
        self.page.goto(ORIGIN)
        self.theme(dark=False)
        self.is_open = True
        self.page.evaluate("key => window.start({ key, control: true })", self.key)
        self.page.evaluate("() => window.show('board')")

    def theme(self, dark: bool) -> None:
        self.page.evaluate(THEMES[self.program], dark)

    def until(self, condition) -> None:
        """Carry messages both ways until something is so."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, self.page.locator("body").aria_snapshot()
            for wish in self.page.evaluate("() => window.wishes.splice(0)"):
                assert wish.pop("via") == "comm"
                client = self.kernel.client
                content = {"comm_id": self.comm, "data": {"method": "custom", "content": wish}}
                client.shell_channel.send(client.session.msg("comm_msg", content))
            with contextlib.suppress(Empty):
                self.kernel.pump_until(lambda: False, patience=0.05)

    def _publish(self, said: dict) -> None:
        content = said["content"]
        if self.is_open and said["msg_type"] == "comm_msg" and content["comm_id"] == self.comm:
            body = b"".join(map(bytes, said["buffers"]))
            if content["data"]["method"] == "custom":
                message = [content["data"]["content"], base64.b64encode(body).decode()]
                self.page.evaluate("([message, body]) => window.play(message, body)", message)

    def row(self):
        return self.page.get_by_role("row", name="Connection #1", exact=True)

    def says(self, *texts: str) -> None:
        """Wait until the row says each of these."""
        self.until(lambda: self.row().is_visible() and all(text in self.row().inner_text() for text in texts))

    def send(self, text: str) -> None:
        box = self.row().get_by_role("textbox", name="Reply to #1", exact=True)
        box.fill(text)
        box.press("Enter")

    def arrives(self, client: socket.socket, text: str) -> None:
        """Wait until the client has got a text."""
        client.setblocking(False)
        got = bytearray()

        def has_come() -> bool:
            with contextlib.suppress(BlockingIOError):
                got.extend(client.recv(100))
            return got.decode() == text

        self.until(has_come)


@pytest.fixture
def shown(request, kernel, page):
    """The board, and a client that has said hello."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    kernel.must("import nbserver\nserver = nbserver.serve()\nserver")
    page.set_default_timeout(PATIENCE * 250)
    shown = StandIn(kernel, page, getattr(request, "param", "vscode"))
    with socket.create_connection(("127.0.0.1", int(kernel.value("server.address[1]"))), PATIENCE) as shown.client:
        shown.client.sendall(b"hello")
        shown.says("hello", "waiting")
        yield shown
    assert errors == []


@pytest.mark.parametrize("shown", THEMES, indirect=True)
def test_board_reply_reload_and_theme_by_the_comm_alone(shown):
    shown.send("typed here")
    shown.arrives(shown.client, "typed here")
    shown.row().click()
    log = shown.page.get_by_role("log", name="Transcript of #1", exact=True)
    shown.until(lambda: "typed here" in log.inner_text() and "hello" in log.inner_text())
    light = shown.page.evaluate(GROUND)
    shown.theme(dark=True)
    expect(shown.page.locator(".nbs")).to_have_attribute("data-theme", "dark")
    assert shown.page.evaluate(GROUND) != light
    shown.open()
    shown.client.setblocking(True)
    shown.client.sendall(b"and again")
    shown.says("and again", "waiting")
    shown.send("after the reload")
    shown.arrives(shown.client, "after the reload")


def test_while_a_cell_sleeps_a_reply_arrives_or_is_on_its_way(shown):
    """ipykernel 7 reads it ahead of its turn; before, it waits for the cell, and the board says so."""
    kernel = shown.kernel
    is_new = int(kernel.value("__import__('ipykernel').version_info[0]")) >= 7
    cell = kernel.start("import time\ntime.sleep(4)\nprint(server[1].messages_out)", "sleeps")
    kernel.wait_running(cell)
    shown.send("to a sleeper")
    if not is_new:
        status = shown.row().get_by_role("status")
        shown.until(status.is_visible)
        expect(status).to_contain_text("On its way: “to a sleeper”")
    shown.arrives(shown.client, "to a sleeper")
    assert kernel.finish(cell).text == ("1\n" if is_new else "0\n")
    shown.until(lambda: not shown.row().get_by_role("status").is_visible())
    assert not shown.row().get_by_role("alert").is_visible()
    assert kernel.value("server[1].messages_out") == "1"


def test_while_a_cell_waits_for_its_clients_a_reply_arrives(shown):
    cell = shown.kernel.start("print(len(server.wait_for_connections(2, timeout=60)))", "waits")
    shown.kernel.wait_running(cell)
    shown.send("while it waits")
    shown.arrives(shown.client, "while it waits")
    with socket.create_connection(shown.client.getpeername(), PATIENCE):
        assert shown.kernel.finish(cell).text == "2\n"
