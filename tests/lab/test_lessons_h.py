"""What the tutorial says, from its own unchanged programs: several clients, a thread for each; and who can connect."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from .conftest import PATIENCE
from .test_timeline import table
from .test_tutorial import SECOND, reply_box, row_with, run_tutorial, say, three_wait, transcript

PROGRAM = """%%server
import socketserver

class Myserver(socketserver.BaseRequestHandler):
    def handle(self):
        print(self.request.recv(1024).decode('utf-8'))
        self.request.send('hello'.encode('utf-8'))

if __name__ == '__main__':
    server = socketserver.ThreadingTCPServer(('HOST', 0), Myserver)
    server.serve_forever()
"""
# The machine that runs the tests may be in no network, or in a class's: what it calls itself is not the point here.
NETWORK = """%load_ext nbserver
import nbserver.net.reach as reach
reach._asked = lambda: iter(["192.168.1.7"])"""


@pytest.fixture
def tutorial(open_notebook):
    return run_tutorial(open_notebook)


def test_lesson_2_both_programs_unchanged_and_three_clients_are_answered_in_reverse_order(tutorial):
    page = tutorial.page
    numbers = three_wait(page)
    assert sorted(numbers.values()) == [1, 2, 3]
    for client in (3, 2, 1):
        expect(row_with(page, f"hello from {client}")).to_contain_text("waiting")
        expect(row_with(page, f"hello from {client}")).to_contain_text("服务端说>>>")
        box = reply_box(page, numbers[client])
        box.fill(f"answer for {client}")
        box.press("Enter")
        expect(transcript(page, client)).to_contain_text(f"answer for {client}")
    for client in (1, 2, 3):
        for other in {1, 2, 3} - {client}:
            expect(transcript(page, client)).not_to_contain_text(f"answer for {other}")


def test_lesson_3_a_lane_for_each_thread_and_a_reload_shows_the_same_past(tutorial):
    page = tutorial.page
    page.get_by_role("button", name="Time line", exact=True).click()
    page.get_by_text("As a table", exact=True).click()
    lanes = table(page).locator("tbody tr")
    expect(lanes).to_have_count(4)
    expect(lanes.filter(has_text="blocked in recv()")).to_have_count(3)
    for client in (1, 2, 3):
        say(page, client, f"hello from {client}")
    expect(lanes.filter(has_text="waiting for you")).to_have_count(3)
    expect(lanes.nth(0)).to_contain_text("waiting in select()")
    tutorial.save()
    since = lanes.filter(has_text=re.compile("^#")).locator("td:last-child").all_inner_texts()
    tutorial.open()
    page.get_by_role("button", name="Time line", exact=True).click()
    page.get_by_text("As a table", exact=True).click()
    expect(lanes.filter(has_text="waiting for you")).to_have_count(3)
    again = lanes.filter(has_text=re.compile("^#")).locator("td:last-child").all_inner_texts()
    assert [text.split(" · ")[0] for text in again] == [text.split(" · ")[0] for text in since]
    box = reply_box(page, 1)
    box.fill("an answer")
    box.press("Enter")
    expect(lanes.filter(has_text="waiting for you")).to_have_count(2)
    expect(lanes.filter(has_text="blocked in recv()")).to_have_count(1)


def test_trouble_8_the_board_says_who_can_connect(open_notebook):
    """To 127.0.0.1, to 0.0.0.0 as it stands, and to 0.0.0.0 with the network let in: the same program three times."""
    here, everywhere = PROGRAM.replace("HOST", "127.0.0.1"), PROGRAM.replace("HOST", "0.0.0.0")
    notebook = open_notebook([NETWORK, here, everywhere, everywhere.replace("%%server", "%%server --lan")])
    notebook.run_all()
    boards = notebook.page.get_by_role("region", name=re.compile(r"^nbserver [\d.]+:\d+$"))
    expect(boards).to_have_count(3, timeout=PATIENCE * SECOND)
    texts = []
    for index, board in enumerate(boards.all()):
        button = board.get_by_role("button", name="Who can reach it")
        expect(button).to_have_text(re.compile("^the same network" if index == 2 else "^this machine only$"))
        button.click()
        texts.append(board.get_by_role("region", name="Who can reach it", exact=True).inner_text())
    for text in texts:
        assert "✓ this notebook" in text and "✓ this machine" in text
    assert "✗ not the network" in texts[0] and "127.0.0.1 always means the machine itself" in texts[0]
    assert "✗ not the network" in texts[1] and "%%server --lan" in texts[1]
    assert "✓ the network" in texts[2] and "192.168.1.7:" in texts[2]
    assert "Whoever is in the same network can connect" in texts[2]
