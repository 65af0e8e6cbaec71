"""The board and the consoles in a bare page: what a person sees there, and does."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from nbserver.widgets.pack import pack

from .conftest import CONTRAST, SERVER, Board, row, waiting


def test_names_and_roles(board: Board) -> None:
    board.start().snap(row(1), waiting(2, ask=1), row(3, "closed"))
    page = board.page
    region = page.get_by_role("region", name="nbserver 127.0.0.1:8008", exact=True)
    expect(region).to_be_visible()
    expect(region.get_by_role("grid", name="Connections", exact=True)).to_have_attribute("aria-rowcount", "4")
    for id in (1, 2, 3):
        expect(board.row(id)).to_be_visible()
    expect(board.row(1)).to_have_attribute("aria-selected", "true")
    expect(board.reply_box(2)).to_be_visible()
    expect(board.log(1)).to_be_visible()
    expect(page.get_by_role("textbox", name="Message to all", exact=True)).to_be_enabled()
    for name in ("Send to all", "Disconnect #1", "Stop server", "Add client"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_enabled()


def test_reply_in_the_row_and_on_to_the_next(board: Board) -> None:
    board.start().snap(waiting(1, ask=3), waiting(2, ask=1), waiting(3, ask=2), row(4))
    expect(board.row(2)).to_contain_text("Your answer?")
    board.reply_box(2).fill("first")
    board.reply_box(2).press("Enter")
    wish = board.wish("reply")
    assert (wish["connection"], wish["text"], wish["ask"]) == (2, "first", 1)
    expect(board.reply_box(3)).to_be_focused()
    board.accept(wish, row(2))
    expect(board.reply_box(2)).to_have_count(0)
    board.page.keyboard.type("second")
    board.page.keyboard.press("Enter")
    assert board.wish("reply", connection=3)["ask"] == 2
    expect(board.reply_box(1)).to_be_focused()


def test_two_enters_are_one_answer(board: Board) -> None:
    board.start().snap(waiting(1, ask=1))
    for _ in range(2):
        board.reply_box(1).press("Enter")
    assert [wish["text"] for wish in board.wishes("reply")] == [""], "an empty answer is one, and it is sent once"
    expect(board.reply_box(1)).to_be_focused()


def test_the_box_that_is_typed_in_stays_when_its_row_goes_on(board: Board) -> None:
    board.start().snap(waiting(1, ask=1), row(2))
    board.page.get_by_role("button", name="Waiting for you 1").click()
    board.reply_box(1).fill("hello")
    board.reply_box(1).press("Enter")
    board.accept(board.wish("reply"), row(1))
    expect(board.reply_box(1)).to_be_focused()
    board.delta(waiting(1, ask=2))
    board.page.keyboard.type("again")
    board.page.keyboard.press("Enter")
    assert board.wish("reply", text="again")["ask"] == 2


def test_reply_in_the_detail_works_without_a_question(board: Board) -> None:
    board.start().snap(row(1))
    # The last: while a text is being typed, the row of the list has a box for it, too.
    box = board.page.get_by_role("textbox", name="Reply to #1", exact=True).last
    box.press("Enter")
    box.fill("hello")
    board.page.get_by_role("button", name="Send", exact=True).click()
    assert [(wish["text"], wish["ask"]) for wish in board.wishes("reply")] == [("hello", 0)]
    expect(box).to_have_value("")


def test_enter_of_an_input_method_does_not_send(board: Board) -> None:
    board.start().snap(waiting(1, ask=1))
    board.reply_box(1).fill("nihao")
    for init in ({"key": "Enter", "isComposing": True}, {"key": "Enter", "keyCode": 229}):
        board.reply_box(1).dispatch_event("keydown", {**init, "bubbles": True})
    assert board.wishes("reply") == []
    expect(board.reply_box(1)).to_have_value("nihao")


def test_a_key_held_down_answers_one_question(board: Board) -> None:
    board.start().snap(waiting(1, ask=1), waiting(2, ask=2))
    board.reply_box(1).focus()
    for _ in range(2):
        board.page.keyboard.down("Enter")
    expect(board.reply_box(2)).to_be_focused()
    assert len(board.wishes("reply")) == 1
    board.page.keyboard.up("Enter")


def test_leaving_sends_nothing_and_the_draft_stays(board: Board) -> None:
    board.start().snap(waiting(1, ask=1), *(row(id) for id in range(2, 500)))
    board.reply_box(1).fill("half an ans")
    grid = board.page.get_by_role("grid")
    grid.focus()
    grid.press("End")
    expect(board.row(499)).to_be_visible()
    expect(board.row(1)).to_have_count(0)
    board.delta(waiting(1, ask=1, preview="more"))
    grid.press("Home")
    expect(board.reply_box(1)).to_have_value("half an ans")
    assert board.wishes("reply") == []


def test_the_box_that_is_typed_in_survives_scrolling(board: Board) -> None:
    board.start().snap(waiting(1, ask=1), *(row(id) for id in range(2, 500)))
    board.reply_box(1).focus()
    board.page.get_by_role("grid").evaluate("grid => { grid.scrollTop = 5000; }")
    board.delta(row(250, preview="x"))
    board.page.keyboard.type("still here")
    board.page.keyboard.press("Enter")
    assert board.wish("reply")["text"] == "still here"


def test_a_refused_text_stays_with_the_reason(board: Board) -> None:
    board.start().snap(waiting(1, ask=1), row(2))
    board.reply_box(1).fill("precious")
    board.reply_box(1).press("Enter")
    board.refuse(board.wish("reply"), "busy", "The handler is sending.")
    expect(board.row(1).get_by_role("alert")).to_contain_text("the handler is in the middle of sending")
    expect(board.reply_box(1)).to_have_value("precious")
    expect(board.reply_box(1)).to_be_editable()


def test_the_draft_of_an_ended_connection_stays_until_it_is_discarded(board: Board) -> None:
    board.start().snap(waiting(1, ask=1), row(2))
    board.reply_box(1).fill("too late")
    board.delta(row(1, "closed", note="the client closed"))
    expect(board.row(1).get_by_role("alert")).to_contain_text("Not sent: the connection has ended")
    expect(board.reply_box(1)).to_have_value("too late")
    expect(board.reply_box(1)).not_to_be_editable()
    board.row(1).get_by_role("button", name="Discard draft of #1").click()
    expect(board.row(1).get_by_role("alert")).to_have_count(0)


def test_arrows_bring_earlier_replies_back(board: Board) -> None:
    board.start().snap(waiting(1, ask=1), waiting(2, ask=2))
    board.reply_box(1).fill("yes")
    board.reply_box(1).press("Enter")
    box = board.reply_box(2)
    box.fill("draft")
    box.press("ArrowUp")
    expect(box).to_have_value("yes")
    box.press("ArrowDown")
    expect(box).to_have_value("draft")


def test_keyboard_in_the_list(board: Board) -> None:
    board.start().snap(row(1), waiting(2, ask=1), *(row(id) for id in range(3, 101)))
    grid = board.page.get_by_role("grid")
    grid.focus()
    grid.press("ArrowDown")
    expect(board.row(2)).to_have_attribute("aria-selected", "true")
    expect(board.log(2)).to_be_visible()
    grid.press("Enter")
    expect(board.reply_box(2)).to_be_focused()
    board.reply_box(2).press("Escape")
    expect(grid).to_be_focused()
    for key, id in (("End", 100), ("ArrowUp", 99), ("Home", 1)):
        grid.press(key)
        expect(board.row(id)).to_have_attribute("aria-selected", "true")
    grid.press("PageDown")
    expect(board.row(1)).to_have_attribute("aria-selected", "false")
    grid.press("Home")
    grid.press("Enter")
    expect(board.page.get_by_role("textbox", name="Reply to #1", exact=True)).to_be_focused()


def test_no_key_reaches_the_page_behind(board: Board) -> None:
    board.start().snap(row(1), waiting(2, ask=1))
    board.page.evaluate("window.leaked = []; document.addEventListener('keydown', (event) => leaked.push(event.key))")
    button = board.page.get_by_role("button", name="Add client")
    for place in (board.log(1), button, board.reply_box(2), board.page.get_by_role("grid")):
        place.focus()
        for key in ("d", "Control+s", "Escape", "ArrowDown"):
            board.page.keyboard.press(key)
    assert board.page.evaluate("window.leaked") == []


def test_filters_count_and_choose(board: Board) -> None:
    board.start().snap(row(1), waiting(2, ask=1), row(3, "closed"), row(4, "reset"))
    for name, ids in (("All 4", [1, 2, 3, 4]), ("Waiting for you 1", [2]), ("Open 2", [1, 2]), ("Closed 2", [3, 4])):
        board.page.get_by_role("button", name=name, exact=True).click()
        for id in (1, 2, 3, 4):
            expect(board.row(id)).to_have_count(int(id in ids))


def test_transcript_folds_what_was_typed_into_what_was_sent(board: Board) -> None:
    board.start().snap(row(1))
    board.transcript(
        1, ("opened", b"127.0.0.1:40001"), ("received", b"hi\r\n"), ("printed", b"got hi\n"), ("asked", b"Reply? ")
    )
    board.said(1, ("answered", b"hello\n"), ("sent", b"hello\n"), ("sent", b"unasked"), ("eof", b""))
    log = board.log(1)
    expect(log.locator(".nbs-bubble.is-sent")).to_have_count(2)
    expect(log.locator(".nbs-bubble.is-sent").first).to_contain_text("you")
    expect(log.locator(".nbs-bubble.is-received .nbs-chip")).to_have_text(["\\r\\n"])
    expect(log.locator(".nbs-printed")).to_have_text("got hi")
    expect(log).to_contain_text("The other end has closed its side")


def test_error_card_shows_its_last_line_first(board: Board) -> None:
    board.start().snap(row(1))
    board.transcript(1, ("error", b'Traceback (most recent call last):\n  File "x"\nValueError: <b>no</b>\n'))
    card = board.log(1).locator(".nbs-error")
    expect(card.locator("strong")).to_have_text("ValueError: <b>no</b>")
    expect(card.locator("pre")).to_be_hidden()
    card.locator("summary").click()
    expect(card.locator("pre")).to_contain_text("Traceback")


def test_half_a_character_waits_for_its_other_half(board: Board) -> None:
    board.start().snap(row(1))
    first, second = "你好".encode()[:4], "你好".encode()[4:]
    board.transcript(1, ("received", first))
    half = board.log(1).locator(".nbs-chip.is-half")
    expect(half).to_have_text("\\xe5")
    board.said(1, ("sent", b"meanwhile"), ("received", second))
    expect(half).to_have_count(0)
    expect(board.log(1).locator(".is-received .nbs-text")).to_have_text(["你↴", "好"])


def test_hex_and_encodings(board: Board) -> None:
    board.start().snap(row(1))
    board.transcript(1, ("received", "你好".encode("gbk")))
    expect(board.log(1).locator(".nbs-chip.is-raw")).to_have_count(1)
    board.page.get_by_role("combobox", name="Encoding").select_option("gbk")
    expect(board.log(1)).to_contain_text("你好")
    board.page.get_by_role("button", name="Show bytes as hex").click()
    expect(board.log(1)).to_contain_text("0000  c4 e3 ba c3")


HOSTILE = [
    b"<img src=x onerror=window.__pwned=1>",
    b"<script>window.__pwned=1</script>",
    b"<svg onload=window.__pwned=1><iframe srcdoc='<script>parent.__pwned=1</script>'>",
    b"${window.__pwned=1} {{constructor.constructor('window.__pwned=1')()}} javascript:window.__pwned=1",
    b"\x1b[2J\x1b]0;title\x07\x08\x00\x7f\x9b",
    "\u202eevil\u202c \u2066x\u2069 zw\u200bsp \u2060 \ufeff so\u00adft \U000e0041 \ue000".encode(),
    ("Z" + "\u0302\u036b" * 400).encode(),
    b"\xff\xfe\xc3( \xf0\x9f\x98 \xed\xa0\x80",
    b"A" * 4096,
    b"\x00" * 4096,
]


def test_hostile_bytes_stay_text(board: Board) -> None:
    markup = "<img src=x onerror=window.__pwned=1>\u202e"
    board.start(scale=1).snap(
        waiting(1, ask=1, prompt=markup, peer=markup, preview=markup, speaks=markup),
        row(2, "closed", note=markup),
        kind=markup,
        thread=markup,
        cell=markup,
        address="127.0.0.1:8008",
        limit=f"away 1 {markup}",
        reach={"zone": "network", "addresses": [markup, markup], "wider": True, "qr": [markup], "token": markup},
        clients=(waiting(1, ask=2, prompt=markup, peer=markup),),
    )
    board.page.get_by_role("button", name="Who can reach it").click()
    kinds = ("received", "sent", "answered", "asked", "printed", "error", "notice", "opened", "closed")
    lines = [(kind, data, 1_048_576) for data in HOSTILE for kind in kinds]
    board.transcript(1, *lines)
    board.transcript(1, *lines, table="clients")
    expect(board.log(1).locator(".nbs-chip.is-bidi").first).to_be_visible()
    for button in ("Show bytes as hex", "Show bytes as hex", "Show earlier: 30", "Show all"):
        # Without the scrolling of a real click: at its beginning a transcript shows what is earlier by itself.
        board.page.get_by_role("button", name=button).first.evaluate("(button) => button.click()")
    board.reply_box(1).fill(markup)
    board.reply_box(1).press("Enter")
    board.refuse(board.wish("reply"), "refused", markup)
    expect(board.row(1).get_by_role("alert")).to_contain_text("<img")
    active = "img, iframe, script, object, a, [onerror], [onload]"
    made = board.page.locator(active).evaluate_all("all => all.map((each) => each.textContent.trim().slice(0, 18))")
    assert made == ["const text = (name"], "only the test's own"
    assert board.page.evaluate("window.__pwned") is None
    bodies = board.page.locator(
        ".nbs-text, .nbs-printed, .nbs-asked, .nbs-console, .nbs-error, .nbs-remark"
    ).all_inner_texts()
    raw = {
        character
        for text in bodies
        for character in text
        if character in "\u202e\u202c\u2066\u2069\u200b\u2060\ufeff\u00ad\x1b\x00\x07"
    }
    assert len(bodies) > 50
    assert raw == set()


@pytest.mark.parametrize("number", [1_000, 10_000])
def test_many_connections_few_rows(board: Board, number: int) -> None:
    board.start().snap(*(row(id) for id in range(1, number + 1)))
    rows = board.page.locator(".nbs-row")
    expect(board.page.get_by_role("grid")).to_have_attribute("aria-rowcount", str(number + 1))
    assert 5 < rows.count() < 40
    board.page.get_by_role("grid").press("End")
    expect(board.row(number)).to_be_visible()
    assert rows.count() < 40
    board.delta(*(waiting(id, ask=id) for id in range(1, number, 10)))
    expect(board.page.get_by_role("button", name=f"Waiting for you {number // 10}", exact=True)).to_be_visible()
    expect(board.row(number)).to_be_visible()
    board.page.get_by_role("grid").press("Home")
    expect(board.reply_box(1)).to_be_visible()
    assert rows.count() < 40


def test_rows_above_do_not_move_the_row_in_sight(board: Board) -> None:
    board.start().snap(*(row(id) for id in range(1, 301)))
    board.page.get_by_role("grid").evaluate("grid => { grid.scrollTop = 4000; }")
    shown = board.row(150)
    expect(shown).to_be_visible()
    before = shown.bounding_box()
    board.delta(*(waiting(id, ask=id) for id in range(1, 100)))
    expect(board.page.get_by_role("button", name="Waiting for you 99", exact=True)).to_be_visible()
    assert abs(shown.bounding_box()["y"] - before["y"]) < 2


def test_a_flood_is_drawn_in_part_and_counted(board: Board) -> None:
    board.start().snap(row(1))
    board.transcript(1, ("received", b"0"))
    bubbles = board.log(1).locator(".nbs-bubble")
    expect(bubbles).to_have_count(1)
    board.said(1, *(("received", str(n).encode()) for n in range(1, 51)))
    expect(bubbles).to_have_count(13)
    board.page.get_by_role("button", name="… +38", exact=True).click()
    expect(bubbles).to_have_count(51)


def test_a_hole_in_the_numbers_is_told(board: Board) -> None:
    board.start().snap(row(1))
    board.n["connections", 1] = 7
    board.transcript(1, ("received", b"late"))
    expect(board.log(1)).to_contain_text("Nothing earlier is kept: 7 gone")


def test_messages_that_went_by_are_counted(board: Board) -> None:
    board.start().snap(row(1), clients=(row(1),))
    board.transcript(1, ("received", b"kept"), ("passed", b"", 12_345))
    board.transcript(1, ("received", b"kept"), ("passed", b"", 12_345), table="clients")
    expect(board.log(1)).to_contain_text("12,345 more, not kept")
    expect(board.page.get_by_role("log", name="Transcript of client 1")).to_contain_text("12,345 more, not kept")


def test_what_was_noticed_is_a_line_with_a_sign_of_its_own(board: Board) -> None:
    board.start().snap(row(1))
    board.transcript(1, ("notice", b"speaks HTTP"), ("notice", b"<b>\xe2\x80\xae</b>"), ("closed", b"closed by you"))
    notices = board.log(1).locator(".is-notice")
    expect(notices.first).to_contain_text("speaks HTTP")
    expect(notices.first.get_by_role("img", name="noticed")).to_be_visible()
    expect(notices.nth(1)).to_contain_text("<b>")
    expect(notices.nth(1).locator(".nbs-chip.is-bidi")).to_have_text("RLO")
    board.page.get_by_role("button", name="Switch to Chinese").click()
    log = board.page.get_by_role("log", name="#1 的记录")
    expect(log).to_contain_text("讲的是 HTTP")
    expect(log).to_contain_text("已结束: 由你关闭")


def test_a_kind_of_entry_that_is_not_known_is_passed_over(board: Board) -> None:
    board.start().snap(row(1), clients=(row(1),))
    for table in ("connections", "clients"):
        board.transcript(1, ("received", b"before"), ("tomorrow", b"?"), ("received", b"after"), table=table)
    for log in (board.log(1), board.page.get_by_role("log", name="Transcript of client 1")):
        expect(log).to_contain_text("after")
        expect(log).not_to_contain_text("?")


@pytest.mark.parametrize("name", ["HTTP", "TLS", "SSH"])
def test_what_a_client_speaks_is_a_chip(board: Board, name: str) -> None:
    board.start().snap(row(1, speaks=name, preview="\\x16\\x03"), row(2, preview="hello"))
    for chip in (board.row(1).get_by_text(name, exact=True), board.page.locator(".nbs-title").get_by_text(name)):
        expect(chip).to_be_visible()
        assert f"speaks {name} here" in chip.get_attribute("title")
    expect(board.row(2).locator(".nbs-speaks")).to_be_hidden()
    board.page.get_by_role("grid").press("ArrowDown")
    expect(board.page.locator(".nbs-title .nbs-speaks")).to_be_hidden()


def test_how_a_connection_ended_is_said_in_chinese_too(board: Board) -> None:
    board.start(lang="zh").snap(row(1, "closed", note="it was idle for 60 s, the most allowed"))
    expect(board.page.get_by_role("row", name="连接 #1")).to_contain_text("空闲了 60 秒，已达上限")


def test_transcript_follows_its_end_unless_scrolled_back(board: Board) -> None:
    board.start().snap(row(1))
    board.transcript(1, *(("received", f"line {n}".encode()) for n in range(40)))
    log = board.log(1)
    expect(log.get_by_text("line 39", exact=True)).to_be_in_viewport()
    log.evaluate("log => { log.scrollTop = 0; }")
    newer = board.page.get_by_role("button", name="↓ 1 new")
    board.page.wait_for_function("document.querySelector('.nbs-log').scrollTop === 0")
    board.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    board.said(1, ("received", b"the newest"))
    expect(newer).to_be_visible()
    expect(log.get_by_text("the newest")).not_to_be_in_viewport()
    newer.click()
    expect(log.get_by_text("the newest")).to_be_in_viewport()
    expect(newer).to_be_hidden()


def test_wishes_of_the_buttons(board: Board) -> None:
    board.start().snap(row(1), row(2))
    for name, wanted in (
        ("Add client", {"do": "add_client"}),
        ("Disconnect #1", {"do": "disconnect", "connection": 1}),
        ("Stop server", {"do": "stop"}),
    ):
        board.page.get_by_role("button", name=name, exact=True).click()
        wish = board.wish(wanted["do"])
        assert wanted.items() <= wish.items()
    board.refuse(wish, "refused", "It does not want to stop.")
    expect(board.page.get_by_role("alert")).to_contain_text("It does not want to stop.")
    board.page.get_by_role("textbox", name="Message to all").fill("hello all")
    board.page.get_by_role("button", name="Send to all").click()
    assert board.wish("broadcast")["text"] == "hello all"


def test_a_stopped_server_can_still_be_read(board: Board) -> None:
    board.start().snap(row(1))
    board.transcript(1, ("received", b"the last word"))
    board.delta(row(1, "closed"), server={**SERVER, "state": "stopped"})
    expect(board.page.get_by_text("stopped", exact=True)).to_be_visible()
    for name in ("Stop server", "Add client", "Disconnect #1", "Send to all"):
        expect(board.page.get_by_role("button", name=name, exact=True)).to_be_disabled()
    expect(board.log(1)).to_contain_text("the last word")


def test_a_limit_that_bites_is_told(board: Board) -> None:
    board.start().snap(row(1), limit="full 200 200")
    expect(board.page.get_by_text("200 of 200 connections")).to_be_visible()
    board.delta(server=SERVER)
    expect(board.page.get_by_text("200 of 200 connections")).to_be_hidden()


def test_clients_have_consoles(board: Board) -> None:
    board.start("clients").snap(clients=(row(1), waiting(2, ask=1, prompt="Name? ")))
    page = board.page
    console = page.get_by_role("region", name="Client 2", exact=True)
    log = console.get_by_role("log", name="Transcript of client 2", exact=True)
    box = console.get_by_role("textbox", name="Input of client 2", exact=True)
    board.transcript(2, ("printed", b"welcome\n"), ("asked", b"Name? "), table="clients")
    box.fill("Anna")
    box.press("Enter")
    wish = board.wish("input")
    assert (wish["client"], wish["text"], wish["ask"]) == (2, "Anna", 1)
    board.accept(wish)
    board.said(2, ("answered", b"Anna"), table="clients")
    expect(log.locator(".is-asked")).to_have_text("Name? Anna")
    expect(box).to_be_focused()
    box.fill("kept")
    board.delta(clients=[row(2)])
    box.press("Enter")
    board.refuse(board.wish("input", text="kept"), "refused", "No.")
    expect(box).to_have_value("kept")
    expect(console.get_by_role("alert")).to_contain_text("No.")
    page.get_by_role("button", name="Stop client 2", exact=True).click()
    assert board.wish("close_client")["client"] == 2
    board.delta(clients=[row(2, "closed")])
    expect(box).to_be_disabled()


def test_clients_of_a_server_are_below_its_board(board: Board) -> None:
    board.start().snap(row(1), clients=(row(1),))
    expect(board.page.get_by_role("region", name="Client 1", exact=True)).to_be_visible()
    board.delta(gone={"clients": [1]})
    expect(board.page.get_by_role("region", name="Client 1", exact=True)).to_have_count(0)


def test_two_views_show_the_same(board: Board) -> None:
    board.start().snap(waiting(1, ask=1), row(2))
    board.page.evaluate("window.show('board')")
    boxes = board.reply_box(1)
    expect(boxes).to_have_count(2)
    boxes.first.fill("seen twice")
    expect(boxes.last).to_have_value("seen twice")
    board.page.get_by_role("grid").first.press("End")
    expect(board.row(2).last).to_have_attribute("aria-selected", "true")


def test_a_view_that_is_taken_away_leaves_nothing(board: Board) -> None:
    board.start().snap(row(1))
    expect(board.log(1)).to_be_visible()
    board.page.evaluate("window.hide()")
    assert board.page.locator(".nbs").count() == 0
    board.delta(row(1, preview="nobody looks"))
    board.page.evaluate("window.endHub()")


def test_a_view_out_of_sight_does_not_draw(board: Board) -> None:
    board.start().snap(row(1))
    expect(board.row(1)).to_be_visible()
    board.page.evaluate("document.querySelector('.nbs').style.marginTop = '5000px'")
    board.page.evaluate("() => new Promise((done) => setTimeout(done, 100))")
    board.delta(row(1, preview="unseen"))
    board.page.evaluate("() => new Promise((done) => setTimeout(done, 100))")
    assert "unseen" not in board.page.locator(".nbs-row").inner_text()
    board.page.evaluate("document.querySelector('.nbs').style.marginTop = ''")
    expect(board.row(1)).to_contain_text("unseen")


def test_silence_of_the_kernel_is_told_and_ends(board: Board) -> None:
    board.page.evaluate("""() => {
        const now = performance.now.bind(performance);
        window.later = 0;
        performance.now = () => now() + window.later;
    }""")
    board.start()
    expect(board.page.get_by_text("Waiting for the kernel")).to_be_visible()
    board.snap(row(1))
    expect(board.page.get_by_text("Waiting for the kernel")).to_be_hidden()
    board.page.evaluate("window.later = 6000")
    silence = board.page.get_by_text("No word from the kernel for")
    expect(silence).to_be_visible()
    board.delta()
    expect(silence).to_be_hidden()


def test_a_gap_asks_for_a_snapshot(board: Board) -> None:
    board.start().snap(row(1))
    assert len(board.wishes("hello")) == 1
    board.q += 1
    board.delta(row(2))
    assert len(board.wishes("hello")) == 2
    board.snap(row(1), row(2))
    expect(board.row(2)).to_be_visible()


def test_language_and_size_are_the_hubs(board: Board) -> None:
    board.start(lang="").snap(row(1))
    board.page.get_by_role("button", name="Switch to Chinese").click()
    expect(board.page.get_by_role("grid", name="连接列表")).to_be_visible()
    board.page.get_by_role("button", name="放大文字").click()
    assert board.page.evaluate("[hub.saved.lang, hub.saved.scale]") == ["zh", 1.2]
    board.page.evaluate("hub.set('lang', 'en')")
    expect(board.page.get_by_role("grid", name="Connections")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_twice_the_size_fits_a_projector(board: Board, language: str) -> None:
    board.start(scale=2, lang=language).snap(*(row(id) for id in range(1, 20)), waiting(20, ask=1))
    expect(board.page.locator(".nbs-row").first).to_be_visible()
    box = board.page.locator(".nbs").bounding_box()
    assert box["y"] + box["height"] <= 800
    assert board.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for control in board.page.locator(".nbs-main :is(button, input, textarea, select):visible").all():
        place = control.bounding_box()
        assert place["x"] >= 0
        assert place["x"] + place["width"] <= 1280


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast_in_both_themes(board: Board, theme: str) -> None:
    board.page.evaluate(
        """(theme) => {
            document.body.dataset.jpThemeLight = theme === "light";
            document.body.style.background = theme === "light" ? "#fff" : "#111";
        }""",
        theme,
    )
    states = ("accepted", "running", "receiving", "sending", "half-closed", "closed", "reset", "failed")
    board.start().snap(
        waiting(1, ask=1),
        *(row(id, state, preview="x") for id, state in enumerate(states, 2)),
        limit="descriptors",
        clients=(waiting(1, ask=2),),
    )
    board.transcript(
        1, *((kind, b"x\x00\xff\n") for kind in ("received", "sent", "answered", "asked", "printed", "error", "opened"))
    )
    expect(board.log(1).locator(".nbs-error")).to_be_visible()
    expect(board.page.locator(".nbs")).to_have_attribute("data-theme", theme)
    worst = board.page.evaluate(CONTRAST)
    assert worst[0][0] >= 4.5, worst


def test_high_contrast_is_a_second_fact(board: Board) -> None:
    board.page.evaluate(
        "Object.assign(document.body.dataset, { jpThemeLight: 'false', jpThemeName: 'JupyterLab Dark High Contrast' })"
    )
    board.start().snap(row(1))
    root = board.page.locator(".nbs")
    expect(root).to_have_attribute("data-theme", "dark")
    expect(root).to_have_attribute("data-contrast", "high")
    board.page.evaluate(
        "Object.assign(document.body.dataset, { jpThemeLight: 'true', jpThemeName: 'JupyterLab Light' })"
    )
    expect(root).to_have_attribute("data-theme", "light")


def test_a_host_that_cannot_show_it_says_so(board: Board) -> None:
    board.start()
    board.page.evaluate("window.show('board', {})")
    expect(board.page.get_by_role("alert").filter(has_text="host.getWidget")).to_be_visible()
    board.page.evaluate("window.show('board', { getWidget: async () => { throw new Error('no such model'); } })")
    expect(board.page.get_by_role("alert").filter(has_text="no such model")).to_be_visible()


def test_pack_tells_what_is_not_there(tmp_path: Path) -> None:
    entry = tmp_path / "entry.js"
    for text, error in (
        ('import { a } from "./gone.js";', FileNotFoundError),
        ('import a from "lodash";', ValueError),
        ('import "./entry.js";', ValueError),
    ):
        entry.write_text(text)
        with pytest.raises(error, match="entry.js"):
            pack(entry)


def test_pack_keeps_modules_apart(board: Board, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/one.js").write_text('const NAME = "one</script>";\nexport const one = () => NAME;\n')
    (tmp_path / "two.js").write_text(
        'import {\n  one,\n} from "./sub/one.js";\nconst NAME = "two";\nexport const both = () => one() + NAME;\n'
    )
    (tmp_path / "entry.js").write_text(
        'import { both } from "./two.js";\nimport { one } from "./sub/one.js";\nexport default [both(), one()];\n'
    )
    packed = pack(tmp_path / "entry.js")
    load = "async (text) => (await import(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })))).default"
    assert "</script>" not in packed
    assert board.page.evaluate(load, packed) == ["one</script>two", "one</script>"]
