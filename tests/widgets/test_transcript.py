"""The transcript: read back to where the record begins, in any encoding, copied, and heard."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from .conftest import CONTRAST, NOW, Board, row

# What would be in the clipboard: this page's own is asked for permission, which nobody is there to give.
CLIPBOARD = """Object.defineProperty(navigator, "clipboard", { configurable: true, value: {
    writeText: async (text) => { if (window.isDenied) throw new Error("denied"); window.copied = text; } } })"""
FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def long_one(board: Board, kept: int = 250, gone: int = 0, sent: int = 200) -> Board:
    """A connection whose kernel keeps `kept` entries after `gone` it has forgotten, and has sent the last `sent`."""
    board.start().snap(row(1))
    board.wish("watch", id=1)
    lines = [("received", f"line {n}".encode()) for n in range(gone + 1, gone + kept + 1)]
    board.n["connections", 1] = gone
    rows, body = spread(*board.lines("connections", 1, *lines))
    facts = {"table": "connections", "id": 1, "first": gone + 1}
    board.kept = (rows, body)  # type: ignore[attr-defined]
    board.play({"t": "transcript", **facts, "entries": rows[-sent:]}, body)
    expect(board.log(1).get_by_text(f"line {gone + kept}", exact=True)).to_be_in_viewport()
    return board


def spread(rows: list[list[Any]], body: bytes) -> tuple[list[list[Any]], bytes]:
    """A second between two entries, as when people type."""
    for entry in rows:
        entry[2] = NOW - 1000 + entry[0]
    return rows, body


def answer_earlier(board: Board) -> int:
    """The kernel's answer to the newest wish for earlier entries; returns how many it gives."""
    before = board.wish("earlier", id=1)["before"]
    rows, body = board.kept  # type: ignore[attr-defined]
    page = [entry for entry in rows if entry[0] < before][-100:]
    board.play({"t": "earlier", "table": "connections", "id": 1, "first": rows[0][0], "entries": page}, body)
    board.page.evaluate(FRAMES)
    return len(page)


def in_sight(board: Board) -> tuple[str, float]:
    """The entry at the upper edge of the log, and how far below the edge it is."""
    return tuple(
        board.page.evaluate("""() => {
        const log = document.querySelector(".nbs-log"), edge = log.getBoundingClientRect().top;
        const node = [...log.querySelectorAll("[data-n]")].find((each) => each.getBoundingClientRect().bottom > edge);
        return [node.dataset.n, Math.round(node.getBoundingClientRect().top - edge)];
    }""")
    )


def test_scrolled_to_the_top_it_goes_on_and_what_one_reads_stays(board: Board) -> None:
    long_one(board)
    log = board.log(1)
    items = log.locator("[data-n]")
    expect(items).to_have_count(60)
    expect(board.page.get_by_role("button", name="Show earlier: 190", exact=True)).to_have_count(1)
    top = "() => document.querySelector('[data-n=\"191\"]').getBoundingClientRect().top"
    before = log.evaluate(f"log => {{ log.scrollTop = 3; return ({top})(); }}")
    expect(items).to_have_count(160)
    assert abs(board.page.evaluate(top) - before) <= 1
    log.evaluate("log => { log.scrollTop = 0; }")
    expect(items).to_have_count(200)
    assert board.wishes("earlier") == [], "what is in the page already is not asked for"
    log.evaluate("log => { log.scrollTop = 0; }")
    board.wish("earlier", table="connections", before=51)
    top = top.replace("191", "51")
    before = board.page.evaluate(top)
    assert answer_earlier(board) == 50
    expect(items).to_have_count(250)
    assert abs(board.page.evaluate(top) - before) <= 1
    log.evaluate("log => { log.scrollTop = 0; }")
    expect(log.get_by_text("line 1", exact=True)).to_be_in_viewport()
    expect(board.page.get_by_role("button", name="Show earlier")).to_have_count(0)
    assert len(board.wishes("earlier")) == 1


def test_it_says_where_the_record_begins(board: Board) -> None:
    long_one(board, kept=20, gone=1234)
    board.log(1).evaluate("log => { log.scrollTop = 0; }")
    expect(board.log(1).get_by_text("Nothing earlier is kept: 1,234 gone")).to_be_in_viewport()
    assert board.wishes("earlier") == []


