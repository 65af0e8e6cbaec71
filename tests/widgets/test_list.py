"""The list of connections: sorted, searched, several selected; and nothing jumps under a hand."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from .conftest import CONTRAST, NOW, PATIENCE, Board, row, waiting
from .test_presenting import violations

SHOWN = """() => [...document.querySelectorAll(".nbs-row")]
    .sort((a, b) => a.getBoundingClientRect().y - b.getBoundingClientRect().y).map((each) => Number(each.dataset.id))"""
IN_PAGE = "() => [...document.querySelectorAll('.nbs-row')].map((each) => Number(each.dataset.id))"


@pytest.fixture
def board(board: Board) -> Board:
    """As elsewhere, with the pointer out of the way: over the list it holds the rows in their places."""
    board.page.mouse.move(1270, 790)
    return board


def expect_order(board: Board, *ids: int) -> None:
    """Waits until the rows stand in this order, for the eye and for the Tab key."""
    board.page.wait_for_function(f"(ids) => String(({SHOWN})()) === String(ids)", arg=list(ids), timeout=PATIENCE)
    assert board.page.evaluate(IN_PAGE) == list(ids)


def expect_selected(board: Board, *ids: int) -> None:
    rows = board.page.locator('.nbs-row[aria-selected="true"]')
    expect(rows).to_have_count(len(ids))
    assert sorted(rows.evaluate_all("rows => rows.map((each) => Number(each.dataset.id))")) == list(ids)


def head(board: Board, column: str) -> Any:
    return board.page.get_by_role("columnheader", name=column, exact=True)


def sort_by(board: Board, column: str) -> None:
    """A click on a column's head; the pointer does not stay there."""
    head(board, column).get_by_role("button").click()
    board.page.mouse.move(1270, 790)


def find(board: Board, text: str, *numbers: int) -> None:
    """Types into the box, and answers as the kernel does that finds `numbers`."""
    board.page.get_by_role("searchbox", name="Find", exact=True).fill(text)
    wish = board.wish("find", text=text.strip().lower())
    board.delta(acks=[{"rid": wish["rid"], "ok": True, "found": list(numbers)}])


def again(board: Board) -> Any:
    return board.page.get_by_role("button", name="Sort again")


# ── sorting ──


def test_a_column_head_sorts_up_down_and_back(board: Board) -> None:
    board.start().snap(row(1, bytes_in=500), row(2, bytes_in=9), row(3, bytes_out=70))
    expect(head(board, "#")).to_have_attribute("aria-sort", "ascending")
    for ids, direction in (((2, 3, 1), "ascending"), ((1, 3, 2), "descending"), ((1, 2, 3), "none")):
        sort_by(board, "bytes")
        expect_order(board, *ids)
        expect(head(board, "bytes")).to_have_attribute("aria-sort", direction)


def test_each_column_has_its_order(board: Board) -> None:
    board.start().snap(
        row(1, "closed", peer="10.0.0.9:10000", preview="b", last=NOW - 1, **{"in": 2}),
        row(2, "running", peer="10.0.0.9:9000", preview="c", last=NOW - 3, **{"in": 3}),
        row(3, "failed", peer="10.0.0.10:1", preview="a", last=NOW - 2, **{"in": 1}),
    )
    orders = {
        "state": (2, 3, 1),
        "address": (2, 1, 3),
        "in / out": (3, 1, 2),
        "last message": (3, 1, 2),
        "age": (1, 3, 2),
    }
    for column, ids in orders.items():
        sort_by(board, column)
        expect_order(board, *ids)


def test_those_who_wait_for_you_come_first_the_longest_waiting_before_all(board: Board) -> None:
    board.start().snap(row(1), waiting(2, ask=9), waiting(3, ask=4), row(4, "closed"))
    sort_by(board, "state")
    expect_order(board, 3, 2, 1, 4)


def test_the_head_is_reached_by_keyboard(board: Board) -> None:
    board.start().snap(row(1, preview="b"), row(2, preview="a"))
    board.page.get_by_role("searchbox").focus()
    board.page.keyboard.press("Tab")  # the list itself
    board.page.keyboard.press("Tab")
    for _ in range(5):
        board.page.keyboard.press("ArrowRight")
    board.page.keyboard.press("Enter")
    expect_order(board, 2, 1)
    board.page.keyboard.press("Space")
    expect_order(board, 1, 2)
    expect(head(board, "last message")).to_have_attribute("aria-sort", "descending")


