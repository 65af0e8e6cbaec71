"""The lessons about classes and about self, in a real JupyterLab, from the textbook's own programs."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from .conftest import PATIENCE
from .test_tutorial import SECOND, say, tutorial_cells

expect.set_options(timeout=PATIENCE * SECOND)  # a passing test never waits that long, a busy machine may
OURS = ("Observed", "Resilient", "Accepting", "PooledThreads", "Datagrams")

WRONG = """import socketserver
import nbserver

class MyServer(socketserver.TCPServer, socketserver.ThreadingMixIn):
    pass

nbserver.explain(MyServer)"""

UDP = """%%server
import socketserver

class MyUDPHandler(socketserver.BaseRequestHandler):
    def handle(self):
        data = self.request[0].strip()
        socket = self.request[1]
        print(data)
        socket.sendto(data.upper(), self.client_address)

server = socketserver.UDPServer(("127.0.0.1", 0), MyUDPHandler)
server.serve_forever()"""

NAIVE = UDP.replace("self.request[0].strip()", "self.request.recv(1024)")

ASK = """import socket
import nbserver

def ask():
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.settimeout(2)
        client.sendto(b"hello", nbserver.servers()[-1].address)
        try:
            print("answer:", client.recv(1024))
        except TimeoutError:
            print("no answer")

ask()"""


def programs() -> list[str]:
    """The tutorial's cells, on a port that is free."""
    load, server, client = tutorial_cells()
    return [load, server.replace("8008", "0"), client.replace("('127.0.0.1', 8008)", "server.server_address")]


def open_tab(page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).last.click()


def order(page, name: str):
    return page.get_by_role("list", name=f"Look-up order of {name}").get_by_role("listitem")


def side(page, kind: str):
    return page.locator(f".nbs-side.is-{kind}")


def test_lesson_5_the_class_map_of_the_students_own_classes(open_notebook):
    notebook = open_notebook([*programs()[:2], "import nbserver; nbserver.explain(server)"])
    for index in range(2):
        notebook.run(index)
    page = notebook.page
    open_tab(page, "Class map")
    handler = order(page, "Myserver")
    expect(handler).to_contain_text(["Myserver", "BaseRequestHandler", "object"])
    expect(handler.first).to_contain_text("your program")
    expect(handler.first).to_contain_text("overrides the one in BaseRequestHandler")
    expect(handler).to_contain_text(["found here", "has one too, hidden", "not asked any more"])
    server = page.get_by_role("region", name=re.compile("^Server class ThreadingTCPServer"))
    family = server.get_by_role("list", name="Family tree").get_by_role("listitem")
    expect(family.filter(has_text="this one")).to_contain_text("ThreadingTCPServer(ThreadingMixIn, TCPServer)")
    for beside in ("UDPServer(TCPServer)", "UnixStreamServer(TCPServer)", "ThreadingUDPServer(ThreadingMixIn,"):
        expect(family.filter(has_text=beside).first).to_be_visible()
    expect(page.get_by_label("Source of handle")).to_contain_text("server_msg = input('服务端说>>>')")
    open_tab(page, "Class map")  # closed: what is out of sight is not drawn
    notebook.run(2)
    expect(page.get_by_role("region", name="Class map of ThreadingTCPServer")).to_be_visible()
    expect(order(page, "Myserver")).to_contain_text(["Myserver", "BaseRequestHandler", "object"])
    text = " ".join(page.locator(".nbs-classes").all_inner_texts())
    assert not [name for name in OURS if name in text]