def test_what_the_kernel_forgets_meanwhile_is_told_as_gone(board: Board) -> None:
    long_one(board, kept=50, gone=100, sent=20)
    board.page.get_by_role("button", name="Show earlier: 30", exact=True).click()
    board.wish("earlier", before=131)
    board.play({"t": "earlier", "table": "connections", "id": 1, "first": 140, "entries": []})
    expect(board.log(1)).to_contain_text("Nothing earlier is kept: 130 gone")


def test_home_and_end_and_the_button_with_the_count(board: Board) -> None:
    long_one(board, sent=250)
    log = board.log(1)
    log.focus()
    for count in (160, 250):
        log.press("Home")
        expect(log.locator("[data-n]")).to_have_count(count)
    log.press("Home")
    expect(log.get_by_text("line 1", exact=True)).to_be_in_viewport()
    board.page.evaluate(FRAMES)
    before = in_sight(board)
    board.said(1, ("received", b"new one"))
    board.said(1, ("received", b"new two"), ("received", b"new three"))
    button = board.page.get_by_role("button", name="↓ 3 new", exact=True)
    expect(button).to_be_visible()
    assert in_sight(board) == before
    button.click()
    expect(log.get_by_text("new three")).to_be_in_viewport()
    expect(log).to_be_focused()
    expect(board.page.locator(".nbs-newer")).to_be_hidden()
    log.press("Home")
    log.press("End")
    expect(log.get_by_text("new three")).to_be_in_viewport()


def test_new_ones_do_not_move_what_is_read_however_many_come(board: Board) -> None:
    long_one(board)
    log = board.log(1)
    log.evaluate("log => { log.scrollTop = log.scrollHeight / 2; }")
    board.page.evaluate(FRAMES)
    before = in_sight(board)
    for burst in range(40):
        board.said(1, *(("received", f"burst {burst} {n}".encode()) for n in range(12)))
        board.page.evaluate("() => new Promise((done) => requestAnimationFrame(done))")
    expect(board.page.get_by_role("button", name="↓ 480 new", exact=True)).to_be_visible()
    assert in_sight(board) == before
    log.press("End")
    board.said(1, ("received", b"the last"))
    expect(log.get_by_text("the last")).to_be_in_viewport()
    assert log.locator("[data-n]").count() <= 500


def test_arrows_go_from_message_to_message_and_pages_scroll(board: Board) -> None:
    long_one(board)
    log = board.log(1)
    log.focus()
    log.press("ArrowUp")
    focused = board.page.locator(":focus")
    expect(focused).to_have_attribute("data-n", "250")
    expect(focused).to_have_attribute("aria-label", "from client: line 250")
    for _ in range(12):
        board.page.keyboard.press("ArrowUp")
    expect(focused).to_have_attribute("data-n", "238")
    expect(focused).to_be_in_viewport()
    board.page.keyboard.press("ArrowDown")
    expect(focused).to_have_attribute("data-n", "239")
    before = log.evaluate("log => log.scrollTop")
    board.page.keyboard.press("PageUp")
    board.page.wait_for_function("(top) => document.querySelector('.nbs-log').scrollTop < top - 50", arg=before)


def test_the_focus_stays_when_the_bytes_are_read_otherwise(board: Board) -> None:
    long_one(board)
    board.log(1).focus()
    board.page.keyboard.press("ArrowUp")
    board.page.keyboard.press("ArrowUp")
    board.page.evaluate("hub.set('hex', true)")
    expect(board.log(1)).to_contain_text("6c 69 6e 65 20 32 34 39")
    expect(board.page.locator(":focus")).to_have_attribute("data-n", "249")


