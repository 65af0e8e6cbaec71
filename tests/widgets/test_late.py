"""What was typed and waits for a running cell is on its way: said so, not given back, and gone when it has arrived."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .conftest import row, waiting

pytestmark = pytest.mark.usefixtures("passing_time")
ON_ITS_WAY = "On its way: “hello”. The kernel is busy, it arrives when the running cell has ended"


def sent(board, id: int = 1):
    """Types a reply that the kernel does not acknowledge."""
    board.reply_box(id).fill("hello")
    board.reply_box(id).press("Enter")
    return board.wish("reply", connection=id, text="hello")


def test_a_reply_that_waits_for_a_cell_is_on_its_way_and_then_there(board):
    board.start().snap(waiting(1, 1), row(2))
    wish = sent(board)
    note = board.row(1).get_by_role("status")
    expect(note).to_contain_text(ON_ITS_WAY)
    expect(note.get_by_role("button")).to_have_count(0)  # there is nothing to be thrown away
    expect(board.row(1).get_by_role("alert")).to_have_count(0)
    expect(board.row(2).get_by_role("status")).to_have_count(0)
    expect(board.reply_box(1)).to_have_value("")
    assert note.bounding_box()["y"] + note.bounding_box()["height"] <= board.row(2).bounding_box()["y"] + 0.5
    board.accept(wish, row(1))
    expect(note).to_have_count(0)


def test_what_is_refused_in_the_end_comes_back(board):
    board.start().snap(waiting(1, 1))
    wish = sent(board)
    expect(board.row(1).get_by_role("status")).to_contain_text(ON_ITS_WAY)
    board.refuse(wish, "answered", "somebody was faster", waiting(1, 2))
    expect(board.row(1).get_by_role("alert")).to_contain_text("Not sent")
    expect(board.row(1).get_by_role("status")).to_have_count(0)
    expect(board.reply_box(1)).to_have_value("hello")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_said_in_chinese_and_can_be_read(board, theme):
    board.page.evaluate("theme => document.documentElement.setAttribute('theme', theme)", theme)
    board.start(lang="zh", scale=2).snap(waiting(1, 1))
    box = board.page.get_by_role("textbox", name="回复 #1").first
    box.fill("hello")
    box.press("Enter")
    expect(board.page.get_by_role("status").filter(has_text="已在途中：“hello”").first).to_be_visible()
