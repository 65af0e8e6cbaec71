"""The byte ruler in a bare page: what stands where, what the keyboard reaches, what is asked of the kernel."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from nbserver.teach import Framed, Piece, Row, Ruler, Way, framed, halves, told

from .conftest import CONTRAST, NOW, Board, row

CHINESE = "你好, 世界".encode()


def rows_of(sent: list[bytes], received: list[int], call: str = "send") -> tuple[Row, Row]:
    """What was sent, piece by piece, and in pieces of which lengths it was received."""
    stream, begin, at = b"".join(sent), 0, 0
    above, below = [], []
    for data in sent:
        above.append(Piece(begin, len(data), NOW, call, f"line 7: client.send({data!r})", data))
        begin += len(data)
    for size in received:
        data = stream[at : at + size]
        below.append(Piece(at, size, NOW + 0.5, "recv", "line 4: data = self.request.recv(8)", data))
        at += size
    return Row(tuple(above), begin), Row(tuple(below), at)


def data(sent: list[bytes], received: list[int], lens: str = "raw", unseen: str = "", encoding: str = "utf-8") -> Any:
    """What the kernel tells of a connection whose client has sent that."""
    sends, recvs = rows_of(sent, received)
    seen: Framed | None = framed(lens, b"".join(sent)) if lens != "raw" else None
    first = Way("client", None if unseen else sends, recvs, halves(recvs.pieces, encoding), seen)
    back = rows_of([b"ok\n"], [3])
    second = Way("server", back[0], None if unseen else back[1])
    return told(Ruler((first, second), "" if unseen else "client 2", unseen, True, False, lens, encoding), True)


MERGED = [b"hello-", b"world-", CHINESE, b"and a longer line that comes in pieces\n", b"bye"]
CUTS = [12, 4, len(CHINESE) - 4 + 15, 24]


@pytest.fixture
def ruler(board: Board):
    """The board with the ruler open, shown what the test says."""

    def ruler(seen: Any, view: str = "board", **traits: Any) -> Any:
        board.start(view, **traits).snap(row(1), row(2, link=2))
        if view == "board":
            board.page.get_by_role("tab").nth(3).click()
        board.wish("look", at="ruler", connection=1 if view == "board" else 2)
        board.delta(looks=[["ruler", 1, seen], ["ruler", 2, seen]])
        return board.page

    return ruler


def piece(page: Any, name: str) -> Any:
    return page.get_by_role("button", name=re.compile(name))


def test_pieces_stand_above_and_below_their_bytes_and_say_what_became_of_them(ruler):
    page = ruler(data(MERGED, CUTS))
    way = page.get_by_role("region", name="client 2 → server #1", exact=True)
    expect(way).to_contain_text("2 send() became 1 recv(): merged")
    expect(way).to_contain_text("65 bytes received")
    expect(way).to_contain_text(re.compile(r"\d+ in flight: sent, not yet received"))
    first, second = (
        piece(page, r"^send\(\) of the sender: 6 bytes from byte 0").bounding_box(),
        piece(page, r"^send\(\) of the sender: 6 bytes from byte 6").bounding_box(),
    )
    both = piece(page, r"^recv\(\) of the receiver: 12 bytes from byte 0").bounding_box()
    assert both["y"] > first["y"] + first["height"], "what was received stands below"
    assert abs(both["x"] - first["x"]) < 1
    assert abs(both["x"] + both["width"] - second["x"] - second["width"]) < 1


def test_a_half_character_is_marked_and_what_a_plain_decode_raises_is_said(ruler):
    page = ruler(data(MERGED, CUTS))
    expect(page.get_by_text("½ 2 bytes more", exact=True)).to_be_visible()
    piece(page, r"receiver: 4 bytes from byte 12.*2 bytes more$").focus()
    detail = page.get_by_text("It ends in half a character: 2 bytes more, which the next piece brings.")
    expect(detail).to_be_visible()
    expect(
        page.get_by_text("'utf-8' codec can't decode byte 0xe5 in position 3: unexpected end of data")
    ).to_be_visible()
    expect(page.get_by_text("line 4: data = self.request.recv(8)")).to_be_visible()
    page.keyboard.press("ArrowRight")
    rest = "Its first 2 bytes are the rest of a character that began in the piece before."
    expect(page.get_by_text(rest)).to_be_visible()


def test_the_keyboard_goes_from_piece_to_piece_and_one_is_in_the_order_of_tabs(ruler):
    page = ruler(data(MERGED, CUTS))
    expect(page.locator('.nbs-rpiece[tabindex="0"]')).to_have_count(1)
    piece(page, r"^recv\(\) of the receiver: 12 bytes from byte 0").focus()
    page.keyboard.press("ArrowUp")
    expect(piece(page, r"^send\(\) of the sender: 6 bytes from byte 0")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(piece(page, r"^send\(\) of the sender: 6 bytes from byte 6")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(piece(page, r"^recv\(\) of the receiver: 12 bytes from byte 0")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(piece(page, r"^recv\(\) of the receiver: 4 bytes from byte 12")).to_be_focused()
    page.keyboard.press("End")
    expect(piece(page, r"^recv\(\) of the receiver: 24 bytes")).to_be_focused()
    expect(page.locator('.nbs-rpiece[tabindex="0"]')).to_have_count(1)


def test_the_focus_stays_when_more_comes(ruler, board: Board):
    page = ruler(data(MERGED, CUTS[:2]))
    piece(page, r"^recv\(\) of the receiver: 4 bytes").focus()
    board.delta(looks=[["ruler", 1, data(MERGED, CUTS)]])
    expect(piece(page, r"^recv\(\) of the receiver: 24 bytes")).to_be_visible()
    expect(piece(page, r"^recv\(\) of the receiver: 4 bytes")).to_be_focused()


def test_it_follows_the_end_until_somebody_scrolls_back(ruler, board: Board):
    page = ruler(data(MERGED * 3, CUTS))
    follow = page.get_by_role("button", name="Follow the end", exact=True)
    last = piece(page, r"^send\(\) of the sender: 3 bytes from byte 201")
    expect(follow).to_have_attribute("aria-pressed", "true")
    expect(last).to_be_in_viewport()
    page.locator(".nbs-rscroll").first.evaluate("(element) => { element.scrollLeft = 0; }")
    expect(follow).to_have_attribute("aria-pressed", "false")
    board.delta(looks=[["ruler", 1, data(MERGED * 4, CUTS)]])
    expect(piece(page, r"^send\(\) of the sender: 3 bytes from byte 269")).not_to_be_in_viewport()
    follow.click()
    expect(piece(page, r"^send\(\) of the sender: 3 bytes from byte 269")).to_be_in_viewport()


def test_a_lens_is_asked_for_and_shows_messages_and_what_is_missing(ruler, board: Board):
    page = ruler(data([b"\x00\x05hello", b"\x00\x05wo"], [11], "length2big"))
    expect(page.get_by_text("message · 5 B")).to_be_visible()
    expect(page.get_by_text("not complete: needs 3 bytes more")).to_be_visible()
    page.get_by_role("combobox", name="Lens", exact=True).select_option(label="lines")
    assert board.wish("lens")["lens"] == "line"
    lie = data([b"\xff\xff\xff\xffhello"], [9], "length4big")
    board.delta(looks=[["ruler", 1, lie]])
    expect(page.get_by_text("the length says 4294967295 bytes: not believed")).to_be_visible()


def test_an_end_that_is_not_seen_and_a_gap_say_so(ruler, board: Board):
    page = ruler(data([b"one", b"two"], [6], unseen="elsewhere"))
    expect(page.get_by_text("The client's end is not seen from this kernel")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("of the sender"))).to_have_count(1)
    rest = Row((Piece(0, 5_000_000, 0.0, ""), Piece(5_000_000, 3, NOW, "recv", "", b"end")), 5_000_003)
    way = Way("client", None, rest, {}, framed("line", b"end", 5_000_000))
    gap = Ruler((way, Way("server", Row(), None)), "", "elsewhere", True, False, "line", "utf-8")
    board.delta(looks=[["ruler", 1, told(gap, False)]])
    expect(page.get_by_text("the lens begins at byte 5,000,000, after a gap: perhaps inside a message")).to_be_visible()
    assert "the lens begins at byte 5000000, after a gap: perhaps inside a message" in str(gap)
    expect(piece(page, "^bytes 0 to 5,000,000: they went by and are not kept$")).to_be_visible()
    expect(page.get_by_text("5,000,003 bytes received")).to_be_visible()


def test_hostile_bytes_are_text(ruler):
    script = b"<img src=x onerror='window.hacked=1'>"
    page = ruler(data([script], [len(script)]))
    piece(page, "^recv").first.focus()
    expect(page.locator(".nbs-rtext")).to_have_text(script.decode())
    assert page.locator(".nbs-ruler img").count() == 0
    assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_can_be_read_in_chinese_and_large_in_both_themes(ruler, board: Board, theme: str):
    board.page.evaluate("(isLight) => { document.body.dataset.jpThemeLight = isLight; }", str(theme == "light").lower())
    page = ruler(data(MERGED, CUTS, "line"), "ruler", lang="zh", scale=2.0)
    expect(page.get_by_text("2 次 send() 变成 1 次 recv(): 粘包").first).to_be_visible()
    piece(page, "^接收方的 recv").nth(1).focus()
    expect(page.get_by_text("它以半个字符结尾: 还差 2 字节, 由下一段补全.")).to_be_visible()
    expect(page.get_by_text("第 4 行: data = self.request.recv(8)")).to_be_visible()
    found = Axe().run(page, ".nbs").response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    lowest = page.evaluate(CONTRAST)
    assert lowest[0][0] >= 4.5, lowest
    expect(page.get_by_role("region", name="客户端 2 → 服务端 #2", exact=True)).to_be_visible()