@pytest.mark.usefixtures("passing_time")
def test_an_order_is_kept_up_to_date(board: Board) -> None:
    board.start().snap(row(1, bytes_in=1), row(2, bytes_in=2))
    sort_by(board, "bytes")
    board.delta(row(1, bytes_in=5), row(3, bytes_in=4))
    expect_order(board, 2, 3, 1)
    expect(again(board)).to_be_hidden()


@pytest.mark.usefixtures("passing_time")
def test_nothing_jumps_under_the_pointer(board: Board) -> None:
    board.start().snap(row(1, bytes_in=1), row(2, bytes_in=2), row(3, bytes_in=3))
    sort_by(board, "bytes")
    board.row(2).hover()
    board.delta(row(1, bytes_in=9), row(4, bytes_in=0))
    expect(board.row(4)).to_be_visible()
    expect(again(board)).to_be_visible()
    expect_order(board, 1, 2, 3, 4)
    board.page.mouse.move(1270, 790)
    expect_order(board, 4, 2, 3, 1)
    expect(again(board)).to_be_hidden()


def test_nothing_jumps_while_somebody_types_in_a_row(board: Board) -> None:
    board.start().snap(waiting(1, ask=1), waiting(2, ask=2), row(3))
    sort_by(board, "state")
    board.reply_box(2).focus()
    board.page.keyboard.type("half an ")
    board.delta(row(1), waiting(4, ask=3), row(5, "failed"))
    expect(board.row(5)).to_be_visible()
    expect_order(board, 1, 2, 3, 4, 5)
    board.page.keyboard.type("answer")
    expect(board.reply_box(2)).to_have_value("half an answer")
    again(board).click()
    expect_order(board, 2, 4, 1, 3, 5)
    expect(again(board)).to_be_hidden()
    assert board.wishes("reply") == []


def test_a_row_that_goes_on_stays_in_the_filter_while_one_answers(board: Board) -> None:
    board.start().snap(waiting(1, ask=1), waiting(2, ask=2), waiting(3, ask=3))
    board.page.get_by_role("button", name="Waiting for you 3").click()
    board.reply_box(1).fill("yes")
    board.reply_box(1).press("Enter")
    expect(board.reply_box(2)).to_be_focused()
    before = board.row(2).bounding_box()["y"]
    board.accept(board.wish("reply"), row(1))
    expect(board.page.get_by_role("button", name="Waiting for you 2")).to_be_visible()
    assert board.page.evaluate(SHOWN) == [1, 2, 3]
    assert abs(board.row(2).bounding_box()["y"] + 35 - before) < 10, "the box of the first is gone, its row is not"
    board.page.get_by_role("textbox", name="Message to all").focus()
    expect_order(board, 2, 3)


def test_replies_go_round_in_the_order_of_waiting_however_it_is_sorted(board: Board) -> None:
    board.start().snap(*(waiting(id, ask=ask, bytes_in=id) for id, ask in ((1, 2), (2, 3), (3, 1))))
    for _ in range(2):
        sort_by(board, "bytes")
    expect_order(board, 3, 2, 1)
    board.reply_box(3).fill("first")
    for next_one in (1, 2):
        board.page.keyboard.press("Enter")
        expect(board.reply_box(next_one)).to_be_focused()
        board.page.keyboard.press("ArrowUp")
        expect(board.reply_box(next_one)).to_have_value("first")
    assert [wish["connection"] for wish in board.wishes("reply")] == [3, 1]


# ── finding ──


@pytest.mark.parametrize(
    "text, ids",
    [
        ("#3", [3]),
        ("40002", [2]),
        ("127.0.0.1:4000", [1, 2, 3, 4]),
        ("GRÜSS", [1]),
        ("name?", [2]),
        ("the client closed", [3]),
        ("waiting for you", [2]),
        ("failed", [4]),
        ("<img", [4]),
        ("nobody", []),
    ],
)
def test_rows_are_found_by_what_they_show(board: Board, text: str, ids: list[int]) -> None:
    hostile = row(4, "failed", preview="<img src=x onerror=window.__pwned=1>")
    board.start().snap(
        row(1, preview="Grüss Gott"),
        waiting(2, ask=1, prompt="Name? "),
        row(3, "closed", note="the client closed"),
        hostile,
    )
    find(board, text)
    expect(board.page.locator(".nbs-found")).to_have_text(f"{len(ids)} found")
    assert board.page.evaluate(SHOWN) == ids
    if text in ("#3", "40002", "GRÜSS", "name?", "failed", "<img"):
        mark = board.row(ids[0]).locator("mark").first
        expect(mark).to_have_text(text.removeprefix("#"), ignore_case=True)
    if not ids:
        expect(board.page.get_by_text("Nothing found")).to_be_visible()
    assert board.page.evaluate("window.__pwned") is None


