"""The inspector in a page: what changes is marked, what is missing is explained, values are text."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from .conftest import CONTRAST, row
from .test_presenting import violations

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=alert(1)>"


def inspection(*own: list[Any], **more: Any) -> dict[str, Any]:
    given = [
        ["self.request", "socket", "fd 5, here <- there", "socket"],
        ["self.client_address", "tuple", "('::1', 7)", "address"],
    ]
    facts = {"number": 1, "server": "127.0.0.1:8008", "is_datagram": False, "handler": "Myserver", "state": "serving"}
    return {**facts, "attributes": [*given, *map(list, own)], "replies": 0, "trap": "", **more}


def tell(board, stream, datagram=None):
    board.delta(looks=[["inspector", 1, {"stream": stream, "datagram": datagram, "own": "stream"}]])


@pytest.fixture
def tabbed(board):
    """A board with the inspector open, and one connection."""
    board.start().snap(row(1))
    board.page.get_by_role("tab", name="Inspector").click()
    board.wish("look", at="inspector", connection=1)
    return board


def side(board, kind):
    return board.page.locator(f".nbs-side.is-{kind}")


def test_what_changes_is_marked_and_the_other_kind_is_explained(tabbed):
    tell(tabbed, inspection(("self.count", "int", "1", "")))
    stream, datagram = side(tabbed, "stream"), side(tabbed, "datagram")
    expect(stream.get_by_role("row").filter(has_text="self.request")).to_contain_text("the connection to this client")
    expect(stream).not_to_contain_text("changed")
    expect(datagram).to_contain_text("No such handler in this notebook yet")
    expect(datagram).to_contain_text("self.request[1].sendto(data, self.client_address)")
    tell(tabbed, inspection(("self.count", "int", "2", ""), ("self.name", "str", f"'{HOSTILE}'", "")))
    expect(stream.get_by_role("row").filter(has_text="changed")).to_have_text([re.compile("count"), re.compile("name")])
    expect(stream).to_contain_text(HOSTILE)
    assert tabbed.page.locator(".nbs img").count() == 0


def test_a_handler_that_has_ended_shows_what_it_held_last(tabbed):
    stream = side(tabbed, "stream")
    tell(tabbed, inspection(("self.name", "str", "'alice'", "")))
    expect(stream).to_contain_text("'alice'")
    tell(tabbed, inspection(state="ended"))
    expect(stream).to_contain_text("This handler has ended")
    expect(stream).to_contain_text("'alice'")


def test_who_takes_the_pair_for_a_socket_is_told_what_to_write(tabbed):
    trap = "AttributeError: 'tuple' object has no attribute 'send'"
    tell(tabbed, None, inspection(is_datagram=True, state="ended", trap=trap))
    expect(tabbed.page.get_by_role("alert").filter(has_text="self.request is a pair")).to_contain_text(trap)
    assert tabbed.page.evaluate(CONTRAST)[0][0] >= 4.5
    assert violations(tabbed.page) == []
