"""The fault lab in a real JupyterLab: set on the board, seen in a naive client's console, undone by one click."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from .conftest import PATIENCE
from .test_tutorial import SECOND

# The textbook's: one send() is one recv(), and a recv() never fails.
SERVER = """
import socketserver
import nbserver

class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while True:
            data = self.request.recv(1024)
            if not data:
                break
            self.request.send(data.upper())

server = nbserver.serve(Echo)
server
"""
CLIENT = """
import socket, time

def program():
    sock = socket.socket()
    sock.connect(server.address)
    while True:
        sock.send(input("> ").encode("utf-8"))
        began = time.monotonic()
        print("received", sock.recv(1024).decode("utf-8"), "later" if time.monotonic() - began > 0.8 else "at once")

nbserver.client(program)
"""


def test_fault_lab_delay_and_split_are_set_seen_and_undone(open_notebook):
    notebook = open_notebook([SERVER, CLIENT])
    page = notebook.page
    notebook.run_all()
    box = page.get_by_role("textbox", name="Input of client 1", exact=True)
    expect(box).to_be_visible(timeout=PATIENCE * SECOND)
    console = page.get_by_role("log", name="Transcript of client 1", exact=True)
    transcript = page.get_by_role("log", name="Transcript of #1", exact=True)

    def say(text):
        box.fill(text)
        box.press("Enter")

    say("hello")
    expect(console).to_contain_text("received HELLO at once")
    page.get_by_role("tab", name="Fault lab").click()
    delay = page.get_by_role("form", name="Delay")
    delay.get_by_label("by").fill("0.6")
    delay.get_by_role("button", name="Set: Delay").click()
    badge = page.get_by_role("button", name="⚡ 1 fault set")
    expect(badge).to_be_visible()
    expect(page.get_by_role("row", name="Connection #1", exact=True)).to_contain_text("⚡ fault")
    expect(transcript).to_contain_text("fault 1 is set: 0.6 s of delay, both ways")
    say("slow")
    expect(console).to_contain_text("received SLOW later")
    expect(page.locator(".nbs-faultset")).to_contain_text("acted on 2 of 2")
    page.get_by_role("button", name="Undo fault 1").click()
    expect(transcript).to_contain_text("fault 1 is undone, it acted 2 times")
    expect(badge).to_be_hidden()

    split = page.get_by_role("form", name="Split")
    split.get_by_label("after").fill("4")
    split.get_by_label("way").select_option("to_client")
    page.get_by_role("button", name="#1 only").click()
    expect(split).to_contain_text('server[1].faults.add("split", direction="to_client", at=4, pause=0.3)')
    split.get_by_role("button", name="Set: Split").click()
    say("goodbye")
    expect(console).to_contain_text(re.compile(r"received GOOD at once"))  # and BYE is taken for the next answer
    say("x")
    expect(console).to_contain_text("received BYE")
    page.get_by_role("button", name="Undo fault 2").click()
    expect(transcript).to_contain_text("each message is split at byte 4, to the client")
    assert notebook.ask("[len(server.faults), server.journal.wait_for(lambda: server[1].wire is None, 5)]") == [0, True]

    page.get_by_role("button", name="Half-close").click()
    expect(transcript).to_contain_text("you closed the sending side: the client reads the end, and can still send")
    assert notebook.errors == []