def test_one_message_is_copied_in_three_ways(board: Board) -> None:
    board.start().snap(row(1))
    board.page.evaluate(CLIPBOARD)
    board.transcript(1, ("received", "你好\r\n\x00".encode()), ("sent", b"it's"))
    bubbles = board.log(1).locator(".nbs-bubble")
    bar = board.page.get_by_role("group", name="Copy message")
    expect(bar).to_have_count(0)
    bubbles.first.hover()
    for name, text in (
        ("Copy as text", "你好\n\\x00"),
        ("Copy as hex", "e4 bd a0 e5 a5 bd 0d 0a 00"),
        ("Copy as Python bytes", r"b'\xe4\xbd\xa0\xe5\xa5\xbd\r\n\x00'"),
    ):
        bar.get_by_role("button", name=name, exact=True).click()
        board.page.wait_for_function("(text) => window.copied === text", arg=text)
    board.log(1).press("ArrowUp")
    board.page.keyboard.press("Enter")
    for _ in range(2):
        board.page.keyboard.press("Tab")
    board.page.keyboard.press("Enter")
    board.page.wait_for_function(r"window.copied === String.raw`b'it\'s'`")
    board.page.keyboard.press("Escape")
    expect(bubbles.last).to_be_focused()
    board.page.keyboard.press("Control+c")
    board.page.wait_for_function('window.copied === "it\'s"')


def test_a_page_without_a_clipboard_copies_by_selecting(board: Board) -> None:
    board.start().snap(row(1))
    board.page.evaluate(CLIPBOARD + "; window.isDenied = true")
    board.page.evaluate("""document.addEventListener("copy", (event) => { window.copied = event.target.value; })""")
    board.transcript(1, ("received", b"hello"))
    board.log(1).press("ArrowUp")
    board.page.keyboard.press("Control+c")
    board.page.wait_for_function("window.copied === 'hello'")
    expect(board.log(1).locator(".nbs-bubble")).to_be_focused()
    board.page.evaluate("document.execCommand = () => false")
    board.page.keyboard.press("Control+c")
    expect(board.page.get_by_role("alert")).to_contain_text("The browser did not let it be copied")


def test_the_whole_transcript_is_copied_with_what_the_kernel_still_has(board: Board) -> None:
    long_one(board, kept=250, gone=7)
    board.page.evaluate(CLIPBOARD)
    board.page.get_by_role("button", name="Copy transcript", exact=True).click()
    answer_earlier(board)
    board.page.wait_for_function("window.copied")
    lines = board.page.evaluate("window.copied").split("\n")
    assert lines[0] == "#1 127.0.0.1:40001" and lines[2] == "7 more, not kept"
    assert lines[3].endswith(" ← line 8") and lines[-2].endswith(" ← line 257") and len(lines) == 254


def test_days_and_times_are_told(board: Board) -> None:
    board.start().snap(row(1))
    rows, body = board.lines("connections", 1, ("received", b"long ago"), ("received", b"today"))
    rows[0][2] = NOW - 3 * 86400
    board.wish("watch", id=1)
    board.play({"t": "transcript", "table": "connections", "id": 1, "first": 1, "entries": rows}, body)
    days = board.log(1).get_by_role("separator")
    expect(days).to_have_count(2)
    expect(days.first).to_contain_text("October 2025")
    time = board.log(1).locator("time").first
    time.hover()
    assert "72 h 00 m ago" in time.get_attribute("title")


def test_a_burst_is_drawn_close_together_with_each_message_apart(board: Board) -> None:
    board.start().snap(row(1))
    board.wish("watch", id=1)
    rows, body = board.lines("connections", 1, *[("received", b"part")] * 3, ("sent", b"ok"), ("received", b"part"))
    for entry, time in zip(rows, (0, 0.012, 0.5, 0.501, 0.502), strict=True):
        entry[2] = NOW + time
    board.play({"t": "transcript", "table": "connections", "id": 1, "first": 1, "entries": rows}, body)
    bubbles = board.log(1).locator(".nbs-bubble")
    expect(bubbles).to_have_count(5)
    expect(board.log(1).locator(".is-next")).to_have_count(1)
    expect(bubbles.nth(1)).to_have_class("nbs-bubble is-received is-next")
    expect(bubbles.nth(1).locator("time")).to_have_text("+12 ms")
    expect(bubbles.nth(1)).to_contain_text("4 B")


