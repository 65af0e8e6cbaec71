"""The troubles of beginners that end in a card: naive textbook programs, unchanged, and the words on the screen."""

from __future__ import annotations

import re
import socket

import pytest
from playwright.sync_api import expect

from tests.conftest import a_free_port

from .conftest import PATIENCE
from .test_tutorial import SECOND

SETUP = "%load_ext nbserver\nimport nbserver"
SERVER = """%%server
import socketserver
class MyServer(socketserver.BaseRequestHandler):
    def handle(self):
        conn = self.request
        {handle}
server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), MyServer)
port = server.server_address[1]
server.serve_forever()
"""


def server(*lines: str) -> str:
    """The textbook's server, with these lines in its handler."""
    return SERVER.format(handle="\n        ".join(lines))


def of_the_board(page, name: str | re.Pattern[str]):
    return page.get_by_role("log", name="Transcript of #1", exact=True).get_by_role("group", name=name)


def of_client(page, number: int, name: str | re.Pattern[str]):
    log = page.get_by_role("log", name=f"Transcript of client {number}", exact=True)
    return log.get_by_role("group", name=name)


@pytest.fixture
def free_port():
    return a_free_port()


@pytest.fixture
def silent_port():
    """One on which nobody listens, and nobody can begin to."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


def talk(*lines: str) -> str:
    """The textbook's client, which says these lines once it has connected."""
    return "\n".join(["%%client", "import socket", "s = socket.socket()", 's.connect(("127.0.0.1", port))', *lines])


def test_trouble_3_recv_gave_nothing_and_nobody_looked(open_notebook):
    """The loop without its test: the card names the line, and a counter turns red in the row."""
    client = talk('s.sendall(b"hi")', "print(s.recv(10))", "s.close()")
    notebook = open_notebook(
        [SETUP, server("while True:", "    data = conn.recv(1024)", "    conn.sendall(data.upper())"), client]
    )
    notebook.run_all()
    page = notebook.page
    card = of_the_board(page, "The peer has closed its side, and nobody looked")
    expect(card).to_contain_text("cell [2], line 7data = conn.recv(1024)", timeout=PATIENCE * SECOND)
    expect(card).to_contain_text("if not data: break")
    row = page.get_by_role("row", name="Connection #1", exact=True)
    expect(row.get_by_role("img", name=re.compile(r"recv\(\) has returned b'' [\d,]+ times"))).to_have_text(
        re.compile(r"^b'' ×[\d.]+[kM]?$")
    )
    expect(row).to_contain_text("half-closed")


def test_trouble_6_who_holds_the_port_and_one_click_takes_it_over(open_notebook, free_port):
    """A plain cell, bare socketserver: our cell holds the port; one click, and the same cell runs."""
    mine = f"import nbserver\nmine = nbserver.serve(port={free_port})\nmine"
    plain = (
        "import socketserver\n"
        "class H(socketserver.BaseRequestHandler):\n    def handle(self): pass\n"
        f'with socketserver.TCPServer(("127.0.0.1",'
        f'{free_port}), H) as again:\n    print("bound", again.server_address[1])'
    )
    notebook = open_notebook([mine, plain])
    page = notebook.page
    notebook.run(0)
    expect(page.get_by_role("region", name=f"nbserver 127.0.0.1:{free_port}")).to_be_visible(timeout=PATIENCE * SECOND)
    notebook.run(1)
    output = page.locator(".jp-Cell").nth(1).locator(".jp-Cell-outputArea")
    expect(output).to_contain_text(f"Port {free_port} is in use: this notebook's cell [1] holds it")
    expect(output).to_contain_text("cell [2], line 4")
    expect(output).to_contain_text("OSError: [Errno 98] Address already in use")
    expect(output.get_by_text("Traceback (most recent call last)")).to_be_hidden()
    output.locator("summary").click()
    expect(output.get_by_text("Traceback (most recent call last)")).to_be_visible()
    output.get_by_role("button", name=f"Stop the server of cell [1] and free 127.0.0.1:{free_port}").click()
    expect(output).to_contain_text(f"127.0.0.1:{free_port} is free now: run the cell again")
    assert notebook.ask("mine.state.value") == "stopped"
    notebook.run(1)
    expect(output).to_contain_text(f"bound {free_port}")
    expect(output.locator(".nbs-cellcard")).to_have_count(0)


