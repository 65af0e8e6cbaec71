"""The board read from the last row: it fills the page, sizes, high contrast, languages; and the rules of axe-core."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from .conftest import CONTRAST, Board, row, waiting

FILL = "Fill the page"
INSIDE = "() => document.querySelector('.nbs').contains(document.activeElement)"


def fill(board: Board) -> Any:
    return board.page.get_by_role("button", name=FILL, exact=True)


def box_of_board(page: Page) -> dict[str, float]:
    return page.locator(".nbs").bounding_box()


def test_it_fills_the_page_even_from_inside_a_clipped_cell(board: Board) -> None:
    clipping = {"contain": "strict", "width": "500px", "height": "300px", "transform": "scale(0.9)"}
    board.page.evaluate("(style) => Object.assign(document.body.style, style)", clipping)
    board.start().snap(waiting(1, ask=1))
    board.reply_box(1).fill("half a reply")
    fill(board).click()
    expect(fill(board)).to_have_attribute("aria-pressed", "true")
    assert box_of_board(board.page) == {"x": 0, "y": 0, "width": 1280, "height": 800}
    expect(board.reply_box(1)).to_have_value("half a reply")
    fill(board).press("Escape")
    expect(fill(board)).to_have_attribute("aria-pressed", "false")
    assert box_of_board(board.page)["width"] < 500
    expect(fill(board)).to_be_focused()


def test_while_it_fills_the_page_tab_stays_inside(board: Board) -> None:
    board.page.evaluate("() => document.body.append(document.createElement('button'))")
    board.start().snap(row(1))
    fill(board).focus()
    board.page.keyboard.press("f")
    expect(fill(board)).to_have_attribute("aria-pressed", "true")
    count = board.page.locator(".nbs :is(button, input, select, [tabindex='0'])").count()
    for key in ("Tab", "Shift+Tab"):
        for _ in range(count + 2):
            board.page.keyboard.press(key)
            assert board.page.evaluate(INSIDE)


def test_escape_in_a_box_leaves_the_box_and_not_the_page(board: Board) -> None:
    board.start().snap(waiting(1, ask=1))
    fill(board).click()
    board.reply_box(1).press("Escape")
    expect(fill(board)).to_have_attribute("aria-pressed", "true")
    board.page.keyboard.press("Escape")
    expect(fill(board)).to_have_attribute("aria-pressed", "false")


def test_the_size_by_keyboard_and_never_while_typing(board: Board) -> None:
    board.start().snap(waiting(1, ask=1))
    grid = board.page.get_by_role("grid", name="Connections")
    size = "() => parseFloat(getComputedStyle(document.querySelector('.nbs')).fontSize)"
    before = board.page.evaluate(size)
    grid.press("+")
    assert board.page.evaluate("window.hub.get('scale')") == 1.2
    board.page.wait_for_function(f"(before) => ({size})() > before", arg=before)
    grid.press("-")
    grid.press("-")
    assert board.page.evaluate("window.hub.get('scale')") == 0.85
    grid.press("0")
    assert board.page.evaluate("window.hub.get('scale')") == 1
    board.reply_box(1).press_sequentially("1+1-0f")
    expect(board.reply_box(1)).to_have_value("1+1-0f")
    assert board.page.evaluate("window.hub.get('scale')") == 1
    expect(fill(board)).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize("theme", ["true", "false"])
def test_high_contrast_by_choice_is_seven_to_one(board: Board, theme: str) -> None:
    board.page.evaluate("(theme) => { document.body.dataset.jpThemeLight = theme; }", theme)
    board.start().snap(row(1), waiting(2, ask=1), row(3, "failed", note="ValueError"), row(4, "sending"))
    board.transcript(1, ("received", b"a\x00"), ("sent", b"b"), ("error", b"ValueError: bad"))
    board.page.get_by_role("button", name="View and keys").click()
    board.page.get_by_role("checkbox", name="High contrast").check()
    expect(board.page.locator(".nbs")).to_have_attribute("data-contrast", "high")
    lowest = board.page.evaluate(CONTRAST)
    assert lowest[0][0] >= 7, lowest
    assert board.page.evaluate("window.hub.saved.contrast") == "high", "so that every board of the notebook has it"
    board.page.get_by_role("checkbox", name="High contrast").uncheck()
    expect(board.page.locator(".nbs")).to_have_attribute("data-contrast", "normal")


@pytest.mark.parametrize(
    ("page_language", "said"), [("zh_CN", "连接列表"), ("zh-TW", "连接列表"), ("en", "Connections")]
)
def test_the_language_is_the_pages_until_one_is_chosen(board: Board, page_language: str, said: str) -> None:
    board.page.evaluate("(lang) => { document.documentElement.lang = lang; }", page_language)
    board.start(lang="").snap(row(1))
    expect(board.page.get_by_role("grid", name=said, exact=True)).to_be_visible()
    board.page.locator(".nbs-fact.is-keys").click()
    board.page.locator(".nbs-choices select").select_option("zh")
    expect(board.page.get_by_role("grid", name="连接列表", exact=True)).to_be_visible()
    assert board.page.evaluate("window.hub.saved.lang") == "zh"


def test_who_wants_less_motion_sees_none(board: Board) -> None:
    moving = """() => [...document.querySelectorAll(".nbs, .nbs *")].filter((each) => {
      const style = getComputedStyle(each);
      const lasts = (text) => text.split(",").some((time) => parseFloat(time) > 0);
      return lasts(style.transitionDuration) || lasts(style.animationDuration) || style.scrollBehavior === "smooth";
    }).length"""
    board.page.emulate_media(reduced_motion="no-preference")
    board.start().snap(waiting(1, ask=1), row(2))
    assert board.page.evaluate(moving) > 0, "else this test would not notice"
    board.page.emulate_media(reduced_motion="reduce")
    assert board.page.evaluate(moving) == 0


def panels(page: Page) -> list[str]:
    return page.locator(".nbs-fact[aria-controls]").evaluate_all("(all) => all.map((each) => each.className)")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("theme", ["true", "false"])
def test_axe_core_finds_nothing(board: Board, language: str, theme: str) -> None:
    page = board.page
    page.evaluate("(theme) => { document.body.dataset.jpThemeLight = theme; }", theme)
    page.evaluate("(colour) => { document.body.style.background = colour; }", "white" if theme == "true" else "black")
    clients = (row(0, "running"), row(1, "closed"), waiting(2, ask=3, prompt="name? "))
    rows = [row(1), waiting(2, ask=1), row(3, "closed"), row(4, "failed", note="ValueError"), row(5, speaks="HTTP")]
    board.start(lang=language).snap(*rows, clients=clients, limit="full 5 5 2")
    board.wish("watch", table="connections", id=1)
    lines, body = board.lines(
        "connections", 1, ("received", b"a\x00\xe4"), ("asked", b"?"), ("error", b"ValueError: bad")
    )
    board.play({"t": "transcript", "table": "connections", "id": 1, "entries": lines}, body)
    page.locator(".nbs-bubble").first.wait_for()
    assert violations(page) == []
    for name in panels(page):
        page.locator(f".{'.'.join(name.split())}").click()
        assert violations(page) == [], name
    page.locator(".is-present").click()
    assert violations(page) == []


def test_axe_core_would_notice(board: Board) -> None:
    board.start().snap(row(1))
    board.page.evaluate("() => document.querySelector('.nbs-content').append(document.createElement('button'))")
    assert [name for name, _ in violations(board.page)] == ["button-name"]


def violations(page: Page) -> list[tuple[str, Any]]:
    """What axe-core finds in the board: the name of the rule, and where."""
    found = Axe().run(page, context=".nbs").response["violations"]
    return [(each["id"], [node["html"][:120] for node in each["nodes"]][:3]) for each in found]