def test_lesson_6_the_look_up_of_a_chosen_name_is_lit(open_notebook):
    look_up = "import socketserver, nbserver\nnbserver.explain(socketserver.ThreadingTCPServer)"
    notebook = open_notebook([look_up, WRONG])
    notebook.run_all()
    page = notebook.page
    shown = order(page, "ThreadingTCPServer")
    path = ["ThreadingTCPServer", "ThreadingMixIn", "TCPServer", "BaseServer", "object"]
    expect(shown).to_contain_text(path)
    expect(shown).to_contain_text(["not here", "found here", "not asked any more", "has one too", "not asked"])
    expect(page.get_by_label("Source of process_request").first).to_contain_text("threading.Thread(target")
    right = page.get_by_role("region", name=re.compile("^Server class ThreadingTCPServer"))
    right.get_by_role("button", name="get_request", exact=True).click()
    expect(shown).to_contain_text(["not here", "not here", "found here", "not asked any more", "not asked any more"])
    expect(page.get_by_label("Source of get_request")).to_contain_text("return self.socket.accept()")
    wrong = order(page, "MyServer")
    expect(wrong).to_contain_text(["not here", "not here", "found here", "has one too, hidden", "not asked"])
    expect(wrong.nth(3)).to_contain_text("ThreadingMixIn stands too late in the brackets, it does nothing here")
    notebook.run(0)
    expect(shown).to_contain_text(["not here", "found here"] + ["not asked"] + ["has one too"] + ["not asked"])


def test_lesson_8_self_in_tcp_and_in_udp_side_by_side(open_notebook):
    notebook = open_notebook([*programs(), UDP, ASK])
    page = notebook.page
    notebook.run_all()
    expect(page.get_by_text("answer: b'HELLO'")).to_be_visible(timeout=PATIENCE * SECOND)
    say(page, 1, "hello")
    page.get_by_role("tab", name="Inspector", exact=True).first.click()
    tcp, udp = side(page, "stream"), side(page, "datagram")
    expect(tcp).to_contain_text(re.compile(r"self in Myserver, connection #\d of 127\.0\.0\.1:\d+"))
    rows = tcp.get_by_role("row")
    expect(rows.filter(has_text="self.server")).to_contain_text("the server object, one for all clients")
    both_ends = re.compile(r"fd \d+, 127\.0\.0\.1:\d+ <- 127\.0\.0\.1:\d+")
    expect(rows.filter(has_text="self.request")).to_contain_text(both_ends)
    expect(rows.filter(has_text="self.client_address")).to_contain_text(re.compile(r"\('127\.0\.0\.1', \d+\)"))
    pair = udp.get_by_role("row").filter(has_text="self.request")
    expect(pair).to_contain_text(["(b'hello', <socket object>)", "b'hello'", "the server's one socket"])
    expect(udp).to_contain_text("one lives for one datagram")
    told = notebook.ask("[str(one) for one in nbserver.servers()[-1][1].inspect()['self.request']]")
    assert told == ["self.request", "tuple", "(b'hello', <socket object>)", "pair"]


def test_trouble_9_a_udp_handler_that_takes_the_pair_for_a_connection(open_notebook):
    notebook = open_notebook(["%load_ext nbserver", NAIVE, ASK, UDP, ASK])
    page = notebook.page
    for index in range(3):
        notebook.run(index)
    expect(page.get_by_text("no answer", exact=True)).to_be_visible(timeout=PATIENCE * SECOND)
    open_tab(page, "Inspector")
    expect(page.get_by_role("alert").filter(has_text="self.request is a pair")).to_contain_text(
        "AttributeError: 'tuple' object has no attribute 'recv'"
    )
    open_tab(page, "Inspector")
    for index in (3, 4):
        notebook.run(index)
    expect(page.get_by_text("answer: b'HELLO'")).to_be_visible(timeout=PATIENCE * SECOND)
    expect(page.get_by_role("tab", name="Inspector", exact=True)).to_have_count(2)  # the board is drawn later
    open_tab(page, "Inspector")
    reply = side(page, "datagram").get_by_text("Reply:").locator("xpath=..")
    expect(reply).to_contain_text("self.request[1].sendto(data, self.client_address)")
    expect(reply).to_contain_text(re.compile(r"\('127\.0\.0\.1', \d+\)1 sent to this client"))
