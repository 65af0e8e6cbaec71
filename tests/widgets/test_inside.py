"""The tabs at the foot of the board: what can be looked at inside a server."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from .conftest import Board, row

NAMES = ["Call chain", "Two loops", "Who waits for whom", "Byte ruler", "Inspector", "Class map", "Fault lab"]


def tab(board: Board, name: str):
    return board.page.get_by_role("tab", name=name, exact=True)


def looked_at(board: Board) -> list[str]:
    return [wish["at"] for wish in board.wishes("look")]


def test_a_tab_opens_what_it_names_and_closes_it_again(board):
    board.start().snap(row(1))
    strip = board.page.get_by_role("tablist", name="Look inside")
    assert [one for one in strip.get_by_role("tab").all_inner_texts() if one in NAMES] == NAMES
    assert looked_at(board) == []  # nobody looks: nothing is asked for
    tab(board, "Inspector").click()
    board.wish("look", at="inspector", connection=1)
    expect(board.page.get_by_role("tabpanel", name="Inspector")).to_be_visible()
    tab(board, "Class map").click()
    expect(board.page.get_by_role("tabpanel", name="Class map")).to_be_visible()
    expect(tab(board, "Inspector")).to_have_attribute("aria-selected", "false")
    tab(board, "Class map").click()
    expect(board.page.get_by_role("tabpanel")).to_have_count(0)


def test_the_arrows_go_along_the_tabs_and_enter_opens(board):
    board.start().snap(row(1))
    first = board.page.get_by_role("tab").first
    first.focus()
    board.page.keyboard.press("End")
    expect(board.page.get_by_role("tab").last).to_be_focused()
    board.page.keyboard.press("ArrowRight")
    expect(first).to_be_focused()
    board.page.keyboard.press("ArrowRight")
    board.page.keyboard.press("Enter")
    expect(board.page.get_by_role("tabpanel", name="Two loops")).to_be_visible()


def test_another_connection_is_looked_at_when_it_is_selected(board):
    board.start().snap(row(1), row(2))
    tab(board, "Inspector").click()
    board.wish("look", at="inspector", connection=1)
    board.row(2).click()
    board.wish("look", at="inspector", connection=2)


def test_each_stands_in_a_cell_of_its_own_with_its_name(board):
    board.start("classes").snap(row(1))
    expect(board.page.get_by_role("region", name=re.compile("^Class map of 127.0.0.1:8008"))).to_be_visible()
