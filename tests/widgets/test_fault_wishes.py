"""What a page may ask of the fault lab: each name and number is checked, and nothing else changes anything."""

from __future__ import annotations

import socket

import pytest

from nbserver import net
from nbserver.fleet import Fleet
from nbserver.widgets.feed import Feed
from nbserver.widgets.requests import Desk


@pytest.fixture
def desk(nothing_left):
    with net.listen(net.Echo) as server, socket.create_connection(server.address, 5) as client:
        server.wait_for_connections(1, 5)
        yield Desk(server, Fleet()), server, client


def test_each_wish_of_the_lab_is_carried_out(desk):
    desk, server, client = desk
    for name, connection, values in (("delay", 0, {"seconds": 0.25}), ("split", 1, {"at": 2})):
        wish = {"do": "add_fault", "rid": "r", "name": name, "connection": connection, "values": values}
        assert desk.carry_out(wish) == {"rid": "r", "ok": True}
    assert [(f.name, f.connection, f.values) for f in server.faults] == [
        ("delay", 0, {"seconds": 0.25, "jitter": 0}),
        ("split", 1, {"at": 2, "pause": 0.3}),
    ]
    feed = Feed(server, Fleet())
    assert feed.snapshot()["server"]["faults"] == [1, [1]]
    feed.looks.ask("faults", 0, False)
    message, _ = feed.delta()
    [[at, connection, seen]] = message["looks"]
    assert (at, connection, seen["faults"][0]) == ("faults", 0, [1, "delay", 0, "0.25 s of delay, both ways", 0, 0])
    assert [kind[0] for kind in seen["kinds"]] == ["delay", "bandwidth", "split", "merge", "slow_reader", "black_hole"]
    assert desk.carry_out({"do": "undo_fault", "rid": "r", "fault": 1})["ok"]
    assert [fault.number for fault in server.faults] == [2]
    assert "not set any more" in desk.carry_out({"do": "undo_fault", "rid": "r", "fault": 1})["error"]
    assert desk.carry_out({"do": "undo_faults", "rid": "r"})["ok"] and len(server.faults) == 0
    assert desk.carry_out({"do": "half_close", "rid": "r", "connections": [1, 7]})["ok"]
    assert client.recv(1) == b""


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": 3},
        {"name": "__init__"},
        {"name": "drop"},
        {"values": None},
        {"values": {"seconds": "1"}},
        {"values": {"seconds": True}},
        {"values": {"seconds": float("inf")}},
        {"values": {"seconds": 10**400}},
        {"values": {"name": 1}},
        {"values": {"direction": 1}},
        {"values": {"self": 1}},
        {"values": {str(n): 1 for n in range(100)}},
        {"connection": -1},
        {"connection": 99},
        {"connection": "1"},
        {"direction": 5},
        {"direction": ["both"]},
    ],
    ids=str,
)
def test_what_no_view_would_ask_changes_nothing(desk, wrong):
    desk, server, _ = desk
    wish = {"do": "add_fault", "rid": "r", "name": "delay", "connection": 0, "values": {"seconds": 1}, **wrong}
    ack = desk.carry_out(wish)
    assert not ack["ok"] and ack["error"] and len(server.faults) == 0
    assert not desk.carry_out({"do": "undo_fault", "rid": "r", "fault": wrong.get("name", [])})["ok"]
