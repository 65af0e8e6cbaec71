"""Always true: whatever a page has missed, the board ends on what is so, or says that it cannot know."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from .conftest import PATIENCE
from .test_board import board, started
from .test_tutorial import SECOND, reply_box, row_with, say

__all__ = ["started"]

SILENT = "No word from the kernel"
CUT = "The connection to the kernel is cut"
RESTARTED = "The kernel was restarted"


class Wire:
    """The kernel's websocket, seen from the page, which can be cut in three ways."""

    def __init__(self, page: Page) -> None:
        self.drops = False  # what is sent is lost, and nobody is told
        self.is_cut = False  # it is closed, and cannot be opened
        self.dropped = 0
        self._open: list[WebSocketRoute] = []
        page.route_web_socket(re.compile("/api/kernels/.*/channels"), self._connect)

    def _connect(self, page_side: WebSocketRoute) -> None:
        if self.is_cut:
            page_side.close(code=1012)
            return
        self._open.append(page_side)
        kernel_side = page_side.connect_to_server()
        page_side.on_message(lambda message: self._pass(kernel_side, message))
        kernel_side.on_message(lambda message: self._pass(page_side, message))

    def _pass(self, to: WebSocketRoute, message: str | bytes) -> None:
        if self.drops:
            self.dropped += 1
        else:
            to.send(message)

    def cut(self) -> None:
        self.is_cut = True
        for page_side in self._open:
            page_side.close(code=1012)  # as when the server goes on after a while; an orderly end is final
        self._open.clear()


@pytest.fixture
def lab_page(page: Page) -> Page:
    """A page of its own for each test, which may cut it off."""
    return page


@pytest.fixture
def wire(page) -> Iterator[Wire]:
    yield Wire(page)


TALK = """import threading
fleet = nbserver.clients(server, 3, ['hello'])
def talk(text):
    for number in (2, 3):
        server.reply(number, text)"""


def chat(notebook, text: str) -> None:
    """Let two clients be answered a moment later, when the page that asks for it may be cut off."""
    notebook.ask(f"threading.Timer(0.5, talk, [{text!r}]).start()")


def test_a_page_that_has_missed_messages_says_so_and_is_whole_again(wire, started):
    notebook = started(TALK)
    page = notebook.page
    expect(row_with(page, "hello")).to_have_count(3)
    page.get_by_role("row", name="Connection #2", exact=True).click()
    log = page.get_by_role("log", name="Transcript of #2", exact=True)
    expect(log).to_contain_text("hello")
    chat(notebook, "while nobody listened")
    wire.drops = True
    # The board draws nothing meanwhile that it was not told.
    expect(board(page)).to_contain_text(SILENT, timeout=PATIENCE * SECOND)
    assert wire.dropped >= 3
    assert "while nobody listened" not in board(page).inner_text()
    wire.drops = False
    expect(board(page).get_by_text(SILENT)).to_be_hidden(timeout=PATIENCE * SECOND)
    for number, counts in ((1, "1 / 0"), (2, "1 / 1"), (3, "1 / 1")):
        expect(page.get_by_role("row", name=f"Connection #{number}", exact=True)).to_contain_text(counts)
    expect(log).to_contain_text("while nobody listened")


def test_a_websocket_that_is_cut_is_told_at_once_and_the_board_is_whole_when_it_is_back(wire, started):
    notebook = started(TALK)
    page = notebook.page
    expect(row_with(page, "hello")).to_have_count(3)
    chat(notebook, "in the dark")
    wire.cut()
    expect(board(page).get_by_text(CUT)).to_be_visible(timeout=2 * SECOND)
    page.wait_for_timeout(3000)  # the kernel talks meanwhile; a longer cut shows no more
    reply_box(page, 1).fill("from the dark")
    reply_box(page, 1).press("Enter")
    wire.is_cut = False
    expect(board(page).get_by_text(CUT)).to_be_hidden(timeout=2 * PATIENCE * SECOND)
    for number in (2, 3):
        expect(page.get_by_role("row", name=f"Connection #{number}", exact=True)).to_contain_text("in the dark")
    expect(page.get_by_role("row", name="Connection #1", exact=True)).to_contain_text("from the dark")
    assert notebook.ask("fleet[0].hear(10)") == "from the dark"


