"""In a real JupyterLab: a server of the network says how it is reached, and a server for browsers is opened in one."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from .conftest import PATIENCE
from .test_tutorial import SECOND

ADDRESS = "192.168.1.7"
# The machine that runs the tests may be in no network, or in a class's: what it calls itself is not the point here.
LAN = f"""import nbserver
import nbserver.net.reach as reach
reach._asked = lambda: iter(["{ADDRESS}"])
server = nbserver.serve(lan=True, token=True, max_connections=2)
server"""
HTTP = """import http.server, nbserver
class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<title>hello</title>from the notebook, " + self.path.encode())
    def log_message(self, *args):
        pass
server = nbserver.serve(Hello)
server"""


@pytest.fixture
def started(open_notebook):
    """A notebook whose one cell has run, and its board."""

    def started(cell: str):
        notebook = open_notebook([cell])
        notebook.run_all()
        board = notebook.page.get_by_role("region", name=re.compile(r"^nbserver [\d.]+:\d+$"))
        expect(board).to_be_visible(timeout=PATIENCE * SECOND)
        notebook.wait_idle()
        return notebook, board

    return started


def test_a_server_of_the_network_shows_address_code_and_token(started, read_code):
    notebook, board = started(LAN)
    address, token = notebook.ask("f'{reach.own_addresses()[0]}:{server.address[1]}', server.token")
    assert address.startswith(ADDRESS) and token
    button = board.get_by_role("button", name="Who can reach it")
    expect(button).to_have_text(f"the same network: type {address}")
    button.click()
    panel = board.get_by_role("region", name="Who can reach it", exact=True)
    expect(panel.get_by_text(address, exact=True)).to_be_visible()
    expect(panel).to_contain_text(f"first line: HELLO {token}")
    code = panel.get_by_role("img", name=address, exact=True)
    code.scroll_into_view_if_needed()
    assert read_code(code) == address
    notebook.ask("server.stop() and None")


def test_a_limit_that_bites_is_on_the_board_in_words(started):
    notebook, board = started(LAN)
    board.get_by_role("button", name="Limits", exact=True).click()
    limits = board.get_by_role("region", name="Limits", exact=True)
    for line in ("at most 2 connections", "at most 20 from one address", "first byte within 60 s"):
        expect(limits).to_contain_text(line)
    notebook.ask("(fleet := nbserver.clients(server, 2)) and None")
    notebook.ask("(third := __import__('socket').create_connection(('127.0.0.1', server.address[1]))) and None")
    expect(board.get_by_role("status").filter(has_text="2 of 2 connections: ")).to_contain_text(
        re.compile("1 waits in the backlog|the next ones wait in the backlog")  # how many wait only Linux tells
    )
    expect(board.get_by_role("log", name="Transcript of #1", exact=True)).to_contain_text("showed the token")
    notebook.ask("[third.close(), fleet.close()]")
    expect(board.get_by_role("status").filter(has_text="2 of 2 connections")).to_be_hidden()
    notebook.ask("server.stop() and None")


def test_a_server_for_browsers_is_opened_directly_and_through_the_proxy(lab, started):
    notebook, board = started(HTTP)
    page, port = notebook.page, notebook.ask("server.address[1]")
    link = board.get_by_role("link", name="Open in browser", exact=True)
    expect(link).to_have_attribute("href", f"http://127.0.0.1:{port}/")
    with page.expect_popup() as opened:
        link.click()
    expect(opened.value.get_by_text("from the notebook, /", exact=True)).to_be_visible()
    opened.value.close()
    direct = notebook.ask("server.accepted")  # a browser may ask for an icon, too
    proxied = page.context.new_page()
    proxied.goto(f"{lab.url}/proxy/{port}/through")  # the page has logged in with the lab's token
    expect(proxied.get_by_text("from the notebook, /through")).to_be_visible()
    proxied.close()
    row = board.get_by_role("row").filter(has_text="from the notebook, /through")
    expect(row).to_have_count(1)
    expect(row.get_by_text("HTTP", exact=True)).to_be_visible()
    number = int(row.get_attribute("aria-label").rsplit("#", 1)[1])
    assert number > direct
    row.click()
    expect(board.get_by_role("log", name=f"Transcript of #{number}", exact=True)).to_contain_text(
        "GET /through HTTP/1.1"
    )
    notebook.ask("server.stop() and None")
