"""The class map in a page: names are text, the look-up is lit, by pointer, by key and in both languages."""

from __future__ import annotations

import socketserver

import pytest
from playwright.sync_api import expect

from nbserver.teach import explain
from nbserver.widgets.looks import LOOKS

from .conftest import CONTRAST
from .test_presenting import violations

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=alert(1)>"


def told(board, about, **traits):
    """The view alone in a page, of a hub that is about a class map."""
    board.start("classes", **traits)
    board.play({"t": "snap", "v": 1, "ep": "life-1", "q": 1, "now": board.now, "server": None, "counts": {}, **EMPTY})
    board.q = 1
    board.wish("look", at="classes", connection=0)
    return board.delta(looks=[["classes", 0, LOOKS["classes"](about, 0)]])


EMPTY = {"connections": [], "clients": []}


def levels(page, name):
    """The states of the classes, in the order in which they are asked."""
    return page.get_by_role("list", name=f"Look-up order of {name}").get_by_role("listitem")


def test_the_look_up_of_a_chosen_name_is_lit_class_by_class_with_its_source(board):
    page, about = board.page, explain(socketserver.ThreadingTCPServer)
    told(board, about)
    shown = levels(page, "ThreadingTCPServer")
    expect(page.get_by_role("region", name="Class map of ThreadingTCPServer")).to_be_visible()
    expect(shown).to_contain_text(["not here", "found here", "not asked any more", "has one too, hidden", "not asked"])
    page.get_by_role("button", name="get_request", exact=True).click()
    expect(shown).to_contain_text(["not here", "not here", "found here", "not asked any more", "not asked any more"])
    expect(page.get_by_role("status").filter(has_text="found in TCPServer")).to_be_visible()
    number = board.wish("look", at="source")["connection"]
    board.delta(looks=[["source", number, LOOKS["source"](about, number)]])
    expect(page.locator("pre")).to_contain_text("return self.socket.accept()")
    box = page.get_by_role("combobox", name="Look up a name in ThreadingTCPServer")
    box.fill("self.recv()")
    box.press("Enter")
    expect(shown).to_contain_text(["not here"] * 5)
    expect(page.get_by_text("recv is in no class: AttributeError.")).to_be_visible()
    expect(page.locator("pre")).to_be_hidden()


def test_what_was_chosen_and_typed_outlives_a_change_of_the_classes(board):
    page, mine = board.page, type("Mine", (socketserver.TCPServer,), {"count": 1})
    told(board, explain(mine))
    page.get_by_role("button", name="get_request", exact=True).click()
    box = page.get_by_role("combobox")
    box.press_sequentially("ser")
    mine.count = 2
    board.delta(looks=[["classes", 0, LOOKS["classes"](explain(mine), 0)]])
    expect(levels(page, "Mine").filter(has_text="found here")).to_contain_text("TCPServer")
    expect(box).to_have_value("ser")
    box.press_sequentially("ver_bind")
    box.press("Enter")
    expect(page.get_by_text("server_bind is found in TCPServer.")).to_be_visible()


def test_a_class_may_be_named_anything_and_stays_text(board):
    hostile = type(HOSTILE, (socketserver.TCPServer, socketserver.ThreadingMixIn), {HOSTILE: 1})
    told(board, explain(hostile))
    expect(board.page.get_by_role("heading", name=f"Server class {HOSTILE}", exact=False)).to_be_visible()
    expect(board.page.get_by_role("button", name=HOSTILE)).to_be_visible()
    expect(board.page.get_by_text("ThreadingMixIn stands too late in the brackets")).to_be_visible()
    assert board.page.locator(".nbs img").count() == 0


@pytest.mark.parametrize("traits", [{"lang": "zh"}, {"contrast": "high"}])
def test_it_can_be_read(board, traits):
    told(board, explain(socketserver.ThreadingUDPServer), **traits)
    expect(board.page.locator(".nbs-level[data-state=found]:visible")).to_have_count(1)
    if "lang" in traits:
        expect(board.page.get_by_role("list", name="ThreadingUDPServer 查找属性的顺序")).to_contain_text("在这里找到")
    assert board.page.evaluate(CONTRAST)[0][0] >= 4.5
    assert violations(board.page) == []
