"""The card of a cell that fails: above the traceback, escaped, in the chosen language, gone with the extension."""

from __future__ import annotations

import html
import re
import sys

import pytest

from .conftest import Kernel

SETUP = "%load_ext nbserver\nimport nbserver, socket, socketserver\nsock = socket.socket()"


class Shown:
    """A kernel whose cells show something: `run` gives a cell's error as shown, and the bundles above it."""

    def __init__(self, python: str) -> None:
        self.kernel = Kernel(python)
        self.kernel.must(SETUP)
        self._bundles: list[dict] = []
        self.kernel.listeners.append(self._hear)

    def _hear(self, said: dict) -> None:
        if said["msg_type"] == "display_data":
            self._bundles.append(said["content"]["data"])

    def run(self, code: str) -> tuple[str, list[dict]]:
        self._bundles.clear()
        return self.kernel.run(code).error, list(self._bundles)


@pytest.fixture(scope="module")
def shown():
    shown = Shown(sys.executable)
    yield shown
    shown.kernel.stop()


def test_a_cell_that_fails_shows_the_card_and_below_it_the_last_line_of_the_error(shown):
    error, (card,) = shown.run("text = 'hello!'\nsock.sendall(text)")
    assert error == "TypeError: a bytes-like object is required, not 'str'"
    words = html.unescape(re.sub("<[^>]+>", " ", card["text/html"]))
    assert "makes these 6 bytes" in words and re.search(r"cell \[\d+\], line 2: +sock\.sendall\(text\)", words)
    assert "<details>" in card["text/html"] and "Traceback (most recent call last)" in words
    assert (
        card["text/plain"].startswith("You passed `str`") and "Traceback (most recent call last)" in card["text/plain"]
    )
    assert "Traceback" in shown.kernel.run("%tb").error, "the whole can still be had"


def test_what_it_shows_is_text_and_nothing_else(shown):
    _, (card,) = shown.run('sock.sendall("<img src=x onerror=alert(1)>")  # <script>alert(2)</script>')
    assert "<img" not in card["text/html"] and "<script" not in card["text/html"]
    assert "&lt;script&gt;alert(2)" in card["text/html"]


def test_an_error_that_is_not_known_is_shown_as_ever(shown):
    error, bundles = shown.run("1 / 0")
    assert bundles == [] and "Traceback (most recent call last)" in error


def test_a_port_of_ours_has_a_button_and_the_same_in_python(shown):
    shown.kernel.must("mine = nbserver.serve()", "mine")
    number = int(re.search(r"\d+", shown.kernel.value("mine.cell"))[0])
    error, (card, button) = shown.run("socketserver.TCPServer(mine.address, socketserver.BaseRequestHandler)")
    assert error == "OSError: [Errno 98] Address already in use"
    assert f"this notebook's cell [{number}] holds it" in card["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in button and button["text/plain"] == ""
    shown.kernel.must(
        "port = mine.address[1]\nnbserver.take_over(port)\nsocketserver.TCPServer(mine.address, None).server_close()"
    )
    assert shown.kernel.value("mine.state.value") == "stopped"


def test_a_program_in_a_server_s_cell_has_the_line_that_the_notebook_shows(shown):
    shown.kernel.must("mine = nbserver.serve()", "mine")
    program = "import socketserver\nserver = socketserver.TCPServer(mine.address, None)\nserver.serve_forever()"
    error, (card, _) = shown.run(f"%%server\n{program}")
    assert error.startswith("AddressError: ") and "is in use" in error
    assert re.search(r"cell \[\d+\], line 3: server = socketserver", card["text/plain"])


def test_in_the_oldest_kernel_in_the_chosen_language_and_with_the_extension_the_cards_go(old_python):
    shown = Shown(old_python)
    try:
        shown.kernel.must("board = nbserver.serve().panel.mirror\nboard.lang = 'zh'", "board")
        error, (card,) = shown.run('sock.bind("127.0.0.1", 8008)')
        assert "只接受一个地址" in card["text/html"] and "单元格 [3] 第 1 行" in card["text/html"]
        assert error.startswith("TypeError: ") and "\n" not in error
        shown.kernel.must("board.lang = 'en'\n%unload_ext nbserver")
        error, bundles = shown.run('sock.bind("127.0.0.1", 8008)')
        assert bundles == [] and "Traceback (most recent call last)" in error
        assert shown.kernel.value("'showtraceback' in vars(get_ipython())") == "False"
    finally:
        shown.kernel.stop()