def test_a_long_message_is_folded_and_opened(board: Board) -> None:
    board.start().snap(row(1))
    whole = b"A" * 4000 + "你".encode()[:2]
    board.transcript(1, ("received", whole), ("received", b"short"))
    log = board.log(1)
    text = log.locator(".nbs-text").first
    expect(text).to_have_text("A" * 600 + "…\\xe4\\xbd")
    button = log.get_by_role("button", name="Show all: 4.0 kB", exact=True)
    button.focus()
    button.press("Enter")
    expect(text).to_have_text("A" * 4000 + "\\xe4\\xbd")
    expect(log.get_by_role("button", name="Show less")).to_have_attribute("aria-expanded", "true")
    board.page.evaluate("hub.set('encoding', 'ascii')")
    expect(text).to_have_text("A" * 4000 + "\\xe4\\xbd")
    log.get_by_role("button", name="Show less").click()
    board.page.get_by_role("button", name="Show bytes as hex").click()
    expect(log.locator(".nbs-hex").first).to_contain_text("… +3874")


WRITTEN = {
    "utf-16le": "你好", "utf-16be": "é", "big5": "你好", "shift_jis": "あ", "euc-kr": "한", "windows-1252": "x€",
}  # fmt: skip


@pytest.mark.parametrize(("encoding", "text"), WRITTEN.items())
def test_bytes_are_read_in_other_encodings(board: Board, encoding: str, text: str) -> None:
    board.start().snap(row(1), row(2))
    data = text.encode("cp1252" if encoding == "windows-1252" else encoding)
    board.transcript(1, ("received", data[:1]), ("received", data[1:]))
    board.page.get_by_role("combobox", name="Encoding").select_option(encoding)
    expect(board.log(1).locator(".nbs-text").last).to_contain_text(text[-1])
    expect(board.log(1).locator(".is-raw")).to_have_count(0)
    assert board.page.evaluate("hub.saved.encoding") == encoding
    board.page.get_by_role("grid").press("ArrowDown")
    expect(board.page.get_by_role("combobox", name="Encoding")).to_have_value(encoding)


def test_hex_is_a_setting_of_the_board(board: Board) -> None:
    board.start(hex=True).snap(row(1))
    board.transcript(1, ("received", b"hi"))
    expect(board.log(1)).to_contain_text("0000  68 69  hi")
    button = board.page.get_by_role("button", name="Show bytes as hex")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.press("Enter")
    expect(board.log(1)).not_to_contain_text("68 69")
    assert board.page.evaluate("hub.saved.hex") is False


def test_a_screen_reader_hears_what_comes_and_of_a_flood_the_number(board: Board) -> None:
    board.start().snap(row(1))
    board.transcript(1, ("received", b"old"))
    expect(board.log(1)).to_contain_text("old")
    spoken = board.page.locator(".nbs-detail .nbs-spoken")
    expect(board.log(1)).to_have_attribute("aria-live", "off")
    expect(spoken).to_have_attribute("aria-live", "polite")
    expect(spoken).to_have_text("")
    board.said(1, ("received", b"hello"))
    expect(spoken).to_have_text("from client: hello")
    for _ in range(3):
        board.said(1, *(("received", b"x") for _ in range(40)))
    expect(spoken).to_have_text("120 new messages")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast_of_all_that_a_transcript_shows(board: Board, theme: str) -> None:
    board.page.evaluate(
        """(theme) => {
            document.body.dataset.jpThemeLight = theme === "light";
            document.body.style.background = theme === "light" ? "#fff" : "#111";
        }""",
        theme,
    )
    board.start().snap(row(1))
    board.n["connections", 1] = 9
    board.wish("watch", id=1)
    lines = [("received", b"A" * 900), ("received", b"next\r\n"), ("sent", b"x" * 9), ("sent", b"y")]
    rows, body = board.lines("connections", 1, *lines)
    rows[0][2] -= 86400 * 3
    board.play({"t": "transcript", "table": "connections", "id": 1, "first": 10, "entries": rows}, body)
    board.page.get_by_role("button", name="Send bytes written in hex").click()
    board.log(1).locator(".nbs-bubble").last.hover()
    expect(board.page.get_by_role("group", name="Copy message")).to_be_visible()
    expect(board.log(1)).to_contain_text("9 gone")
    board.page.wait_for_function("document.getAnimations().length === 0")  # a colour that is on its way is none yet
    worst = board.page.evaluate(CONTRAST)
    assert worst[0][0] >= 4.5, worst
