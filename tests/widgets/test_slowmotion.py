"""Slow motion as a page asks for it: checked, and the same as in Python."""

from __future__ import annotations

import socket

import pytest

from nbserver import net
from nbserver.fleet import Fleet
from nbserver.widgets.looks import LOOKS
from nbserver.widgets.requests import Desk


@pytest.fixture
def server():
    with net.listen(net.Echo) as server:
        yield server


@pytest.fixture
def wish(server):
    desk = Desk(server, Fleet())
    yield lambda do, **values: desk.carry_out({"do": do, "rid": "r", **values})["ok"]


def test_all_are_held_and_go_on_when_the_page_says_so(server, wish):
    assert wish("slow_motion", on=True) and server.is_slow
    with socket.create_connection(server.address, 5) as client:
        server.wait_held(5, 0)
        seen = LOOKS["chain"](server, 0)
        assert (seen["slow"], seen["held"]) == ([True, False], [(0, "_handle_request_noblock")])
        assert seen["calls"][4][:6] == ["_handle_request_noblock", "server", "BaseServer", 0, 1, "held"]
        assert wish("next", connection=0) and wish("next", connection=0)
        server.wait_held(5, 0)
        assert wish("next")
        server.wait_held(5, 1)
        assert wish("slow_motion", on=False) and server.held == {}
        client.sendall(b"hello")
        client.settimeout(5)
        assert client.recv(10) == b"hello"


def test_one_is_held_and_whoever_is_not_held_has_no_next(server, wish):
    with socket.create_connection(server.address, 5):
        server.wait_for_connections(1, 5)
        assert wish("slow_motion", connection=1, on=True) and server[1].is_slow and not server.is_slow
        assert wish("next", connection=7)  # two clicks on one step are one, and nothing is an error


@pytest.mark.parametrize(
    "request_",
    [{"do": "slow_motion"}, {"do": "slow_motion", "on": 1}, {"do": "slow_motion", "on": True, "connection": "1"}]
    + [
        {"do": "slow_motion", "on": True, "connection": 9},
        {"do": "next", "connection": -1},
        {"do": "next", "connection": []},
    ],
)
def test_what_no_view_would_send_is_refused(server, request_):
    assert not Desk(server, Fleet()).carry_out({"rid": "r", **request_})["ok"]
    assert not server.is_slow


def test_the_text_of_each_method_of_the_chain(server):
    written = LOOKS["written"](server, 0)
    assert written["server.process_request"][0] == "socketserver.py"
    assert "Start a new thread" in written["server.process_request"][2]
    assert written["handler.setup"][2].startswith("def setup(self):")
