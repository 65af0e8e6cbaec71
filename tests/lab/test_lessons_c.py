"""The two loops, and who waits for whom, in a real JupyterLab: naive programs, unchanged, make them happen."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from .conftest import PATIENCE
from .test_tutorial import SECOND, reply_box, say, tutorial_cells

# Somebody's first server and client: the client waits to be greeted, and so does the server.
BOTH_RECEIVE = [
    "%load_ext nbserver",
    """%%server
import socketserver

class Polite(socketserver.BaseRequestHandler):
    def handle(self):
        name = self.request.recv(1024)
        self.request.sendall(b"welcome " + name)

server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Polite)
server.serve_forever()""",
    """%%client
import socket

client = socket.socket()
client.connect(server.server_address)
greeting = client.recv(1024)
client.sendall(b"Ann")""",
]

# A picture goes to everybody who is there, one after the other. One of them looks away.
BROADCAST = [
    "%load_ext nbserver",
    """%%server
import socketserver

everybody = []

class Gallery(socketserver.BaseRequestHandler):
    def handle(self):
        everybody.append(self.request)
        while word := self.request.recv(1024):
            for one in everybody:
                one.sendall(b"x" * 20_000_000)

server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Gallery)
server.serve_forever()""",
    """%%client
import socket

client = socket.create_connection(server.server_address)
input("look? ")
client.recv(100)
input("look again? ")""",
    """%%client
import socket

client = socket.create_connection(server.server_address)
client.sendall(b"all")
print(len(client.recv(1024)))""",
]

# Nobody closes.
LEFT_OPEN = [
    "%load_ext nbserver",
    """%%server
import socketserver

class Listener(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.recv(1024)

server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Listener)
server.serve_forever()""",
    """%%client --count 2
import socket

client = socket.socket()
client.connect(server.server_address)
number = int("three")""",
    """import socket