def test_what_was_said_before_is_found_by_the_kernel(board: Board) -> None:
    board.start().snap(row(1, preview="bye"), row(2, preview="hello"), row(3))
    find(board, "Hello", 1)
    expect_order(board, 1, 2)
    expect(board.row(1)).to_contain_text("earlier")
    expect(board.row(2)).not_to_contain_text("earlier")
    assert len(board.wishes("find")) == 1, "asked once, when the typing had ended"
    board.page.get_by_role("button", name="All 3").click()
    board.page.get_by_role("searchbox").press("Escape")
    expect_order(board, 1, 2, 3)
    expect(board.page.locator("mark")).to_have_count(0)


def test_a_search_that_left_something_out_says_so(board: Board) -> None:
    board.start().snap(row(1))
    board.page.get_by_role("searchbox").fill("x")
    board.delta(acks=[{"rid": board.wish("find")["rid"], "ok": True, "found": [1], "code": "partial", "error": "slow"}])
    expect(board.page.locator(".nbs-found")).to_have_text("1 found, not all searched")


def test_finding_goes_with_the_filters(board: Board) -> None:
    board.start().snap(row(1, preview="hello"), row(2, "closed", preview="hello"), row(3, "closed"))
    find(board, "hello")
    board.page.get_by_role("button", name="Closed 2", exact=True).click()
    expect_order(board, 2)
    expect(board.page.locator(".nbs-found")).to_have_text("1 found")


def test_the_box_to_find_is_reached_by_its_keys(board: Board) -> None:
    board.start().snap(row(1, preview="other"), row(2, preview="hello"))
    box, grid = board.page.get_by_role("searchbox"), board.page.get_by_role("grid")
    grid.focus()
    for keys in ("/", "Control+f"):
        board.page.keyboard.press(keys)
        expect(box).to_be_focused()
        expect(box).to_have_value("")
        board.page.keyboard.press("Escape")
        expect(grid).to_be_focused()
    board.page.keyboard.press("/")
    board.page.keyboard.type("hello/")
    board.page.keyboard.press("Backspace")
    expect(board.page.locator(".nbs-found")).to_have_text("1 found")
    board.page.keyboard.press("Enter")
    expect(grid).to_be_focused()
    expect_selected(board, 2)


def test_replies_go_on_to_those_that_were_found(board: Board) -> None:
    board.start().snap(*(waiting(id, ask=id, preview="red" if id != 2 else "blue") for id in (1, 2, 3)))
    find(board, "red")
    board.reply_box(1).fill("yes")
    board.reply_box(1).press("Enter")
    expect(board.reply_box(3)).to_be_focused()


# ── several at once ──


def click(board: Board, id: int, *modifiers: Any) -> None:
    board.row(id).locator(".is-id").click(modifiers=list(modifiers))


def test_several_are_selected_by_mouse(board: Board) -> None:
    board.start().snap(*(row(id) for id in range(1, 8)))
    expect(board.page.get_by_role("grid")).to_have_attribute("aria-multiselectable", "true")
    click(board, 2)
    click(board, 4, "Shift")
    expect_selected(board, 2, 3, 4)
    click(board, 6, "Control")
    click(board, 3, "Meta")
    expect_selected(board, 2, 4, 6)
    expect(board.page.get_by_text("3 selected", exact=True)).to_be_visible()
    click(board, 5)
    expect_selected(board, 5)
    expect(board.page.get_by_role("textbox", name="Message to all")).to_be_visible()


def test_several_are_selected_by_keyboard(board: Board) -> None:
    board.start().snap(*(row(id) for id in range(1, 8)))
    board.page.get_by_role("grid").focus()
    steps = {
        "Shift+ArrowDown": (1, 2),
        "Shift+End": (1, 2, 3, 4, 5, 6, 7),
        "Escape": (7,),
        "Control+Home": (7,),
        "Space": (1, 7),
        "Control+a": (1, 2, 3, 4, 5, 6, 7),
        "ArrowDown": (2,),
    }
    for key, ids in steps.items():
        board.page.keyboard.press(key)
        expect_selected(board, *ids)


