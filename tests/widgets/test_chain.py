"""The call chain in a bare page: steered by keyboard, in any width, in both languages, readable by everybody."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from .conftest import CONTRAST, NOW, Board, row, waiting

SERVER_ORDER = ["ThreadingTCPServer", "ThreadingMixIn", "TCPServer", "BaseServer", "object"]
CALLS = [
    ["serve_forever", "server", "BaseServer", 0, 0, "running", NOW - 9, None],
    ["get_request", "server", "TCPServer", 0, 2, "returned", NOW - 8, 0.004],
    ["process_request", "server", "ThreadingMixIn", 0, 2, "returned", NOW - 8, 0.2],
    ["process_request_thread", "server", "ThreadingMixIn", 1, 0, "running", NOW - 8, None],
    ["__init__", "handler", "BaseRequestHandler", 1, 2, "running", NOW - 8, None],
    ["handle", "handler", "Myserver", 1, 3, "running", NOW - 7, None],
    ["finish", "handler", "BaseRequestHandler", 1, 3, "to come", None, None],
]
LOOK = {
    "server": SERVER_ORDER,
    "handler": ["Myserver", "BaseRequestHandler", "object"],
    "threads": ["nbserver-serve-8008", "worker-1"],
    "noted": True,
    "calls": CALLS,
    "slow": [False, False],
    "held": [],
    "queue": None,
}
HELD = [*CALLS[:5], ["handle", "handler", "Myserver", 1, 3, "held", None, None], CALLS[6]]


class Chain:
    """What a test does with the call chain of a page."""

    def __init__(self, board: Board) -> None:
        self.board, self.page = board, board.page

    @property
    def element(self):
        return self.page.get_by_role("group", name=re.compile("^(Call chain|调用链)$"))

    def button(self, name: str):
        return self.element.get_by_role("button", name=name, exact=True)

    def call(self, number: int):
        return self.element.get_by_role("button", name=re.compile(rf"^Step {number}: "))

    def look(self, id: int = 1, **more) -> Chain:
        self.board.wish("look", at="chain", connection=id)
        self.board.delta(looks=[["chain", id, {**LOOK, **more}]])
        return self


@pytest.fixture
def chain(board) -> Chain:
    board.start("chain").snap(row(1, "receiving"), waiting(2, 1))
    chain = Chain(board)
    chain.button("Connection #1").click()
    return chain.look()


def test_two_threads_the_running_call_and_the_class_that_has_it(chain):
    expect(chain.element).to_contain_text("Accept thread nbserver-serve-8008")
    expect(chain.element).to_contain_text("The connection’s thread worker-1")
    expect(chain.call(6)).to_have_accessible_name(re.compile("^Step 6: handle, found in Myserver, is running"))
    expect(chain.call(6)).to_have_attribute("aria-current", "step")
    expect(chain.element.locator(".nbs-call[aria-current]")).to_have_count(1)
    expect(chain.call(6)).to_contain_text(re.compile(r"\d\.\d s"))
    expect(chain.call(2)).to_contain_text("4.0 ms")
    left, right = chain.call(3).bounding_box(), chain.call(4).bounding_box()
    assert right["x"] > left["x"] + left["width"] and right["y"] > left["y"]
    handler = chain.element.get_by_role("list", name="Look-up order of the handler")
    expect(handler.locator("[aria-current]")).to_have_text(re.compile("Myserver.*handle found"))


def test_a_call_shows_where_it_is_written_and_source_of_a_peer_is_no_markup(chain):
    chain.call(3).focus()
    chain.page.keyboard.press("Enter")
    chain.board.wish("look", at="written", connection=1)
    evil = "def process_request(self):\n    '<img src=x onerror=alert(1)>'"
    chain.board.delta(looks=[["written", 1, {"server.process_request": ["cell [3]", 12, evil]}]])
    source = chain.element.get_by_role("region", name="Source of process_request")
    expect(source).to_contain_text("ThreadingMixIn.process_request: cell [3], line 12")
    expect(source.locator("pre")).to_have_text(evil)
    expect(source.locator("img")).to_have_count(0)
    server = chain.element.get_by_role("list", name="Look-up order of the server")
    expect(server.locator("[data-how=passed]")).to_have_text(re.compile("ThreadingTCPServer.*no process_request"))
    source.get_by_role("button", name="Close panel").click()
    expect(source).to_be_hidden()
    expect(chain.call(3)).to_be_focused()


def test_slow_motion_by_button_and_by_key(chain):
    chain.button("Slow motion").click()
    wish = chain.board.wish("slow_motion", on=True)
    assert "connection" not in wish
    chain.board.accept(wish)
    chain.look(calls=HELD, slow=[True, False], held=[[1, "handle"], [2, "setup"]])
    expect(chain.element.get_by_role("status")).to_have_text("#1 is held before handle()")
    expect(chain.call(6)).to_have_accessible_name(re.compile("is held"))
    chain.call(6).focus()
    chain.page.keyboard.press("n")
    chain.board.wish("next", connection=1)
    chain.page.keyboard.press("Shift+N")
    chain.page.wait_for_function("window.wishes.some((wish) => wish.do === 'next' && !('connection' in wish))")
    chain.button("Connection #2, held before setup()").click()
    chain.look(2, slow=[True, False], held=[[0, "get_request"], [1, "handle"], [2, "setup"]], queue=2)
    expect(chain.element.get_by_role("status")).to_have_text(
        "The accept loop is held before get_request(): 2 wait in the backlog, "
        "connected by the operating system and not accepted"
    )
    chain.button("Next step of #2").click()
    chain.board.wish("next", connection=2)


def test_that_the_calls_were_not_noted_is_said(chain):
    chain.look(noted=False, calls=CALLS[:3])
    said = chain.element.get_by_text("The calls of this connection were not noted: too many clients came")
    expect(said).to_be_visible()
    chain.look()
    expect(said).to_be_hidden()


def test_the_next_client_is_followed_when_it_has_come(chain):
    chain.button("next client").click()
    held = [[*CALLS[0]], ["get_request", "server", "TCPServer", 0, 2, "held", None, None]]
    chain.look(0, calls=held, slow=[True, False], held=[[0, "get_request"]], queue=1)
    chain.button("Next step of the accept loop").click()
    chain.board.wish("next", connection=0)
    chain.board.delta(row(3, "accepted"))
    chain.board.wish("look", at="chain", connection=3)
    expect(chain.button("Connection #3")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [1280, 420])
def test_it_fits_any_width_and_breaks_no_rule_of_accessibility(board, lang, width):
    board.page.set_viewport_size({"width": width, "height": 1100})
    board.start("chain", lang=lang, scale=2.0 if width == 420 else 1.0).snap(row(1, "receiving"))
    chain = Chain(board).look(calls=HELD, slow=[True, False], held=[[1, "handle"]])
    expect(chain.element.locator(".nbs-call")).to_have_count(7)
    assert chain.element.evaluate("element => element.scrollWidth <= element.clientWidth + 1")
    for theme in ("light", "dark"):
        board.page.evaluate("(is) => { document.body.dataset.jpThemeLight = is; }", str(theme == "light").lower())
        assert board.page.evaluate(CONTRAST)[0][0] >= 4.5
    violations = Axe().run(board.page, context=".nbs").response["violations"]
    assert [rule["id"] for rule in violations] == []
    board.page.set_viewport_size({"width": 1280, "height": 800})
