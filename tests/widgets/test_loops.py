"""The two loops, on a bare page: where each is, how often it has turned, and which stands still."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

from .conftest import NOW, Board, row

OUTER = {
    "state": "selecting",
    "step": "select",
    "serving": 0,
    "turns": 3,
    "backlog": 0,
    "line": ["cell [3]", 14, "server.serve_forever()"],
    "since": NOW - 5,
    "thread": "nbserver-serve-8008",
}
INNER = {
    "id": 1,
    "state": "waiting",
    "step": "think",
    "turns": 4,
    "out": 3,
    "call": "input",
    "why": "person",
    "line": ["cell [3]", 8, "server_msg = input('> ')"],
    "since": NOW - 12,
    "thread": "nbserver-8008-worker-1",
}


def tell(board: Board, **seen: Any) -> None:
    data = {"shape": "two", "outer": OUTER, "inner": INNER, **seen}
    board.delta(looks=[["loops", board.wishes("look")[-1]["connection"], data]])


def show(board: Board, **seen: Any) -> Any:
    board.start("loops").snap(row(1))
    board.wish("look", at="loops")
    tell(board, **seen)
    return board.page.get_by_role("region").first


LIT = "text[data-lit]"  # of a ring: the words of the step that it is at


def lit(ring: Any) -> list[str]:
    return ring.locator(LIT).all_text_contents()


def angle(ring: Any) -> float:
    return float(ring.locator(".nbs-ringsign").first.get_attribute("style").split("(")[1].split("deg")[0])


def test_two_rings_say_where_each_loop_is_and_which_line(board):
    view = show(board)
    outer = view.get_by_role(
        "img", name=re.compile(r"^Connection loop, turn 3: waits in select\(\) for the next client")
    )
    inner = view.get_by_role(
        "img", name=re.compile("^Communication loop of #1, turn 4: handler 1 has been waiting for you for 1")
    )
    expect(outer.locator(LIT)).to_have_text(["▶ select()"])
    expect(inner.locator(LIT)).to_have_text(["▶ think"])
    expect(view).to_contain_text("server.serve_forever()")
    expect(view).to_contain_text("server_msg = input('> ')")
    expect(view).to_contain_text("hands each client over to a thread of its own")


def test_a_ring_turns_with_the_events(board):
    view = show(board)
    outer, inner = view.get_by_role("img").nth(0), view.get_by_role("img").nth(1)
    assert [angle(outer), angle(inner)] == [0, 120]
    tell(board, outer={**OUTER, "turns": 4}, inner={**INNER, "why": "receive", "call": "recv", "step": "recv"})
    expect(inner).to_have_attribute(
        "aria-label", re.compile(r"turn 4: blocked in recv\(\) for 1\d s: waits for its client")
    )
    assert [angle(outer), angle(inner)] == [360, 360]  # once round, and on to the top
    assert lit(inner) == ["▶ recv()"]


def test_of_a_plain_server_the_inner_ring_turns_inside_the_outer_one_which_stands_still(board):
    outer = {**OUTER, "state": "serving", "step": "handle", "serving": 1, "turns": 1, "backlog": 2}
    view = show(board, shape="one", outer=outer)
    expect(view.get_by_role("status").filter(has_text="stands still")).to_contain_text("2 clients wait in the backlog")
    expect(view.get_by_role("img")).to_have_count(1)
    rings = [ring.bounding_box() for ring in view.locator("g.nbs-ring").all()]
    assert rings[0]["x"] < rings[1]["x"] and rings[0]["width"] > rings[1]["width"]
    assert lit(view.get_by_role("img")) == ["▶ handle()", "▶ think"]
    expect(view).to_contain_text("inside handle() of #1")


def test_udp_has_one_loop(board):
    view = show(board, shape="datagram", inner=None)
    expect(view.get_by_role("img")).to_have_count(1)
    expect(view).to_contain_text("UDP has one loop")


def test_who_wants_no_motion_sees_none(board):
    duration = "(one) => getComputedStyle(one).transitionDuration"
    sign = show(board).locator(".nbs-ringsign").first
    assert sign.evaluate(duration) == "0s"
    board.page.emulate_media(reduced_motion="no-preference")
    assert sign.evaluate(duration) == "0.6s", "else this test would not notice"