def test_a_range_is_one_of_rows_as_they_are_sorted(board: Board) -> None:
    board.start().snap(*(row(id, bytes_in=size) for id, size in ((1, 1), (2, 9), (3, 2), (4, 8))))
    sort_by(board, "bytes")
    click(board, 1)
    click(board, 3, "Shift")
    expect_selected(board, 1, 3)


def test_a_text_goes_to_the_selected_who_live(board: Board) -> None:
    board.start().snap(row(1), row(2), row(3, "closed"), row(4))
    to_all = board.page.get_by_role("textbox", name="Message to all", exact=True)
    to_all.fill("for everybody")
    click(board, 1)
    click(board, 3, "Control")
    click(board, 4, "Control")
    expect(to_all).to_be_hidden()
    box = board.page.get_by_role("textbox", name="Message to selected", exact=True)
    expect(box).to_have_value("")
    box.fill("for some")
    board.page.get_by_role("button", name="Send to selected", exact=True).click()
    wish = board.wish("broadcast")
    assert (wish["text"], wish["to"]) == ("for some", [1, 4])
    board.refuse(wish, "stopped", "")
    expect(box).to_have_value("for some")
    board.page.get_by_role("button", name="Select one only").click()
    expect(to_all).to_have_value("for everybody")
    expect(to_all).not_to_be_focused()
    to_all.press("Enter")
    assert "to" not in board.wish("broadcast", text="for everybody")


@pytest.mark.parametrize("what, name", [("disconnect", "Disconnect"), ("reset", "Reset")])
def test_several_are_ended_after_one_question(board: Board, what: str, name: str) -> None:
    board.start().snap(*(row(id, "closed" if id == 2 else "running") for id in range(1, 6)))
    board.page.get_by_role("grid").press("Control+a")
    button = board.page.get_by_role("button", name=f"{name} selected", exact=True)
    dialog = board.page.get_by_role("alertdialog", name=f"{name} 4 connections?")
    button.press("Enter")
    expect(dialog).to_be_visible()
    board.page.keyboard.press("Escape")
    expect(button).to_be_focused()
    board.page.keyboard.down("Enter")
    board.page.keyboard.down("Enter")  # held down: it asks, and does not answer itself
    expect(dialog).to_be_visible()
    board.page.keyboard.up("Enter")
    assert board.wishes(what) == []
    dialog.get_by_role("button", name=name, exact=True).click()
    assert board.wish(what)["connections"] == [1, 3, 4, 5]
    expect(dialog).to_be_hidden()


def test_one_of_several_that_lives_is_ended_without_a_question(board: Board) -> None:
    board.start().snap(row(1), row(2, "closed"))
    board.page.get_by_role("grid").press("Control+a")
    board.page.get_by_role("button", name="Disconnect selected").click()
    assert board.wish("disconnect")["connections"] == [1]


def test_the_selected_stay_selected_whatever_is_shown(board: Board) -> None:
    board.start().snap(row(1, preview="red"), row(2, preview="blue"), row(3, preview="blue"))
    board.page.get_by_role("grid").press("Control+a")
    find(board, "blue")
    expect(board.page.get_by_text("3 selected, 1 not shown")).to_be_visible()
    click(board, 2, "Control")
    board.page.get_by_role("searchbox").press("Escape")
    expect_selected(board, 1, 3)


def test_answering_in_a_row_leaves_several_selected(board: Board) -> None:
    board.start().snap(row(1), row(2), waiting(3, ask=1))
    click(board, 1)
    click(board, 2, "Control")
    board.reply_box(3).click()
    expect_selected(board, 1, 2)
    expect(board.log(3)).to_be_visible()


def test_one_of_the_selected_that_is_gone_is_not_counted(board: Board) -> None:
    board.start().snap(*(row(id, "closed" if id == 1 else "running") for id in (1, 2, 3)))
    board.page.get_by_role("grid").press("Control+a")
    expect(board.page.get_by_text("3 selected", exact=True)).to_be_visible()
    board.delta(gone={"connections": [1]})
    expect(board.page.get_by_text("2 selected", exact=True)).to_be_visible()
    board.delta(gone={"connections": [2]})
    expect(board.page.get_by_role("textbox", name="Message to all")).to_be_visible()