def test_trouble_7_connection_refused(open_notebook, silent_port):
    """A client of the wrong port, in %%client and in a plain cell, and what does listen."""
    lines = f'import socket\ns = socket.socket()\ns.connect(("127.0.0.1", {silent_port}))'
    notebook = open_notebook([SETUP, "other = nbserver.serve()\nother.address[1]", f"%%client\n{lines}", lines])
    notebook.run_all()
    page = notebook.page
    card = of_client(page, 1, f"Connection refused: nothing listens on {silent_port}")
    expect(card).to_contain_text("cell [3], line 4", timeout=PATIENCE * SECOND)
    notebook.wait_idle()
    listens = f"nbserver listens on 127.0.0.1:{notebook.ask('other.address[1]')}"
    expect(card).to_contain_text(listens)
    output = page.locator(".jp-Cell").nth(3).locator(".jp-Cell-outputArea")
    expect(output).to_contain_text(f"nothing listens on {silent_port}")
    expect(output).to_contain_text(listens)


def test_trouble_2_half_a_character_and_trouble_9_the_pair_of_udp(open_notebook):
    """`recv(2)` cuts 你 in two: which bytes are there, how many are missing. And what `self.request` is in UDP."""
    datagrams = server("conn.sendall(b'hello')").replace("ThreadingTCPServer", "ThreadingUDPServer")
    client = '%%client\nimport socket\ns = socket.socket(type=socket.SOCK_DGRAM)\ns.sendto(b"hi", ("127.0.0.1", port))'
    cells = [
        SETUP,
        server("data = conn.recv(2)", 'print(data.decode("utf-8"))'),
        talk('s.sendall("你好".encode())', "s.recv(10)"),
    ]
    notebook = open_notebook([*cells, datagrams, client])
    notebook.run_all()
    half = of_the_board(notebook.page, "Half a character: 1 byte more")
    expect(half).to_contain_text("The last of these 2 bytes, e4 bd", timeout=PATIENCE * SECOND)
    expect(half).to_contain_text('cell [2], line 7print(data.decode("utf-8"))')
    pair = of_the_board(notebook.page, "In UDP self.request is a pair: the data, and a socket")
    expect(pair).to_contain_text("self.request[1].sendto(data, self.client_address)")
    expect(pair).to_contain_text("cell [4], line 6conn.sendall(b'hello')")


def test_trouble_10_text_in_place_of_bytes(open_notebook):
    """On the server's side and on the client's; the traceback is one click away; in Chinese as well."""
    client = (
        '%%client\nimport socket\ns = socket.socket()\ns.connect(("127.0.0.1", port))\nmsg = "你好"\ns.sendall(msg)'
    )
    notebook = open_notebook([SETUP, server('conn.sendall("hello!")'), client])
    notebook.run_all()
    page = notebook.page
    title = "You passed str; .encode('utf-8') makes these 6 bytes"
    card = of_the_board(page, title)
    expect(card).to_contain_text('cell [2], line 6conn.sendall("hello!")', timeout=PATIENCE * SECOND)
    expect(card).to_contain_text("Write 'hello!'.encode('utf-8')")
    theirs = of_client(page, 1, title)
    expect(theirs).to_contain_text("cell [3], line 6s.sendall(msg)")
    expect(theirs).to_contain_text("msg.encode('utf-8')")
    expect(card.get_by_text("Traceback (most recent call last)")).to_be_hidden()
    card.get_by_text("TypeError: a bytes-like object is required, not 'str'").first.click()
    expect(card.get_by_text("Traceback (most recent call last)")).to_be_visible()
    page.get_by_role("button", name="Switch to Chinese").first.click()
    chinese = page.get_by_role("group", name="传入的是 str；.encode('utf-8') 得到这 6 个字节")
    expect(chinese.filter(has_text="单元格 [2] 第 6 行")).to_be_visible()


def test_trouble_12_a_client_vanishes(open_notebook):
    """No error of the handler's: a card with the bytes and the line, and the row says reset."""
    handler = server("conn.recv(1024)", "while True:", '    conn.sendall(b"x" * 40)')
    linger = 's.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\\1\\0\\0\\0\\0\\0\\0\\0")  # its end is a reset'
    client = talk('s.sendall(b"hi")', "s.recv(10)", linger, "s.close()")
    notebook = open_notebook([SETUP, handler, client])
    notebook.run_all()
    page = notebook.page
    card = of_the_board(page, "Client #1 vanished while you were sending 40 bytes")
    expect(card).to_contain_text('cell [2], line 8conn.sendall(b"x" * 40)', timeout=PATIENCE * SECOND)
    expect(card).to_contain_text("except ConnectionError: return")
    expect(page.get_by_role("row", name="Connection #1", exact=True)).to_contain_text("reset")
