"""Shared data on a page: what may be watched, who used it at once, and that a click is a wish."""

from __future__ import annotations

import socketserver
from typing import Any

import pytest
from playwright.sync_api import expect

from nbserver import net
from nbserver.fleet import Fleet
from nbserver.widgets.looks import LOOKS
from nbserver.widgets.requests import Desk

from .conftest import CONTRAST, Board, row
from .test_presenting import violations

TRACED = "another tracer (a debugger, or coverage) is at work in these threads: they are not watched"
NAMES = {"names": ["count", "server.users"], "name": "", "on": False, "note": ""}
RACE = {
    **NAMES,
    "name": "count",
    "on": True,
    "begin": 5.0,
    "spans": [[1, 0, 0.0202, 9, 11, True, False], [2, 0.0007, 0.0208, 9, 11, True, True]],
    "races": [[0, 1, 0.0007, 0.0202]],
    "waits": [],
}
LOCKED = {
    **RACE,
    "spans": [[1, 0, 0.0202, 18, 20, True, False], [2, 0.0203, 0.0404, 18, 20, True, False]],
    "races": [],
    "waits": [[2, 0.0003, 0.0202, 17, "lock"]],
}


@pytest.fixture
def shared(board: Board):
    """The view alone, with what the kernel says of it."""

    def shared(data: Any, **traits: Any) -> Any:
        board.start("shared", **traits).snap(row(1))
        board.wish("look", at="shared", connection=0)
        board.delta(looks=[["shared", 0, data]])
        return board.page.get_by_role("region").first

    return shared


def test_two_at_once_are_told_in_words_in_bars_and_in_a_table(shared):
    region = shared(RACE)
    expect(region).to_contain_text(
        "#1 and #2 were both between reading and writing “count” (lines 9–11): one change is lost"
    )
    bars = region.get_by_role("img", name="#2: ").locator(".nbs-stagebar")
    expect(bars.last).to_have_text("⚠ both at once")
    region.get_by_text("As a table").click()
    rows = region.get_by_role("table", name="Shared data").get_by_role("row")
    expect(rows.nth(2)).to_have_text("#2between reading and writing9–111 ms20 msoverwrote a change")


def test_behind_a_lock_nobody_is_at_once_and_who_waited_is_told(shared):
    region = shared(LOCKED)
    expect(region).to_contain_text("No two threads used “count” at once")
    expect(region).to_contain_text("#2 waited 20 ms at line 17 (lock)")
    expect(region.get_by_role("img", name="#2: ").locator(".nbs-stagebar").first).to_have_text("waiting at lock")


def test_what_is_watched_is_chosen_on_the_page(shared, board):
    region = shared(NAMES)
    select = region.get_by_role("combobox", name="Shared by the handlers:")
    select.select_option("server.users")
    region.get_by_role("button", name="Watch").click()
    board.accept(board.wish("watch_shared", name="server.users"))
    board.delta(
        looks=[["shared", 0, {**NAMES, "name": "server.users", "on": True, "spans": [], "races": [], "waits": []}]]
    )
    expect(region).to_contain_text("No handler has used “server.users” yet")
    region.get_by_role("button", name="Stop watching").click()
    board.wish("watch_shared", name="")


def test_another_tracer_is_told_and_in_chinese_and_dark_it_can_be_read(shared, board):
    board.page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    region = shared({**RACE, "note": TRACED}, lang="zh", scale=2)
    expect(region).to_contain_text("这些线程里已有别的跟踪程序")
    expect(region).to_contain_text("#1 和 #2 都读了“count”还没写回（第 9–11 行）：一次修改丢失了")
    assert board.page.evaluate(CONTRAST)[0][0] >= 4.5
    assert violations(board.page) == []


count = 0


class Counts(socketserver.BaseRequestHandler):
    def handle(self):
        global count
        count += 1


def ask(desk: Desk, **request: Any) -> dict[str, Any]:
    return desk.carry_out({"do": "watch_shared", "rid": "r", **request})


def test_a_page_may_watch_what_is_offered_and_nothing_else():
    with net.listen(Counts) as server:
        desk = Desk(server, Fleet())
        assert LOOKS["shared"](server, 0) == {"names": ["count"], "name": "", "on": False, "note": ""}
        assert ask(desk, name="count")["ok"]
        assert server.shared is not None
        assert LOOKS["shared"](server, 0)["on"]
        assert not ask(desk, name="__import__")["ok"]
        assert desk.refused == 0
        for hostile in (1, None, ["count"], "x" * 501):
            assert not ask(desk, name=hostile)["ok"]
        assert desk.refused == 4
        assert server.shared.name == "count"
        assert ask(desk, name="")["ok"]
        assert not server.shared.is_on