mine = [socket.create_connection(server.server_address) for _ in range(3)]""",
]


@pytest.fixture
def run(open_notebook):
    """Runs cells one after the other, and opens a tab at the foot of the board."""

    def run(cells: list[str], tab: str):
        notebook = open_notebook(cells)
        for index in range(len(cells)):
            notebook.run(index)
            notebook.wait_idle()
        notebook.page.get_by_role("tab", name=tab, exact=True).click()
        return notebook

    return run


def panel(page, name: str):
    return page.get_by_role("tabpanel", name=name, exact=True)


def test_lesson_4_two_loops_turn_as_the_events_come_and_a_plain_server_has_one_thread_for_both(run):
    page = run(tutorial_cells(), "Two loops").page
    loops = panel(page, "Two loops")
    outer, inner = loops.get_by_role("img").nth(0), loops.get_by_role("img").nth(1)
    expect(outer).to_have_attribute("aria-label", re.compile(r"Connection loop, turn 3: waits in select\(\)"))
    expect(inner).to_have_attribute("aria-label", re.compile(r"turn 0: blocked in recv\(\)"))
    expect(loops).to_contain_text("server.serve_forever() #", timeout=PATIENCE * SECOND)
    expect(loops).to_contain_text("from_client_msg = self.request.recv(1024)")
    for client in (1, 2, 3):
        say(page, client, "hello")
    expect(inner).to_have_attribute("aria-label", re.compile(r"turn 1: handler \d has been waiting for you for \d"))
    expect(inner.locator("text[data-lit]")).to_have_text("▶ think")
    expect(loops).to_contain_text("server_msg = input('服务端说>>>')")
    number = int(re.search(r"#(\d)", inner.get_attribute("aria-label"))[1])
    reply_box(page, number).fill("hi")
    reply_box(page, number).press("Enter")
    page.get_by_role("row", name=f"Connection #{number}", exact=True).click()  # Enter went on to the next
    expect(inner).to_have_attribute("aria-label", re.compile(r"turn 1: blocked in recv\(\)"))


def test_lesson_4_of_a_plain_server_the_connection_loop_stands_still(run):
    cells = [cell.replace("ThreadingTCPServer", "TCPServer") for cell in tutorial_cells()]
    page = run(cells, "Two loops").page
    loops = panel(page, "Two loops")
    expect(loops.get_by_role("status")).to_have_text(
        "The connection loop stands still while this goes on: one thread does both. 2 clients wait in the backlog."
    )
    expect(loops.get_by_role("img")).to_have_count(1)
    expect(loops.locator("text[data-lit]")).to_have_text(["▶ handle()", "▶ recv()"])
    expect(loops).to_contain_text("inside handle() of #1")
    page.get_by_role("tab", name="Who waits for whom").click()
    waits = panel(page, "Who waits for whom")
    expect(waits.get_by_text("connected by the operating system, not yet accepted")).to_have_count(2)
    expect(waits).to_contain_text("serves #1 itself and accepts nobody")


def test_trouble_4_both_wait_in_recv_and_the_badge_shows_both_lines(run):
    page = run(BOTH_RECEIVE, "Who waits for whom").page
    waits = panel(page, "Who waits for whom")
    said = waits.get_by_role("status")
    expect(said).to_contain_text(
        "Deadlock #1 waits in recv() for client 1, client 1 waits in recv() for #1: none of them goes on by itself.",
        timeout=PATIENCE * SECOND,
    )
    expect(said).to_contain_text("name = self.request.recv(1024)cell [2], line 6")
    expect(said).to_contain_text("greeting = client.recv(1024)cell [3], line 6")
    expect(waits.get_by_role("group", name="#1 – client 1").get_by_text("Deadlock", exact=True)).to_have_count(2)
    page.get_by_role("button", name="Disconnect #1").click()
    expect(waits.get_by_text("Deadlock")).to_have_count(0)


def test_trouble_11_input_stops_each_thread_and_each_says_how_long_it_has_waited_for_you(run):
    page = run(tutorial_cells(), "Who waits for whom").page
    waits = panel(page, "Who waits for whom")
    for client in (1, 2, 3):
        say(page, client, f"hello from {client}")
    for number in (1, 2, 3):
        expect(waits).to_contain_text(re.compile(rf"handler {number} has been waiting for you for \d+(\.\d)? s"))
    expect(waits.get_by_text("server_msg = input('服务端说>>>')")).to_have_count(3)
    reply_box(page, 2).fill("an answer")
    reply_box(page, 2).press("Enter")
    expect(waits.get_by_text(re.compile(r"^handler \d has been waiting for you"))).to_have_count(2)
    expect(waits).to_contain_text(re.compile(r"client \d has been waiting for you for"))
    reply_box(page, 1).press("Enter")  # row 4: an empty message sends nothing, and both wait
    said = waits.get_by_role("status")
    expect(said).to_contain_text("The message that #1 sent last was empty: send() of an empty message sends nothing")
    expect(said).to_contain_text("from_server_msg = client.recv(1024)")
    expect(said).to_contain_text("from_client_msg = self.request.recv(1024)")


def test_trouble_13_what_nobody_closes_is_counted_by_the_cell_that_made_it(run):
    notebook = run(LEFT_OPEN, "Who waits for whom")
    waits = panel(notebook.page, "Who waits for whom")
    waits.get_by_text(re.compile(r"^Open in this notebook · .*; 5 of them nobody closes$")).click()
    table = waits.get_by_role("table", name="Open sockets and threads")
    orphans = table.get_by_role("row", name=re.compile(r"^cell \[3\] client \d 1 0 left open: its program has ended$"))
    expect(orphans).to_have_count(2)
    expect(table.get_by_role("row", name=re.compile("^some cell connected to .* 3 0 open until"))).to_be_visible()
    expect(table.get_by_role("row", name=re.compile(r"^cell \[2\] server .* 6 6 in use$"))).to_be_visible()
    assert notebook.ask("[len(nbserver.left_open().orphans) for nbserver in [__import__('nbserver')]]") == [3]
    assert notebook.ask("[one.close() for one in mine]") == [None] * 3
    waits.get_by_text(re.compile(r"; 2 of them nobody closes$")).wait_for(timeout=PATIENCE * SECOND)


def test_trouble_15_a_slow_client_holds_up_a_broadcast_and_a_bar_shows_what_is_queued(run):
    page = run(BROADCAST, "Who waits for whom").page
    waits = panel(page, "Who waits for whom")
    row = waits.get_by_role("group", name="#2 – client 2")
    expect(row).to_contain_text(
        re.compile(r"sendall\(\) has been blocked for \d+(\.\d)? s: waits until client 1 reads")
    )
    expect(row).to_contain_text('one.sendall(b"x" * 20_000_000)cell [2], line 11')
    bar = waits.get_by_role("group", name="#1 – client 1")
    expect(bar).to_contain_text(
        re.compile(r"20 MB are in a call that has not returned · read by the client's program: 0 B")
    )
    expect(bar).to_contain_text(
        re.compile(r"arrived there, not read: \d+(\.\d)? [kM]B · still queued here: \d+(\.\d)? MB")
    )
    expect(waits).to_contain_text("client 1 has been waiting for you")
    expect(waits).to_contain_text("blocked in recv() for")
    say(page, 1, "yes")
    expect(bar).to_contain_text("read by the client's program: 100 B")
