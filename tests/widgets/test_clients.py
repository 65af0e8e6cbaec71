"""Clients' consoles in a page: they read like terminals, run again, and lead to the board and back."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest
from playwright.sync_api import expect

from nbserver.console import Program

from .conftest import CONTRAST, NOW, Board, row, waiting
from .test_notes import CHINESE, in_the_page

TRACEBACK = (
    b'Traceback (most recent call last):\n  File "cell", line 3\n    connect()\nConnectionRefusedError: refused\n'
)
ENDED = re.compile("after")


@pytest.fixture
def consoles(board: Board) -> Board:
    """The view of clients alone."""
    return board.start("clients")


def snap(board: Board, *clients: list[Any], home: str = "kernel-1") -> None:
    """What a hub of clients alone is told."""
    board.q += 1
    facts = {"v": 1, "ep": "life-1", "q": board.q, "now": NOW, "home": home, "server": None, "counts": {}}
    board.play({"t": "snap", **facts, "connections": [], "clients": list(clients)})


def console(board: Board, id: int) -> Any:
    return board.page.get_by_role("region", name=f"Client {id}", exact=True)


def box(board: Board, id: int) -> Any:
    return board.page.get_by_role("textbox", name=f"Input of client {id}", exact=True)


def button(board: Board, name: str) -> Any:
    return board.page.get_by_role("button", name=name, exact=True)


def test_the_box_stands_behind_the_prompt_as_in_a_terminal(consoles: Board) -> None:
    snap(consoles, waiting(1, ask=1, prompt="Menu\\n1) talk\\n> "))
    consoles.transcript(1, ("printed", b"hello"), ("asked", b"Menu\n1) talk\n> "), table="clients")
    log = console(consoles, 1).get_by_role("log")
    expect(log).to_have_text("helloMenu1) talk> ")  # the last line of the prompt is there, for when it is answered
    expect(log.locator(".is-open .nbs-prompt")).to_be_hidden()
    line = console(consoles, 1).locator(".nbs-clientinput")
    expect(line.locator(".nbs-prompt")).to_have_text("> ")
    last, below = log.locator(".is-open").bounding_box(), line.bounding_box()
    assert 0 <= below["y"] - last["y"] - last["height"] < 12
    assert box(consoles, 1).get_attribute("aria-description") == "Menu\\n1) talk\\n> "
    consoles.said(1, ("answered", b"1"), table="clients")
    consoles.delta(clients=[row(1)])
    expect(log.locator(".is-asked .nbs-prompt")).to_be_visible()
    expect(log).to_have_text("helloMenu1) talk> 1")


def test_how_it_ended_and_the_next_run_are_lines_of_their_own(consoles: Board) -> None:
    snap(consoles, row(1, "failed", note="ConnectionRefusedError: refused"))
    ended = ("error", TRACEBACK), ("closed", b"ended by ConnectionRefusedError after 0.1 s")
    consoles.transcript(1, *ended, ("opened", b"run 2"), ("closed", b"exit code 3 after 1.0 s"), table="clients")
    log = console(consoles, 1).get_by_role("log")
    expect(log.locator(".nbs-error strong")).to_have_text("ConnectionRefusedError: refused")
    expect(log.locator(".nbs-run")).to_have_text("run 2")
    expect(log.locator(".is-closed")).to_have_text(
        ["✗ended by ConnectionRefusedError after 0.1 s", "✗exit code 3 after 1.0 s"]
    )
    consoles.said(1, ("closed", b"ended after 3.2 s"), ("closed", b"stopped after 3.2 s"), table="clients")
    expect(log.locator(".is-closed")).to_have_text([ENDED, ENDED, "✓ended after 3.2 s", "■stopped after 3.2 s"])
    expect(box(consoles, 1)).to_be_disabled()
    assert console(consoles, 1).locator(".nbs-clientinput").bounding_box()["height"] <= 1
    consoles.page.evaluate("window.hub.set('lang', 'zh')")
    expect(consoles.page.locator(".nbs-run")).to_have_text("第 2 次运行")
    expect(consoles.page.locator(".is-closed").nth(1)).to_have_text("✗退出码 3，用时 1.0 秒")


def test_how_it_ended_is_said_in_chinese_too() -> None:
    said = []
    for program in (lambda: None, lambda: sys.exit(3), lambda: 1 / 0, lambda: input("? ")):
        client = Program(1, program, "a program")
        client.start()
        if client.wait_waiting(5):
            client.close()
        client.wait_ended(5)
        said.append([e.data.decode() for e in client.transcript if e.kind == "closed"][0])
    assert [text.split(" after ")[0] for text in said] == [
        "ended",
        "exit code 3",
        "ended by ZeroDivisionError",
        "stopped",
    ]
    assert all(CHINESE.search(note) for note in in_the_page(said, {})["notes"])


def test_one_and_all_are_stopped_and_run_again(consoles: Board) -> None:
    snap(consoles, row(1), row(2, "closed"))
    expect(consoles.page.get_by_text("1 running · 1 ended")).to_be_visible()
    button(consoles, "Run client 2 again").click()
    assert consoles.wish("run_client")["client"] == 2
    button(consoles, "Stop client 1").click()
    assert consoles.wish("close_client")["client"] == 1
    expect(button(consoles, "Stop client 2")).to_be_disabled()
    button(consoles, "Run all again").click()
    button(consoles, "Stop all").click()
    button(consoles, "One more client").click()
    wishes = [consoles.wish(name) for name in ("run_clients", "close_clients", "add_client")]
    consoles.refuse(wishes[0], "refused", "nothing listens on 127.0.0.1:8008: start a server there first")
    expect(consoles.page.get_by_role("alert")).to_contain_text("nothing listens on 127.0.0.1:8008")
    consoles.page.evaluate("window.hub.set('lang', 'zh')")
    expect(consoles.page.get_by_role("alert")).to_contain_text("127.0.0.1:8008 上没有服务器在监听")
    consoles.delta(clients=[row(1, "closed")])
    expect(consoles.page.get_by_role("button", name="全部停止", exact=True)).to_be_disabled()


def test_a_servers_own_program_is_not_run_again_from_here(board: Board) -> None:
    board.start().snap(row(1), clients=(row(0),))
    expect(button(board, "Close server program")).to_be_visible()
    expect(board.page.get_by_role("button", name=re.compile("again"))).to_have_count(0)


def test_keys_of_a_terminal(consoles: Board) -> None:
    snap(consoles, waiting(1, ask=1, prompt="> "))
    consoles.transcript(1, ("printed", b"old"), ("asked", b"> "), table="clients")
    page, typed = consoles.page, box(consoles, 1)
    log = console(consoles, 1).get_by_role("log")
    expect(log.locator(".is-printed")).to_be_visible()
    expect(page.get_by_text("Ctrl + C stop")).to_be_hidden()
    log.click()  # anywhere in it
    expect(typed).to_be_focused()
    expect(page.get_by_text("Ctrl + C stop")).to_be_visible()
    typed.press("Control+l")
    expect(log.locator(".is-printed")).to_have_count(0)
    typed.press_sequentially("some text")
    typed.press("Control+d")  # not at the beginning of a line: as in a terminal, nothing
    typed.press("Control+a")
    typed.press("Control+c")  # a selection: this copies
    assert (consoles.wishes("end_input"), consoles.wishes("close_client")) == ([], [])
    typed.fill("")
    typed.press("Control+d")
    assert consoles.wish("end_input")["client"] == 1
    typed.press("Control+c")
    assert consoles.wish("close_client")["client"] == 1
    consoles.said(1, ("answered", b"\x04"), table="clients")
    expect(log.locator(".nbs-typed")).to_have_text("^D")


def test_many_are_small_and_each_can_be_enlarged(consoles: Board) -> None:
    snap(consoles, *(row(id) for id in range(1, 31)))
    page = consoles.page
    expect(page.get_by_role("region", name=re.compile(r"^Client \d+$"))).to_have_count(24)
    small = console(consoles, 7).bounding_box()
    assert small["width"] < 300
    button(consoles, "Enlarge client 7").press("Enter")
    expect(button(consoles, "Enlarge client 7")).to_have_attribute("aria-pressed", "true")
    assert console(consoles, 7).bounding_box()["width"] > 1000
    box(consoles, 7).press("Escape")
    expect(button(consoles, "Enlarge client 7")).to_have_attribute("aria-pressed", "false")
    button(consoles, "Show 6 more clients").click()
    expect(console(consoles, 30)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_two_ends_lead_to_each_other(board: Board) -> None:
    rows = [row(id) for id in range(1, 60)]
    board.start().snap(*rows, row(60, link=2), clients=(row(1), waiting(2, ask=1, link=60)))
    button(board, "Show connection #60").click()
    expect(board.row(60)).to_have_attribute("aria-selected", "true")
    expect(board.row(60)).to_be_in_viewport()
    expect(board.row(60)).to_have_class(re.compile("is-found"))
    expect(board.page.get_by_role("grid")).to_be_focused()
    button(board, "Show client 2").click()
    expect(box(board, 2)).to_be_focused()
    expect(console(board, 2)).to_have_class(re.compile("is-found"))
    expect(console(board, 2)).to_be_in_viewport()
    board.page.get_by_role("grid").press("Home")
    expect(board.page.get_by_role("button", name=re.compile("Show client"))).to_be_hidden()


SECOND = """async (home) => {
  const hub = makeModel({ key: "hub-2", lang: "en", scale: 1, control: false });
  const exports = await (await load("hub.js")).initialize({ model: hub, signal: new AbortController().signal });
  const el = document.body.appendChild(document.createElement("div"));
  exports.views.clients({ el, signal: new AbortController().signal });
  hub.fire("msg:custom", { t: "snap", v: 1, ep: "life-2", q: 1, now: 1760000000, home, server: null, counts: {},
    connections: [], clients: [[1, "running", "program", 0, 0, 0, 0, 0, "", null, 0, 0, "", 0, "", 3]] }, []);
}"""


@pytest.mark.parametrize(("home", "is_found"), [("", True), ("another kernel", False)])
def test_the_other_end_may_be_under_another_cell(board: Board, home: str, is_found: bool) -> None:
    board.start().snap(row(1), row(2), row(3, link=1))
    board.page.evaluate(SECOND, home)
    button(board, "Show connection #3").click()
    expect(board.row(3)).to_have_attribute("aria-selected", str(is_found).lower())
    if not is_found:
        expect(board.page.get_by_role("alert")).to_contain_text("its board is not shown on this page")


def test_other_end_that_is_on_no_page_is_told(board: Board) -> None:
    board.start().snap(row(1, link=4))
    button(board, "Show client 4").click()
    expect(board.page.get_by_role("alert")).to_contain_text("its console is not shown on this page")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_consoles_can_be_read_in_both_themes(consoles: Board, theme: str) -> None:
    consoles.page.evaluate("(isLight) => { document.body.dataset.jpThemeLight = isLight; }", str(theme == "light"))
    snap(consoles, waiting(1, ask=1, prompt="> ", link=3), row(2, "failed", note="E: x"), row(3, "closed"))
    for id in (1, 2, 3):
        lines = ("sent", b"a\n"), ("error", TRACEBACK), ("closed", b"ended after 1.0 s"), ("opened", b"run 2")
        consoles.transcript(id, *lines, table="clients")
    box(consoles, 1).focus()
    expect(consoles.page.locator(".nbs-run")).to_have_count(3)
    lowest = consoles.page.evaluate(CONTRAST)[0]
    assert lowest[0] >= 4.5, lowest


def test_a_hostile_prompt_stays_text(consoles: Board) -> None:
    evil = "<img src=x onerror=alert(1)>"
    snap(consoles, waiting(1, ask=1, prompt=evil, peer=evil))
    consoles.transcript(
        1, ("asked", evil.encode()), ("closed", evil.encode()), ("opened", evil.encode()), table="clients"
    )
    expect(console(consoles, 1).locator(".nbs-clientinput .nbs-prompt")).to_have_text(evil)
    assert consoles.page.locator(".nbs img").count() == 0
