"""The lanes of a comparison on a page: words in bars, one axis, a table, and text from elsewhere as text."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from .conftest import CONTRAST, NOW, Board
from .test_presenting import violations

HOSTILE = "<img src=x onerror=alert(1)>"


def lane(client: int, states: list[list[Any]], waited: float | None, where: str = "backlog", note: str = "") -> Any:
    answered = states[-1][0] if states[-1][1] == "done" else None
    return {"client": client, "states": states, "answered": answered, "waited": waited, "where": where, "note": note}


PLAIN = {
    "name": "TCPServer",
    "total": 2.01,
    "lanes": [
        lane(1, [[0.0, "serving"], [1.0, "done"]], 0.0),
        lane(2, [[0.002, "backlog"], [1.0, "serving"], [2.0, "done"]], 1.0),
    ],
}
POOL = {
    "name": HOSTILE,
    "total": 2.0,
    "lanes": [
        lane(1, [[0.0, "serving"], [1.0, "done"]], 0.0),
        lane(2, [[0.0, "accepted"], [1.0, "serving"], [1.4, "failed"]], 1.0, "accepted", HOSTILE),
    ],
}
DONE = {"state": "done", "began": NOW, "seconds": 30.0, "clients": 2, "columns": [PLAIN, POOL]}
FRESH = {
    "name": "TCPServer",
    "total": None,
    "lanes": [lane(1, [[0.0, "serving"]], 0.0), lane(2, [[0.1, "backlog"]], None)],
}
RUNNING = {**DONE, "state": "running", "columns": [FRESH]}


@pytest.fixture
def comparison(board: Board):
    """Shows a comparison, as its hub would: there is no server."""

    def comparison(data: Any, at: float = NOW, **traits: Any) -> Any:
        board.start("compare", **traits)
        board.q, board.now = 1, at
        facts = {"server": None, "counts": {}, "connections": [], "clients": []}
        board.play({"t": "snap", "v": 1, "ep": "life-1", "q": 1, "now": at, **facts})
        board.wish("look", at="compare", connection=0)
        board.delta(looks=[["compare", 0, data]])
        return board.page.get_by_role("region", name="Comparison")

    return comparison


def bars(region: Any, client: str) -> list[str]:
    return region.get_by_role("img", name=re.compile(f"^{client}: ")).locator(".nbs-stagebar").all_inner_texts()


def test_who_waits_where_is_written_in_the_bars_and_said_to_a_screen_reader(comparison):
    region = comparison(DONE)
    expect(region.get_by_role("status").filter(has_text="all are done")).to_be_visible()
    plain = region.get_by_role("group", name="TCPServer")
    expect(plain).to_contain_text("total 2.0 s; client 2 waited 1.0 s in the backlog")
    assert bars(plain, "client 2") == ["in the backlog", "being served"]
    name = "client 2: in the backlog for 998 ms, being served for 1.0 s, done"
    expect(plain.get_by_role("img", name=name)).to_be_visible()
    expect(region).to_contain_text("connected by the operating system, not yet accepted")
    other = region.get_by_role("group", name=HOSTILE)
    expect(other).to_contain_text("client 2 was accepted, and waited 1.0 s to be served")
    expect(other).to_contain_text(HOSTILE)
    assert region.locator("img").count() == 0


@pytest.mark.usefixtures("passing_time")
def test_while_it_runs_the_bars_grow_with_the_kernels_clock(comparison):
    region = comparison(RUNNING, at=NOW + 1.0)
    expect(region.get_by_role("status").filter(has_text="running")).to_be_visible()
    expect(region).to_contain_text(re.compile(r"client 2 waited (9\d\d ms|1\.\d s) in the backlog"))
    expect(region).to_contain_text(re.compile(r"client 2 waited 1\.[2-9] s in the backlog"))


def test_the_same_as_a_table(comparison):
    region = comparison(DONE)
    region.get_by_text("As a table").click()
    rows = region.get_by_role("table", name="Comparison").get_by_role("row")
    expect(rows).to_have_count(5)
    expect(rows.nth(2)).to_have_text("TCPServerclient 21.0 sin the backlog2.0 sdone")


def test_in_chinese_dark_and_large_it_can_be_read(comparison, board):
    board.page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    comparison(DONE, lang="zh", scale=2)
    region = board.page.get_by_role("region", name="对比")
    expect(region).to_contain_text("客户端 2 在积压队列中等了 1.0 s")
    expect(region).to_contain_text("操作系统已连接，服务器尚未接受")
    assert board.page.evaluate(CONTRAST)[0][0] >= 4.5
    assert violations(board.page) == []
    assert board.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
