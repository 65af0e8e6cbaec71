"""In a real JupyterLab, with naive code: who waits in the backlog, and two threads that change one thing."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from .conftest import PATIENCE

SECOND = 1000.0  # milliseconds
HANDLER = """\
import socketserver, time
import nbserver

class Shout(socketserver.BaseRequestHandler):
    def handle(self):
        data = self.request.recv(1024)
        time.sleep(0.5)
        self.request.sendall(data.upper())
"""
TALKATIVE = """\
import socketserver
import nbserver

class Myserver(socketserver.BaseRequestHandler):
    def handle(self):
        while 1:
            from_client_msg = self.request.recv(1024)
            self.request.send(from_client_msg)

one = nbserver.compare([socketserver.TCPServer], Myserver, script=["hello", 60, None])
one
"""
COUNTER = """\
import socketserver, threading, time
import nbserver

count = 0
lock = threading.Lock()

class Visitors(socketserver.BaseRequestHandler):
    def handle(self):
        global count
        n = count
        time.sleep(0.05)
        count = n + 1
        self.request.sendall(b"thanks")

server = nbserver.serve(Visitors)
server
"""
LOCKED = COUNTER.replace(
    """        n = count
        time.sleep(0.05)
        count = n + 1
""",
    """        with lock:
            n = count
            time.sleep(0.05)
            count = n + 1
""",
)
GUESTS = """\
guests = nbserver.clients(server, 3, [nbserver.until(), None])
for guest in guests:
    guest.wait_ended(timeout=10)
"""


def bars_of(column, client):
    return column.get_by_role("img", name=re.compile(f"^client {client}: ")).locator(".nbs-stagebar")


def test_lesson_1_one_client_at_a_time_and_many_side_by_side(open_notebook):
    compare = "both = nbserver.compare([socketserver.TCPServer, socketserver.ThreadingTCPServer], Shout)\nboth"
    notebook = open_notebook([HANDLER + compare])
    notebook.run(0)
    region = notebook.page.get_by_role("region", name="Comparison")
    expect(region.get_by_text("all are done")).to_be_visible(timeout=PATIENCE * SECOND)
    plain = region.get_by_role("group", name="TCPServer", exact=True)
    threads = region.get_by_role("group", name="ThreadingTCPServer", exact=True)
    expect(plain).to_contain_text(re.compile(r"total 1\.\d s; client 3 waited (9\d\d ms|1\.\d s) in the backlog"))
    expect(bars_of(plain, 3)).to_have_text(["in the backlog", "being served"])
    expect(region).to_contain_text("in the backlog: connected by the operating system, not yet accepted")
    expect(bars_of(threads, 3).last).to_have_text("being served")
    region.get_by_text("As a table").click()
    rows = region.get_by_role("table", name="Comparison").get_by_role("row")
    expect(rows.filter(has_text=re.compile(r"^TCPServerclient 3.*in the backlog"))).to_have_count(1)
    expect(rows.filter(has_text=re.compile(r"^ThreadingTCPServer"))).to_have_count(3)
    assert notebook.ask("both.waited['TCPServer'][2]") > 0.8
    notebook.run(0)  # again: the comparison before is ended, and this one runs like it
    expect(region.get_by_text("all are done")).to_be_visible(timeout=PATIENCE * SECOND)
    assert notebook.ask("[both.state, len(nbserver.servers())]") == ["done", 0]


def test_trouble_5_one_client_at_a_time_the_backlog_drawn_while_they_wait(open_notebook):
    notebook = open_notebook([TALKATIVE, "nbserver.stop_all()"])
    notebook.run(0)
    region = notebook.page.get_by_role("region", name="Comparison")
    expect(region.get_by_text("running …")).to_be_visible(timeout=PATIENCE * SECOND)
    plain = region.get_by_role("group", name="TCPServer")
    expect(bars_of(plain, 1).last).to_have_text("being served")
    for client in (2, 3):
        expect(bars_of(plain, client)).to_have_text(["in the backlog"])
        name = re.compile(rf"^client {client}: in the backlog for \d\.\d s$")
        expect(region.get_by_role("img", name=name)).to_be_visible()  # and it goes on
    expect(region).to_contain_text(re.compile(r"\d s so far; client 2 waited \d\.\d s in the backlog"))
    notebook.run(1)
    expect(region.get_by_text("stopped", exact=True)).to_be_visible()


def shared_data_of(notebook):
    """Watches `count` by hand, on the board's tab, and lets three guests come."""
    page = notebook.page
    notebook.run(0)
    page.get_by_role("tab", name="Shared data").click(timeout=PATIENCE * SECOND)
    panel = page.get_by_role("tabpanel", name="Shared data")
    expect(panel.get_by_role("combobox", name="Shared by the handlers:")).to_have_value("count")
    panel.get_by_role("button", name="Watch").click()
    expect(panel).to_contain_text("No handler has used “count” yet")
    notebook.run(1)
    return panel


def test_trouble_14_two_threads_change_one_thing_without_a_lock(open_notebook):
    notebook = open_notebook([COUNTER, GUESTS])
    panel = shared_data_of(notebook)
    first = COUNTER.splitlines().index("        n = count") + 1
    words = (
        rf"#\d and #\d were both between reading and writing “count” \(lines {first}–{first + 2}\): one change is lost"
    )
    expect(panel).to_contain_text(re.compile(words), timeout=PATIENCE * SECOND)
    expect(panel.get_by_role("img", name=re.compile("^#2: .*both at once"))).to_be_visible()
    expect(panel.get_by_text("⚠ both at once").first).to_be_visible()
    assert notebook.ask("[count < 3, len(server.shared.races) > 0]") == [True, True]
    panel.get_by_role("button", name="Stop watching").click()
    expect(panel.get_by_role("button", name="Watch", exact=True)).to_be_visible()
    assert notebook.ask("server.shared.is_on") is False


def test_trouble_14_two_threads_change_one_thing_with_a_lock(open_notebook):
    notebook = open_notebook([LOCKED, GUESTS])
    panel = shared_data_of(notebook)
    expect(panel).to_contain_text("No two threads used “count” at once", timeout=PATIENCE * SECOND)
    expect(panel).to_contain_text(re.compile(r"#\d waited \d+ ms at line \d+ \(lock\)"))
    expect(panel.get_by_text("waiting at lock").first).to_be_visible()
    expect(panel.get_by_text("⚠ both at once")).to_have_count(0)
    assert notebook.ask("count") == 3
