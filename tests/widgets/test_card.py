"""Cards in the page: in a transcript and on a client's console, in the page's language, as text and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from nbserver.teach.cards import card
from nbserver.teach.spot import Line

from .conftest import CONTRAST, Board, row

TRACEBACK = b"""Traceback (most recent call last):
  File "lesson.py", line 7
TypeError: a bytes-like object is required, not 'str'
"""
HOSTILE = '<img src=x onerror="window.hit = 1">`\u202e'


def told(**more: Any) -> bytes:
    """A card's body, as the kernel sends it."""
    values = {"size": 6, "value": "'hello!'", "data": "b'hello!'", "fix": "'hello!'.encode('utf-8')", **more}
    made = card("str-for-bytes.known", Line(__file__, 1), **values)
    return made.body().encode()


def a_card(board: Board, id: int = 1, name: str = "You passed str") -> Any:
    return board.log(id).get_by_role("group", name=name)


def test_a_card_says_what_where_why_and_what_to_change_and_the_traceback_is_one_click_away(
    board: Board,
) -> None:
    board.start().snap(row(1, "failed"))
    board.transcript(1, ("opened", b"127.0.0.1:1"), ("card", told()), ("error", TRACEBACK), ("closed", b"TypeError"))
    found = a_card(board)
    expect(found).to_contain_text("You passed str; .encode('utf-8') makes these 6 bytes")
    expect(found).to_contain_text("test_card.py, line 1")
    expect(found).to_contain_text("Cards in the page: in a transcript")
    expect(found).to_contain_text("What to change: Write 'hello!'.encode('utf-8').")
    expect(board.log(1).locator(".nbs-error")).to_have_count(0)
    line = found.get_by_text("TypeError: a bytes-like object is required, not 'str'").first
    expect(line).to_be_visible()
    expect(found.get_by_text("Traceback (most recent call last):")).to_be_hidden()
    line.click()
    expect(found.get_by_text("Traceback (most recent call last):")).to_be_visible()


def test_an_error_without_a_card_is_shown_as_it_is(board: Board) -> None:
    board.start().snap(row(1, "failed"))
    board.transcript(1, ("card", told()), ("received", b"hi"), ("error", TRACEBACK))
    expect(board.log(1).locator(".nbs-error")).to_have_count(1)
    expect(a_card(board).locator("details")).to_have_count(0)


def test_the_page_speaks_its_own_language(board: Board) -> None:
    board.start(lang="zh").snap(row(1, "failed", sign=["You passed `str`", "传入的是 `str`", 0]))
    board.page.wait_for_function("window.wishes.some((wish) => wish.do === 'watch')")
    rows, body = board.lines("connections", 1, ("card", told()), ("error", TRACEBACK))
    board.play({"t": "transcript", "table": "connections", "id": 1, "entries": rows}, body)
    found = board.page.get_by_role("group", name="传入的是 str；.encode('utf-8') 得到这 6 个字节")
    expect(found).to_contain_text("怎样修改")
    expect(found).to_contain_text("第 1 行")
    expect(board.page.get_by_role("img", name="传入的是 str", exact=True).first).to_be_visible()


def test_a_client_s_console_has_its_card(board: Board) -> None:
    board.start("clients").snap(clients=(row(2, "failed", note="TypeError"),))
    board.transcript(2, ("card", told()), ("error", TRACEBACK), table="clients")
    log = board.page.get_by_role("log", name="Transcript of client 2", exact=True)
    expect(log.get_by_role("group", name="You passed str")).to_contain_text("TypeError: a bytes-like object")
    expect(log.locator(".nbs-error")).to_have_count(0)


def test_a_row_says_how_often_recv_gave_the_end_in_words_and_in_red(board: Board) -> None:
    title = "The peer has closed its side, and nobody looked"
    board.start().snap(row(1, "half-closed", sign=[title, "对方已经关闭了它那一边", 17]), row(2))
    chip = board.row(1).get_by_role("img", name=f"{title}. recv() has returned b'' 17 times", exact=True)
    expect(chip).to_have_text("b'' ×17")
    assert chip.get_attribute("title") == f"{title}. recv() has returned b'' 17 times"
    expect(board.row(2).locator(".nbs-cardchip")).to_be_hidden()
    board.delta(row(1, "half-closed", sign=[title, "", 400]))
    expect(chip.or_(board.row(1).get_by_role("img"))).to_have_text("b'' ×400")


def test_nothing_in_a_card_is_markup(board: Board) -> None:
    board.start().snap(row(1, "failed", sign=[HOSTILE, HOSTILE, 3]))
    body = told(value=HOSTILE, fix=HOSTILE, data=HOSTILE)
    board.transcript(1, ("card", body), ("error", HOSTILE.encode()))
    expect(a_card(board)).to_contain_text("<img src=x onerror=")
    assert board.page.evaluate("[window.hit, document.querySelectorAll('.nbs img').length]") == [None, 0]


def test_a_transcript_that_is_copied_has_the_card_s_words(board: Board) -> None:
    board.start().snap(row(1, "failed"))
    board.page.evaluate("""() => Object.defineProperty(navigator, "clipboard", { configurable: true, value: {
        writeText: async (text) => { window.copied = text; } } })""")
    board.transcript(1, ("card", told()), ("error", TRACEBACK))
    a_card(board).wait_for()
    board.page.get_by_role("button", name="Copy transcript").first.click()
    copied = board.page.wait_for_function("window.copied").json_value()
    assert "! You passed str; .encode('utf-8') makes these 6 bytes" in copied
    assert "→ Write 'hello!'.encode('utf-8')." in copied


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_card_can_be_read_in_light_and_dark(board: Board, theme: str) -> None:
    if theme == "dark":
        board.page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    board.start().snap(row(1, "failed", sign=["You passed", "", 17]))
    board.transcript(1, ("card", told()), ("error", TRACEBACK))
    a_card(board).get_by_text("TypeError: a bytes-like").first.click()
    worst = board.page.evaluate(CONTRAST)
    assert worst[0][0] >= 4.5, worst
    board.page.evaluate("delete document.body.dataset.jpThemeLight")


def test_the_button_that_stops_the_server_which_holds_a_port(board: Board) -> None:
    board.start("takeover").snap()
    button = board.page.get_by_role("button", name="Stop the server of cell [3] and free 127.0.0.1:8008", exact=True)
    button.focus()
    button.press("Enter")
    board.wish("stop")
    board.snap(state="stopped")
    expect(button).to_be_hidden()
    expect(board.page.get_by_role("status").filter(has_text="free now")).to_have_text(
        "127.0.0.1:8008 is free now: run the cell again"
    )
