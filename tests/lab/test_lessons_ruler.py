"""Troubles 1 and 2 of a beginner, with a beginner's code: no message boundaries, and half characters."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from .conftest import PATIENCE

SECOND = 1000.0
LOAD = "%load_ext nbserver"
# The handler takes a moment for each message, as a busy server does; meanwhile more arrives.
SERVER = """%%server
import socketserver, time

class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        while True:
            data = self.request.recv(16)
            if not data:
                break
            print("message:", data)
            time.sleep(0.3)

server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
server.serve_forever()"""
CLIENT = """%%client
import socket, time

client = socket.socket()
client.connect(server.server_address)
client.send(b"first")
time.sleep(0.15)
client.send(b"hello ")
client.send(b"world!")
time.sleep(0.5)
client.send(b"this line is longer than sixteen bytes")
input("done")"""
SHOW = "import nbserver\nobserved = nbserver.servers()[0]\nobserved.panel.ruler"


def opened(open_notebook, *cells: str):
    notebook = open_notebook([LOAD, *cells, SHOW])
    for index in range(len(cells) + 2):
        notebook.run(index)
    own = notebook.page.get_by_role("region", name=re.compile(r"^Byte ruler of 127\.0\.0\.1:\d+$"))
    expect(own).to_be_visible(timeout=PATIENCE * SECOND)
    return notebook, own


def test_trouble_1_two_sends_become_one_recv_and_one_becomes_three_and_a_lens_finds_the_messages(open_notebook):
    notebook, own = opened(open_notebook, SERVER, CLIENT)
    way = own.get_by_role("region", name="client 1 → server #1", exact=True)
    expect(way.get_by_text("2 send() became 1 recv(): merged").first).to_be_visible(timeout=PATIENCE * SECOND)
    expect(way.get_by_text("1 send() became 3 recv(): split").first).to_be_visible(timeout=PATIENCE * SECOND)
    merged = way.get_by_role("button", name=re.compile(r"^recv\(\) of the receiver: 12 bytes from byte 5, 2 send"))
    merged.focus()
    expect(own.get_by_text("data = self.request.recv(16)")).to_be_visible()
    notebook.page.keyboard.press("ArrowUp")
    expect(own.get_by_text('client.send(b"hello ")')).to_be_visible()
    own.get_by_role("combobox", name="Lens").select_option(label="length in 4 bytes, big endian")
    expect(own.get_by_text("the length says 1718186611 bytes: not believed")).to_be_visible()  # "firs"
    assert notebook.ask("observed.observation.lens.name") == "length4big"
    text = notebook.ask("str(observed[1].ruler())")
    assert "2 send() became 1 recv() (merged)" in text


HALVES = SERVER.replace("recv(16)", "recv(8)").replace('print("message:", data)', 'print(data.decode("utf-8"))')
GREETING = """%%client
import socket

client = socket.socket()
client.connect(server.server_address)
client.send("hi, 你好".encode("utf-8"))
input("done")"""


def test_trouble_2_a_character_in_two_pieces_and_what_a_plain_decode_raises(open_notebook):
    notebook, own = opened(open_notebook, HALVES, GREETING)
    way = own.get_by_role("region", name="client 1 → server #1", exact=True)
    expect(way.get_by_text("½ 2 bytes more")).to_be_visible(timeout=PATIENCE * SECOND)
    expect(way.get_by_text("2 never received: the connection has ended")).to_be_visible()
    way.get_by_role("button", name=re.compile(r"^recv\(\) of the receiver: 8 bytes from byte 0")).focus()
    expect(own.get_by_text("It ends in half a character: 2 bytes more, which the next piece brings.")).to_be_visible()
    error = "'utf-8' codec can't decode byte 0xe5 in position 7: unexpected end of data"
    expect(own.get_by_text(f"UnicodeDecodeError: {error}", exact=True)).to_be_visible()
    assert error in notebook.ask("observed[1].note"), "it is what the handler's own decode() has raised"
