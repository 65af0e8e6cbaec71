"""Rules and saved replies, from the page to the server: the panel, the menu, the wishes, the facts."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

from nbserver import net
from nbserver.fleet import Client
from nbserver.widgets.feed import Feed
from nbserver.widgets.requests import Desk

from .conftest import CONTRAST, Board, row, waiting

RULES = [[1, "hello", "hi there", True, 12], [2, "", "Please wait", False, 0]]
OURS = {"include": [[".nbs-facts"], [".nbs-panel.is-rules"], [".nbs-footer .nbs-replyline"]]}
STICKS_OUT = """panel => [...panel.querySelectorAll("*")]
  .filter((each) => each.getClientRects().length && each.getBoundingClientRect().right > innerWidth).length"""
SAVED = ["Well done", "Try again", "see you on Monday"]


def head(board: Board) -> Locator:
    return board.page.locator(".nbs-facts").get_by_role("button", name="Rules")


def panel(board: Board) -> Locator:
    return board.page.get_by_role("region", name="Rules", exact=True)


def box_of(board: Board, name: str) -> Locator:
    """The box in the detail, or that to all."""
    return board.page.locator(".nbs-replyline").get_by_role("textbox", name=name, exact=True)


def menu_button(board: Board, name: str) -> Locator:
    line = board.page.locator(".nbs-replyline").filter(has=board.page.get_by_role("textbox", name=name, exact=True))
    return line.get_by_role("button", name="Saved replies", exact=True)


def menu(board: Board) -> Locator:
    return board.page.get_by_role("menu", name="Saved replies", exact=True)


def item(board: Board, name: str) -> Locator:
    return menu(board).get_by_role("menuitem", name=name, exact=True)


# ── rules ──


def test_the_head_says_how_many_rules_are_on(board: Board) -> None:
    board.start().snap(row(1))
    expect(head(board)).to_have_text("Rules")
    board.delta(rules=RULES)
    expect(head(board)).to_have_text("1 rule on")
    expect(panel(board)).to_be_hidden()


def test_a_rule_is_written_with_the_keyboard_alone(board: Board) -> None:
    board.start().snap(row(1))
    head(board).press("Enter")
    first, second = (panel(board).get_by_role("textbox", name=name) for name in ("when it contains", "answer"))
    first.fill("hello")
    first.press("Enter")
    expect(second).to_be_focused()
    assert board.wishes("add_rule") == []
    board.page.keyboard.type("hi there")
    board.page.keyboard.press("Enter")
    wish = board.wish("add_rule")
    assert (wish["contains"], wish["answer"]) == ("hello", "hi there")
    board.accept(wish, rules=[RULES[0]])
    expect(first).to_be_focused()
    expect(second).to_have_value("")
    expect(panel(board).get_by_role("listitem")).to_contain_text("when it contains hello answer hi there")
    expect(panel(board).get_by_role("listitem")).to_contain_text("answered 12×")
    board.page.keyboard.press("Escape")
    expect(head(board)).to_be_focused()


def test_a_refused_rule_stays_in_its_line_with_the_reason(board: Board) -> None:
    board.start().snap(row(1))
    head(board).click()
    answer = panel(board).get_by_role("textbox", name="answer")
    answer.fill("precious")
    panel(board).get_by_role("button", name="Add").click()
    board.refuse(board.wish("add_rule"), "refused", "a server has at most 50 rules")
    expect(board.page.get_by_role("alert").filter(has_text="at most 50 rules")).to_be_visible()
    expect(answer).to_have_value("precious")


def test_a_rule_is_switched_and_removed(board: Board) -> None:
    board.start().snap(row(1))
    board.delta(rules=RULES)
    head(board).click()
    switch = panel(board).get_by_role("switch", name="Rule 2")
    expect(switch).not_to_be_checked()
    expect(switch).to_have_text("off")
    switch.press("Space")
    wish = board.wish("change_rule", rule=2)
    assert wish["on"] is True
    board.accept(wish, rules=[RULES[0], [2, "", "Please wait", True, 0]])
    expect(switch).to_be_checked()
    expect(switch).to_have_text("on")
    panel(board).get_by_role("button", name="Remove rule 1").press("Enter")
    board.accept(board.wish("remove_rule", rule=1), rules=[[2, "", "Please wait", True, 0]])
    expect(panel(board).get_by_role("listitem")).to_have_count(1)
    expect(panel(board).get_by_role("button", name="Remove rule 2")).to_be_focused()


def test_the_transcript_tells_a_rules_answer_from_a_persons(board: Board) -> None:
    board.start().snap(row(1))
    note = "rule 1 answers what contains “hello”".encode()
    ruled = (("asked", b"? "), ("notice", note), ("answered", b"hi"), ("sent", b"hi"))
    board.transcript(1, *ruled, ("asked", b"? "), ("answered", b"ho"), ("sent", b"ho"))
    bubbles = board.page.locator(".nbs-log .nbs-bubble.is-sent b")
    expect(bubbles).to_have_text(["rule", "you"])
    board.page.get_by_role("button", name="Switch to Chinese").click()
    expect(bubbles).to_have_text(["规则", "你"])


def test_what_a_rule_says_is_shown_and_never_run(board: Board) -> None:
    board.start().snap(row(1))
    board.delta(rules=[[1, "<img src=x onerror=alert(1)>", "a\x1b\u202eb", True, 0]])
    head(board).click()
    expect(panel(board)).to_contain_text("<img src=x onerror=alert(1)>")
    expect(panel(board).locator(".nbs-chip")).to_have_text(["ESC", "RLO"])
    expect(panel(board).get_by_role("img")).to_have_count(0)


# ── saved replies ──


@pytest.mark.parametrize("name", ["Reply to #1", "Message to all"])
def test_a_saved_reply_is_put_into_the_box_and_not_sent(board: Board, name: str) -> None:
    board.start().snap(row(1))
    board.delta(saved=SAVED)
    menu_button(board, name).press("Enter")
    expect(item(board, "Well done")).to_be_focused()
    board.page.keyboard.press("ArrowDown")
    board.page.keyboard.press("Enter")
    expect(box_of(board, name)).to_have_value("Try again")
    expect(box_of(board, name)).to_be_focused()
    expect(menu(board)).to_be_hidden()
    assert board.wishes("reply") == board.wishes("broadcast") == []
    board.page.keyboard.press("Enter")
    assert board.wish("reply" if name == "Reply to #1" else "broadcast")["text"] == "Try again"


def test_the_keys_of_the_menu(board: Board) -> None:
    board.start().snap(row(1))
    board.delta(saved=SAVED)
    button = menu_button(board, "Reply to #1")
    button.click()
    steps = [
        ("ArrowUp", "Save this reply"),
        ("ArrowDown", "Well done"),
        ("End", "Save this reply"),
        ("Home", "Well done"),
        ("s", "see you on Monday"),
        ("ArrowRight", "Forget “see you on Monday”"),
        ("ArrowUp", "Forget “Try again”"),
        ("ArrowLeft", "Try again"),
    ]
    for key, name in steps:
        board.page.keyboard.press(key)
        expect(menu(board).locator(":focus")).to_have_accessible_name(name)
    board.page.keyboard.press("Escape")
    expect(menu(board)).to_be_hidden()
    expect(button).to_be_focused()
    button.click()
    board.page.keyboard.press("Tab")
    expect(menu(board)).to_be_hidden()


def test_alt_and_a_digit_put_a_saved_reply_where_the_cursor_is(board: Board) -> None:
    board.start().snap(waiting(1, ask=1))
    board.delta(saved=SAVED)
    for box in (board.reply_box(1), box_of(board, "Message to all")):
        box.fill("()")
        box.press("ArrowLeft")
        box.press("Alt+2")
        expect(box).to_have_value("(Try again)")
        box.press("Alt+9")
        expect(box).to_have_value("(Try again)")
    board.reply_box(1).press("Enter")
    assert board.wish("reply")["text"] == "(Try again)"


def test_a_reply_is_saved_and_forgotten(board: Board) -> None:
    board.start().snap(row(1))
    button, box = menu_button(board, "Reply to #1"), box_of(board, "Reply to #1")
    button.click()
    expect(menu(board)).to_contain_text("No saved reply yet")
    expect(item(board, "Save this reply")).to_be_disabled()
    board.page.keyboard.press("Escape")
    box.fill("See chapter 3")
    button.click()
    item(board, "Save this reply").click()
    wish = board.wish("save_reply")
    assert wish["text"] == "See chapter 3"
    board.accept(wish, saved=["See chapter 3", "Well done"])
    expect(box).to_have_value("See chapter 3")
    expect(box).to_be_focused()
    button.click()
    expect(item(board, "Save this reply")).to_be_disabled()
    board.page.keyboard.press("Home")
    board.page.keyboard.press("Delete")
    wish = board.wish("forget_reply")
    assert wish["text"] == "See chapter 3"
    board.accept(wish, saved=["Well done"])
    expect(item(board, "Well done")).to_be_focused()
    item(board, "Forget “Well done”").click()
    assert board.wish("forget_reply", text="Well done")


def test_an_ended_connection_offers_no_reply(board: Board) -> None:
    board.start().snap(row(1))
    board.delta(saved=SAVED)
    menu_button(board, "Reply to #1").click()
    board.delta(row(1, "closed"))
    expect(menu(board)).to_be_hidden()
    expect(menu_button(board, "Reply to #1")).to_be_disabled()


# ── how it looks ──


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everyone_can_use_it(board: Board, theme: str) -> None:
    board.page.evaluate("(isLight) => { document.body.dataset.jpThemeLight = isLight; }", str(theme == "light").lower())
    board.start().snap(row(1))
    board.delta(rules=RULES, saved=SAVED)
    head(board).click()
    menu_button(board, "Message to all").click()
    expect(item(board, "Well done")).to_be_focused()
    found = Axe().run(board.page, context=OURS).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
    lowest, *_ = board.page.evaluate(CONTRAST)
    assert lowest[0] >= 4.5, lowest


@pytest.mark.parametrize("width", [400, 700, 1280])
def test_nothing_sticks_out(board: Board, width: int) -> None:
    """The menu and the panel stay inside the board, however narrow it is and long the texts are."""
    board.page.set_viewport_size({"width": width, "height": 800})
    try:
        board.start().snap(row(1))
        board.delta(rules=[[1, "x" * 300, "y " * 250, True, 10**6]], saved=["z" * 500, "word " * 80])
        head(board).click()
        expect(panel(board).get_by_role("listitem")).to_be_visible()
        assert panel(board).evaluate(STICKS_OUT) == 0
        head(board).click()
        for name in ("Reply to #1", "Message to all"):
            menu_button(board, name).click()
            edges = menu(board).bounding_box()
            assert edges["x"] >= 0 and edges["x"] + edges["width"] <= width and edges["y"] >= 0
            board.page.keyboard.press("Escape")
    finally:
        board.page.set_viewport_size({"width": 1280, "height": 800})


# ── the wishes and the facts, with a real server ──


@pytest.fixture
def server():
    with net.listen() as server:
        yield server
        server.saved_replies.clear()


@pytest.fixture
def desk(server, fleet):
    return Desk(server, fleet)


def client_of(desk: Desk, text: str) -> Client:
    client = desk.add_client()
    client.say(text)
    return client


def test_rules_are_added_switched_and_removed_by_wishes(desk, server) -> None:
    client = client_of(desk, "hello")
    server.wait_for_connections(1, 5)
    assert server[1].wait_waiting(5)
    assert desk.carry_out({"do": "add_rule", "rid": "r", "contains": "HELLO", "answer": "hi"})["ok"]
    assert client.hear(5) == "hi"
    rule = next(iter(server.rules))
    assert desk.carry_out({"do": "change_rule", "rid": "r", "rule": 1, "on": False})["ok"] and not rule.is_on
    assert desk.carry_out({"do": "change_rule", "rid": "r", "rule": 1, "on": True})["ok"] and rule.is_on
    assert desk.carry_out({"do": "remove_rule", "rid": "r", "rule": 1})["ok"] and len(server.rules) == 0
    assert "no rule 1" in desk.carry_out({"do": "remove_rule", "rid": "r", "rule": 1})["error"]


def test_replies_are_saved_and_forgotten_by_wishes(desk, server) -> None:
    assert desk.carry_out({"do": "save_reply", "rid": "r", "text": "well done"})["ok"]
    assert list(server.saved_replies) == ["well done"]
    assert not desk.carry_out({"do": "save_reply", "rid": "r", "text": ""})["ok"]
    assert desk.carry_out({"do": "forget_reply", "rid": "r", "text": "well done"})["ok"]
    assert not server.saved_replies
    assert not desk.carry_out({"do": "forget_reply", "rid": "r", "text": "well done"})["ok"]


@pytest.mark.parametrize(
    "wish",
    [
        {"do": "add_rule"},
        {"do": "add_rule", "contains": "x"},
        {"do": "add_rule", "contains": "x", "answer": 1},
        {"do": "add_rule", "contains": None, "answer": "x"},
        {"do": "add_rule", "contains": "x" * 501, "answer": "x"},
        {"do": "change_rule", "rule": 1},
        {"do": "change_rule", "rule": 1, "on": 0},
        {"do": "change_rule", "rule": "1", "on": False},
        {"do": "remove_rule", "rule": True},
        {"do": "save_reply", "text": ["x"]},
        {"do": "save_reply", "text": "x" * 501},
        {"do": "forget_reply"},
    ],
)
def test_s17_what_no_view_would_wish_changes_nothing_and_is_counted(desk, server, wish) -> None:
    server.rules.add("hello", "hi")
    server.saved_replies.add("x")
    ack = desk.carry_out({"rid": "r", **wish})
    assert (ack["ok"], ack["code"], desk.refused) == (False, "refused", 1)
    assert [rule.is_on for rule in server.rules] == [True] and list(server.saved_replies) == ["x"]


def test_half_a_character_is_refused_since_no_page_could_be_told(desk, server) -> None:
    assert not desk.carry_out({"do": "add_rule", "rid": "r", "contains": "\ud800", "answer": "x"})["ok"]
    assert not desk.carry_out({"do": "save_reply", "rid": "r", "text": "\udfff"})["ok"]
    assert not server.rules and not server.saved_replies


def test_rules_and_saved_replies_are_told_when_they_change_and_not_otherwise(desk, server, fleet) -> None:
    feed = Feed(server, fleet)
    assert (feed.snapshot()["rules"], feed.delta()) == ([], None)
    rule = server.rules.add("hello", "hi")
    server.saved_replies.add("well done")
    message, _ = feed.delta()
    assert (message["rules"], message["saved"]) == ([[1, "hello", "hi", True, 0]], ["well done"])
    assert "server" not in message and feed.delta() is None
    client = client_of(desk, "hello")
    assert client.hear(5) == "hi"
    server.journal.wait_for(lambda: rule.answered == 1, 5)
    assert feed.delta()[0]["rules"] == [[1, "hello", "hi", True, 1]]
    rule.is_on = False
    assert feed.delta()[0]["rules"][0][3] is False
    assert Feed(None, fleet).snapshot()["rules"] == []
