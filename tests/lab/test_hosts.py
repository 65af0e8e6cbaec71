"""The board in the other pages of Jupyter: Notebook 7, and Voilà, which runs a notebook by itself and shows no cell."""

from __future__ import annotations

import re
import secrets
import socket

import pytest
from playwright.sync_api import expect

from .conftest import PATIENCE, write_notebook
from .test_presenting import SETTLED, choose_theme
from .test_tutorial import SECOND, reply_box

START = "import nbserver\nserver = nbserver.serve()\nserver"
GROUND = "() => getComputedStyle(document.querySelector('.nbs .nbs-main')).backgroundColor"


@pytest.fixture
def connected():
    """A client of the server whose board a page shows; closed after the test."""
    clients = []

    def connected(page) -> socket.socket:
        board = page.get_by_role("region", name=re.compile(r"^nbserver 127\.0\.0\.1:\d+$"))
        expect(board).to_be_visible(timeout=2 * PATIENCE * SECOND)
        port = int(board.get_attribute("aria-label").rpartition(":")[2])
        clients.append(socket.create_connection(("127.0.0.1", port), PATIENCE))
        return clients[-1]

    yield connected
    for client in clients:
        client.close()


def talks(page, client: socket.socket, text: str) -> None:
    """What the client says is shown; what is typed in its row reaches it, and is shown, too."""
    client.sendall(f"hello, {text}".encode())
    row = page.get_by_role("row", name="Connection #1", exact=True)
    expect(row).to_contain_text(f"hello, {text}")
    row.click()
    transcript = page.get_by_role("log", name="Transcript of #1", exact=True)
    expect(transcript).to_contain_text(f"hello, {text}")
    reply_box(page, 1).fill(f"typed, {text}")
    reply_box(page, 1).press("Enter")
    assert client.recv(100) == f"typed, {text}".encode()
    expect(transcript).to_contain_text(f"typed, {text}")


def test_notebook_7(open_notebook, connected):
    notebook = open_notebook([START, "import time; time.sleep(20)"], folder="/notebooks")
    page = notebook.page
    notebook.run(0)
    client = connected(page)
    notebook.wait_idle()
    talks(page, client, "in a light page")
    light = page.evaluate(GROUND)
    page.wait_for_function(SETTLED, arg="JupyterLab Light")
    choose_theme(page, "JupyterLab Dark")
    expect(page.locator(".nbs").first).to_have_attribute("data-theme", "dark")
    assert page.evaluate(GROUND) != light
    notebook.run(1)
    expect(page.locator(".jp-InputPrompt").nth(1)).to_have_text("[*]:")
    talks(page, client, "while a cell runs")
    expect(page.locator(".jp-InputPrompt").nth(1)).to_have_text("[*]:")
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:interrupt-kernel'); }")
    notebook.wait_idle()
    choose_theme(page, "JupyterLab Light")  # the choice is the server's, and the next test begins in the light
    expect(page.locator(".nbs").first).to_have_attribute("data-theme", "light")
    # It meets an error in its own code when it opens, board or no board.
    notebook.errors[:] = [error for error in notebook.errors if "/notebook_core." not in error]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_voila(lab, page, connected, theme):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    # It asks others for two files of its own, which a machine without a network does not get.
    page.route(lambda url: not url.startswith((lab.url, "blob:", "data:")), lambda route: route.abort())
    name = f"{secrets.token_hex(4)}.ipynb"
    write_notebook(lab.notebooks / name, [START], "python3")
    page.goto(f"{lab.url}/voila/render/{name}?token={lab.token}&theme={theme}")
    talks(page, connected(page), "in Voilà")
    expect(page.locator(".nbs").first).to_have_attribute("data-theme", theme)
    assert not errors, errors