def test_the_selected_of_another_life_are_forgotten(board: Board) -> None:
    board.start().snap(row(1), row(2))
    board.page.get_by_role("grid").press("Control+a")
    expect(board.page.get_by_text("2 selected", exact=True)).to_be_visible()
    board.play(
        {"t": "snap", "v": 1, "ep": "life-2", "q": 1, "now": NOW, "server": {"state": "serving", "address": "x"},
         "counts": {}, "connections": [row(1), row(2)], "clients": []}
    )  # fmt: skip
    expect_selected(board, 1)
    expect(board.page.get_by_role("textbox", name="Message to all")).to_be_visible()


def test_one_is_reset_and_the_words_say_what_that_does(board: Board) -> None:
    board.start().snap(row(1))
    button = board.page.get_by_role("button", name="Reset #1", exact=True)
    assert "connection reset by peer" in button.get_attribute("title")
    button.click()
    assert board.wish("reset")["connection"] == 1
    board.delta(row(1, "reset"))
    expect(button).to_be_disabled()


# ── what it looks like, and what it costs ──


@pytest.mark.parametrize("language, disconnect", [("en", "Disconnect selected"), ("zh", "断开所选")])
def test_several_at_twice_the_size_fit_a_projector(board: Board, language: str, disconnect: str) -> None:
    board.start(scale=2, lang=language).snap(*(row(id, preview="x") for id in range(1, 20)))
    board.page.get_by_role("searchbox").fill("x")
    board.page.get_by_role("grid").press("Control+a")
    for is_asked in (False, True):
        if is_asked:
            board.page.get_by_role("button", name=disconnect, exact=True).click()
        places = [control.bounding_box() for control in board.page.locator(".nbs :is(button, input):visible").all()]
        assert all(place["x"] >= 0 and place["x"] + place["width"] <= 1280 for place in places)
        box = board.page.locator(".nbs").bounding_box()
        assert box["y"] + box["height"] <= 800


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast_of_hits_and_of_several(board: Board, theme: str) -> None:
    board.page.evaluate(
        """(theme) => {
            document.body.dataset.jpThemeLight = theme === "light";
            document.body.style.background = theme === "light" ? "#fff" : "#111";
        }""",
        theme,
    )
    board.start().snap(waiting(1, ask=1, preview="xx"), row(2, "closed", preview="x"), row(3))
    find(board, "x", 3)
    sort_by(board, "state")
    board.page.get_by_role("grid").press("Control+a")
    board.row(1).hover()
    board.delta(waiting(1, ask=9, preview="xx"), waiting(4, ask=2, preview="x"))
    expect(again(board)).to_be_visible()
    assert board.page.evaluate(CONTRAST)[0][0] >= 4.5
    board.page.get_by_role("button", name="Disconnect selected").click()
    assert board.page.evaluate(CONTRAST)[0][0] >= 4.5


def test_axe_core_finds_nothing_in_a_list_at_work(board: Board) -> None:
    board.start().snap(waiting(1, ask=1, preview="xx"), row(2, "closed", preview="x"), row(3))
    find(board, "x", 3)
    sort_by(board, "state")
    board.page.get_by_role("grid").press("Control+a")
    board.delta(row(1, preview="x"), waiting(4, ask=2, preview="x"))
    expect(again(board)).to_be_visible()
    assert violations(board.page) == []
    board.page.get_by_role("button", name="Disconnect selected").click()
    board.delta()  # that it may not seem silent
    assert violations(board.page) == []


FLOOD = """async ([columns, q]) => {
    for (let n = 1; n <= 5; n++) {
        const connections = Array.from({ length: 500 }, (_, i) => {
            const changed = [...columns];
            [changed[0], changed[3]] = [(i * 20 + n * 7) % 10000 + 1, n];
            changed[8] = `hello ${(i * 31 + n * 17) % 1000}`;
            return changed;
        });
        hub.fire("msg:custom", { t: "delta", ep: "life-1", q: q + n, now: 1760000000 + n / 10, connections }, []);
        await new Promise(requestAnimationFrame);
    }
}"""


@pytest.mark.parametrize("what", ["plain", "sorted", "held", "found"])
def test_of_ten_thousand_rows_only_those_in_sight_are_drawn(board: Board, what: str) -> None:
    """However they are ordered, and while 500 of them change at once."""
    board.start().snap(*(row(id, preview=f"hello {id * 7919 % 10007}") for id in range(1, 10_001)))
    if what in ("sorted", "held"):
        sort_by(board, "last message")
    if what == "held":
        board.page.locator(".nbs-row").nth(3).hover()
    if what == "found":
        find(board, "hello")
    board.page.evaluate(FLOOD, [row(1), board.q])
    board.q += 5
    assert 5 < board.page.locator(".nbs-row").count() < 40