def test_two_users_of_one_kernel_see_the_same_and_answer_each_other_s_clients(started, browser):
    notebook = started(TALK)
    page = notebook.page
    expect(row_with(page, "hello")).to_have_count(3)
    notebook.save()
    context = browser.new_context(viewport={"width": 1400, "height": 2200}, locale="en-US")
    other = context.new_page()
    other.goto(page.url)
    other.goto(f"{notebook.lab.url}{notebook.path}?token={notebook.lab.token}")
    expect(row_with(other, "hello")).to_have_count(3, timeout=PATIENCE * SECOND)
    for one, number, text in ((page, 1, "from the first user"), (other, 2, "from the second user")):
        reply_box(one, number).fill(text)
        reply_box(one, number).press("Enter")
    for one in (page, other):
        for number, text in ((1, "from the first user"), (2, "from the second user")):
            expect(one.get_by_role("row", name=f"Connection #{number}", exact=True)).to_contain_text(text)
        one.get_by_role("row", name="Connection #2", exact=True).click()
        expect(one.get_by_role("log", name="Transcript of #2", exact=True)).to_contain_text("from the second user")
    other.get_by_role("button", name="Stop server").click()
    for one in (page, other):
        expect(board(one)).to_contain_text("stopped")
    context.close()


def test_several_boards_of_several_servers_in_one_page_show_each_its_own(started):
    cells = [f"s{n} = nbserver.serve()\nf{n} = nbserver.clients(s{n}, 2, ['of server {n}'])\ns{n}" for n in (2, 3, 4)]
    notebook = started(*cells)
    page = notebook.page
    expect(board(page)).to_have_count(4)
    for n in (2, 3, 4):
        expect(row_with(board(page).nth(n - 1), f"of server {n}")).to_have_count(2)
    box = reply_box(board(page).nth(2), 1)
    box.fill("only here")
    box.press("Enter")
    expect(board(page).nth(2).get_by_role("row", name="Connection #1", exact=True)).to_contain_text("only here")
    for n in (0, 1, 3):
        expect(board(page).nth(n)).not_to_contain_text("only here")
    assert notebook.ask("[[c.messages_out for c in s.connections.values()] for s in (s2, s3, s4)]") == [
        [0, 0],
        [1, 0],
        [0, 0],
    ]


def test_after_a_restart_the_board_says_what_is_so_and_pretends_nothing(started):
    notebook = started(TALK)
    page = notebook.page
    expect(row_with(page, "hello")).to_have_count(3)
    page.evaluate(
        "async () => { await window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart(); }"
    )
    expect(board(page).get_by_role("status").filter(has_text=RESTARTED)).to_be_visible(timeout=2 * SECOND)
    expect(page.get_by_role("button", name="Stop server")).to_be_disabled()
    reply_box(page, 1).fill("to nobody")
    reply_box(page, 1).press("Enter")
    row = page.get_by_role("row", name="Connection #1", exact=True)
    expect(row.get_by_role("alert")).to_contain_text("the kernel was restarted", timeout=2 * SECOND)
    expect(reply_box(page, 1)).to_have_value("to nobody")
    notebook.wait_ready()
    notebook.run(0)
    expect(board(page).first.get_by_text(RESTARTED)).to_be_hidden(timeout=PATIENCE * SECOND)
    page.get_by_role("button", name="Add client").first.click()
    say(page, 1, "a new life")
    expect(row_with(page, "a new life")).to_have_count(1)


def test_a_stopped_server_stays_readable_with_transcripts_that_were_never_looked_at(started):
    notebook = started(TALK)
    page = notebook.page
    expect(row_with(page, "hello")).to_have_count(3)
    notebook.ask("nbserver.stop_all() and None")
    expect(board(page)).to_contain_text("stopped")
    page.wait_for_timeout(4000)  # longer than the silence that a living server's board would report
    expect(board(page).get_by_text(SILENT)).to_be_hidden()
    page.get_by_role("row", name="Connection #3", exact=True).click()
    expect(page.get_by_role("log", name="Transcript of #3", exact=True)).to_contain_text("hello")
    notebook.save()
    notebook.open()
    page.get_by_role("row", name="Connection #2", exact=True).click()
    expect(page.get_by_role("log", name="Transcript of #2", exact=True)).to_contain_text(
        "hello", timeout=PATIENCE * SECOND
    )
