"""The reply box of the selected connection: several lines, a line end on request, bytes in hex."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from playwright.sync_api import expect

from nbserver.errors import ConnectionEnded, NotReading
from nbserver.fleet import Fleet
from nbserver.net import Server
from nbserver.widgets.requests import Desk

from .conftest import Board, row, waiting


def test_bytes_written_in_hex_go_past_the_handler(server: Server, client: socket.socket) -> None:
    desk = Desk(server, Fleet())
    client.sendall(b"hello")
    assert server[1].wait_waiting(5)
    assert desk.carry_out({"do": "send", "rid": "r", "connection": 1, "hex": "48 69\n0aFF"})["ok"]
    assert client.recv(100) == b"Hi\n\xff"
    assert server[1].is_waiting, "the question waits on"
    server[1].send(b"the same in Python\x00")
    assert client.recv(100) == b"the same in Python\x00"


@pytest.mark.parametrize("digits", [None, "", "4", "4 8", "zz", "0x48", "４８", b"48", 48, "48" * 40_000])
def test_s17_what_is_no_hex_is_refused_and_counted(server: Server, client: socket.socket, digits: Any) -> None:
    desk = Desk(server, Fleet())
    ack = desk.carry_out({"do": "send", "rid": "r", "connection": 1, "hex": digits})
    assert (ack["ok"], desk.refused, server[1].bytes_out) == (False, 1, 0)


def test_bytes_for_a_connection_that_ended_or_does_not_read_are_refused(server: Server, client: socket.socket) -> None:
    desk = Desk(server, Fleet())
    with pytest.raises(NotReading):
        while True:
            server[1].send(b"x" * 1_000_000, timeout=0)
    assert desk.carry_out({"do": "send", "rid": "r", "connection": 1, "hex": "00" * 30_000})["code"] == "full"
    server[1].close()
    server[1].wait_closed(5)
    with pytest.raises(ConnectionEnded):
        server[1].send(b"x")
    assert desk.carry_out({"do": "send", "rid": "r", "connection": 1, "hex": "00"})["code"] == "ended"


def test_shift_enter_begins_another_line_and_the_box_grows(board: Board) -> None:
    board.start().snap(row(1))
    box = board.page.get_by_role("textbox", name="Reply to #1", exact=True).last
    one = box.bounding_box()["height"]
    box.focus()
    for line in "abcdefg":
        board.page.keyboard.type(line)
        if line != "g":
            board.page.keyboard.press("Shift+Enter")
        if line == "c":
            assert one < box.bounding_box()["height"]
    assert 3 * one < box.bounding_box()["height"] < 5 * one
    assert board.wishes("reply") == []
    board.page.keyboard.press("ArrowUp")
    expect(box).to_have_value("a\nb\nc\nd\ne\nf\ng")  # within the text an arrow moves the caret
    board.page.keyboard.press("Enter")
    assert board.wish("reply")["text"] == "a\nb\nc\nd\ne\nf\ng"
    expect(box).to_have_value("")
    assert box.bounding_box()["height"] == one


def test_a_line_end_is_added_on_request_and_never_to_an_answer(board: Board) -> None:
    board.start().snap(row(1), waiting(2, ask=1))
    box = board.page.get_by_role("textbox", name="Reply to #1", exact=True).last
    switch = board.page.get_by_role("button", name="Add a line end to what is sent", exact=True)
    expect(switch).to_have_attribute("aria-pressed", "false")
    switch.click()
    box.fill("hello")
    box.press("Enter")
    assert board.wish("reply")["text"] == "hello\n"
    board.page.get_by_role("grid").press("End")
    expect(board.page.get_by_role("button", name="An input() gets its answer without a line end")).to_be_disabled()
    answer = board.page.get_by_role("textbox", name="Reply to #2", exact=True).last
    answer.fill("5")
    answer.press("Enter")
    assert board.wish("reply", connection=2)["text"] == "5"


def test_bytes_are_sent_as_hex_and_what_is_no_hex_stays(board: Board) -> None:
    board.start().snap(row(1))
    board.page.get_by_role("button", name="Send bytes written in hex", exact=True).click()
    box = board.page.get_by_role("textbox", name="Reply to #1", exact=True).last
    box.fill("48 6")
    box.press("Enter")
    note = board.page.locator(".nbs-detail").get_by_role("alert")
    expect(note).to_contain_text("pairs of the digits 0–9 and a–f")
    assert board.wishes("send") == []
    box.press_sequentially("9 0a")
    expect(note).to_have_count(0)
    box.press("Enter")
    assert (board.wish("send")["hex"], board.wish("send")["connection"]) == ("48 69 0a", 1)
    assert board.wishes("reply") == []
    board.refuse(board.wish("send"), "full", "It does not read.")
    expect(box).to_have_value("48 69 0a")
    expect(note).to_contain_text("the client does not read")


def test_selected_and_entered_within_one_frame_the_box_is_the_right_one(board: Board) -> None:
    board.start().snap(row(1), row(2), row(3))
    expect(board.row(3)).to_be_visible()
    board.page.evaluate("""() => {
        const grid = document.querySelector('.nbs-grid');
        const press = (key) => grid.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        grid.focus();
        press("End");
        press("Enter");
    }""")
    expect(board.page.get_by_role("textbox", name="Reply to #3", exact=True)).to_be_focused()
