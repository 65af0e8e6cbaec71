"""What a page tells the kernel about itself: who shows it, and that it answers."""

from __future__ import annotations

from .conftest import Board, row


def test_the_first_wish_says_who_shows_the_page(board: Board) -> None:
    board.start()
    assert board.wish("hello")["host"] == "unknown"


def test_a_ping_is_answered_at_once_by_its_name_and_changes_nothing(board: Board) -> None:
    board.start().snap(row(1))
    board.play({"t": "ping", "rid": "a question"})
    assert board.wishes("pong") == [{"do": "pong", "rid": "a question", "via": "comm"}]
    board.delta(row(2))
    board.row(2).wait_for()
    assert len(board.wishes("hello")) == 1, "no number was missing"
