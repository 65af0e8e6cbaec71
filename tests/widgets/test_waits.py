"""Who waits for whom, on a bare page: the words, the badge, the bars, what is left open, and the keyboard."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

from .conftest import CONTRAST, NOW, Board, row

PROGRAM = "cell [4]"


def box(kind: str, number: int, why: str, call: str = "", line: str = "", **more: Any) -> dict[str, Any]:
    place = "cell [3]" if kind in ("connection", "loop") else PROGRAM
    return {
        "who": [kind, number, "127.0.0.1:8008" if kind == "loop" else ""],
        "thread": f"thread of {kind} {number}",
        "call": call,
        "why": why,
        "whom": None,
        "line": [place, 7, line] if line else None,
        "since": NOW - 12,
        "carried": None,
        "empty": False,
        "stuck": 0,
        **more,
    }


def client(number: int) -> list[Any]:
    return ["client", number, ""]


def connection(number: int) -> list[Any]:
    return ["connection", number, ""]


RECEIVES = "data = self.request.recv(1024)"
LOOP = box("loop", 0, "client", "select", "server.serve_forever()", whom=["next", 0, ""])
DEADLOCKED = [
    box("connection", 1, "receive", "recv", RECEIVES, whom=client(1), stuck=1),
    box("client", 1, "receive", "recv", "print(client.recv(1024).decode())", whom=connection(1), stuck=1, empty=True),
]
ASKED = [
    box("connection", 3, "person", "input", "answer = input('> ')", whom=["you", 0, ""]),
    box("client", 3, "receive", "recv", "client.recv(1024)", whom=connection(3)),
]
SLOW = [
    box(
        "connection",
        2,
        "send",
        "sendall",
        "self.request.sendall(picture)",
        whom=client(2),
        since=NOW - 4.2,
        carried=[1200, 8_000_000, 4_100_000, 128_000, 40_000],
    ),
    box("client", 2, "time", "sleep", "time.sleep(60)"),
]
LEFT = [
    [PROGRAM, "client 9", "client", 2, 0, "orphan"],
    ["", "127.0.0.1:8008", "sockets", 3, 0, "loose"],
    ["cell [3]", "127.0.0.1:8008", "server", 4, 4, "used"],
]
PICTURE: dict[str, Any] = {
    "loop": LOOP,
    "queue": [],
    "queued": 0,
    "rows": [DEADLOCKED, SLOW, ASKED],
    "threads": [],
    "more": {"receive": 940},
    "cycles": [DEADLOCKED],
    "others": True,
    "left": LEFT,
}


def show(board: Board, picture: dict[str, Any] = PICTURE, **traits: Any) -> Any:
    board.start("waits", **traits).snap(row(1), row(2), row(3))
    board.wish("look", at="waits")
    board.delta(looks=[["waits", board.wishes("look")[-1]["connection"], picture]])
    return board.page.get_by_role("region").first


def test_who_waits_for_you_is_said_with_the_time_and_the_line(board):
    view = show(board)
    expect(view).to_contain_text(re.compile(r"handler 3 has been waiting for you for 1\d s"))
    expect(view).to_contain_text("answer = input('> ')")
    expect(view.get_by_role("group", name="#3 – client 3")).to_contain_text("cell [3], line 7")
    expect(view).to_contain_text("and 940 more in recv()")


def test_a_deadlock_is_said_with_both_lines_and_why(board):
    view = show(board)
    said = view.get_by_role("status").filter(has_text="Deadlock")
    expect(said).to_contain_text("#1 waits in recv() for client 1, client 1 waits in recv() for #1")
    expect(said).to_contain_text(RECEIVES)
    expect(said).to_contain_text("print(client.recv(1024).decode())")
    expect(said).to_contain_text("The message that client 1 sent last was empty")
    expect(said).to_contain_text("Only another thread could still send")
    pair = view.get_by_role("group", name="#1 – client 1")
    expect(pair.get_by_text("Deadlock", exact=True)).to_have_count(2)
    assert pair.locator("svg.nbs-warrow path").count() == 2  # each waits for the other
    board.delta(looks=[["waits", board.wishes("look")[-1]["connection"], {**PICTURE, "cycles": [], "rows": [ASKED]}]])
    expect(view.get_by_text("Deadlock")).to_have_count(0)


def test_a_blocked_sendall_has_a_bar_of_what_is_queued(board):
    pair = show(board).get_by_role("group", name="#2 – client 2")
    expect(pair).to_contain_text(re.compile(r"sendall\(\) has been blocked for \d\.\d s: waits until client 2 reads"))
    expect(pair).to_contain_text("still queued here: 4.1 MB")
    expect(pair).to_contain_text("arrived there, not read: 128 kB")
    expect(pair).to_contain_text("read by the client's program: 40 kB")
    widths = [piece.bounding_box()["width"] for piece in pair.locator(".nbs-wpart").all()]
    assert widths[2] > 10 * widths[1] > 0


def test_the_backlog_is_drawn_beside_the_loop_that_serves_one_itself(board):
    serving = {**LOOP, "why": "serve", "call": "handle", "whom": connection(3)}
    queue = [box("client", 4, "receive", "recv", "client.recv(1024)"), {"who": ["peer", 0, "127.0.0.1:50000"]}]
    view = show(board, {**PICTURE, "loop": serving, "queue": queue, "queued": 14, "cycles": []})
    expect(view).to_contain_text(re.compile(r"serves #3 itself and accepts nobody, for 1\d s"))
    expect(view.get_by_text("connected by the operating system, not yet accepted")).to_have_count(2)
    expect(view).to_contain_text("and 12 more")


def test_what_is_left_open_is_counted_by_cell(board):
    view = show(board)
    view.get_by_text("Open in this notebook · sockets: 9, threads: 4; 5 of them nobody closes").click()
    table = view.get_by_role("table", name="Open sockets and threads")
    expect(table.get_by_role("row", name="cell [4] client 9 2 0")).to_contain_text("left open: its program has ended")
    expect(table.get_by_role("row", name="some cell connected to 127.0.0.1:8008 3 0")).to_be_visible()


def test_a_table_says_the_same_and_a_name_selects(board):
    view = show(board)
    view.get_by_text("As a table", exact=True).click()
    table = view.get_by_role("table", name="Who waits for whom")
    expect(table.get_by_role("row")).to_have_count(8)
    expect(table.get_by_role("row", name=re.compile("^#3"))).to_contain_text("handler 3 has been waiting for you")
    name = view.get_by_role("button", name="Connection #3", exact=True)
    name.focus()
    board.page.keyboard.press("Enter")
    expect(name).to_have_attribute("aria-pressed", "true")
    expect(name).to_be_focused()  # what is drawn anew keeps the focus


def test_it_can_be_read_in_every_look_and_names_from_outside_stay_text(board):
    hostile = {"who": ["peer", 0, "<img src=x onerror=alert(1)>"]}
    picture = {**PICTURE, "rows": [*PICTURE["rows"], [box("connection", 4, "receive", "recv"), hostile]]}
    view = show(board, picture, lang="zh", scale=2)
    expect(view).to_contain_text("<img src=x onerror=alert(1)>")
    expect(view).to_contain_text(re.compile(r"处理程序 3 已等待你 1\d s"))
    expect(view).to_contain_text("死锁")
    for theme in ("light", "dark"):
        board.page.emulate_media(color_scheme=theme)
        expect(board.page.locator(".nbs")).to_have_attribute("data-theme", theme)
        assert board.page.evaluate(CONTRAST)[0][0] >= 4.5
