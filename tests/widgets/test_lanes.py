"""The past that a time line is told: what each thread did, bounded, and who waited in the backlog."""

from __future__ import annotations

import socket
import socketserver
import time

import pytest

from nbserver import net
from nbserver.fleet import Fleet
from nbserver.widgets.feed import Feed
from nbserver.widgets.lanes import Lane, Past

from .conftest import row


@pytest.fixture
def single():
    """A server that serves in its accept loop, by hand."""
    with net.listen(server_class=socketserver.TCPServer) as server:
        yield server


def follow(feed: Feed, condition, seconds: float = 10.0) -> dict:
    """Take deltas until what they told of the lanes, all together, is so; returns that."""
    told: dict = {"loops": [], "waited": [], "queue": [], "rows": {}}
    deadline = time.monotonic() + seconds
    while not condition(told):
        assert time.monotonic() < deadline, told
        message, _ = feed.delta() or ({}, b"")
        lanes = message.get("lanes", {})
        told["rows"].update((row[0], row[1]) for row in message.get("connections", []))
        told["loops"] += [lanes["loop"][1]] if "loop" in lanes else []
        told["waited"] += lanes.get("waited", [])
        told["queue"] = lanes.get("queue", told["queue"])
        time.sleep(0.01)  # between two looks, as the publisher's clock would
    return told


def lane_of(told: dict, number: int) -> list:
    return next(lane for lane in told["lanes"] if lane[0] == number)


def test_a_snapshot_says_what_is_new_too_and_says_it_once(single):
    feed = Feed(single, Fleet())
    assert feed.snapshot()["lanes"]["loop"][1] == "selecting"
    assert "lanes" not in feed.snapshot() and feed.delta() is None


def test_who_is_held_in_slow_motion_is_said_and_no_longer_when_it_goes_on():
    with net.listen() as server, socket.create_connection(server.address) as client:
        feed = Feed(server, Fleet())
        server.wait_for_connections(1, 5)
        feed.snapshot()
        server.slow_motion()
        client.shutdown(socket.SHUT_WR)
        server[1].wait_held(5)
        with socket.create_connection(server.address):
            told = follow(feed, lambda told: "held" in told["loops"] and told["rows"].get(1) == "held")
            for _ in range(2):
                server.next(0, 5)
            server.wait_held(5, 2)  # by the accept loop, which is held with it
            follow(feed, lambda told: told["rows"].get(2) == "held")
            assert feed.past.told()["loop"][-1][1] == "held"
            server.slow_motion(False)
            told = follow(feed, lambda told: told["loops"][-1:] == ["selecting"] and told["rows"].get(1) == "closed")
            assert "held" not in told["rows"].values()


def test_the_wait_in_the_backlog_is_told_while_it_lasts_and_goes_on_when_accepted(single):
    feed = Feed(single, Fleet())
    feed.snapshot()
    with socket.create_connection(single.address) as first:
        first.sendall(b"hello")
        assert single.wait_for_connections(1, 5)[0].wait_waiting(5)
        assert follow(feed, lambda told: told["loops"])["loops"][-1] == "serving 1"
        with socket.create_connection(single.address) as second:
            peer = "{}:{}".format(*second.getsockname())
            queue = follow(feed, lambda told: told["queue"])["queue"]
            assert [name for name, _ in queue] == [peer]
            assert feed.past.told()["queue"] == queue
            first.close()
            told = follow(feed, lambda told: told["waited"])
            assert told["waited"] == [[2, queue[0][1]]] and feed.past.told()["queue"] == []
            states = [state for _, state in lane_of(feed.past.told(), 2)[1]]
            assert states[0] == "backlog" and "receiving" in states
            first_states = [state for _, state in lane_of(feed.past.told(), 1)[1]]
            assert "waiting" in first_states and first_states[-1] == "closed"


def test_a_threading_server_tells_a_loop_in_select_and_lanes_that_wait():
    with net.listen() as server:
        feed = Feed(server, Fleet())
        feed.snapshot()
        with socket.create_connection(server.address) as one, socket.create_connection(server.address) as two:
            for client in (one, two):
                client.sendall(b"hello")
            server.wait_for_connections(2, 5)
            assert server[1].wait_waiting(5) and server[2].wait_waiting(5)
            feed.delta()
            follow(feed, lambda _: feed.past.told()["loop"][-1][1] == "selecting")
            told = feed.past.told()
            assert not any(state.startswith("serving") for _, state in told["loop"])
            for number in (1, 2):
                _, states, marks = lane_of(told, number)
                assert states[-1] == [server[number].question.since, "waiting"]
                assert [mark[1:] for mark in marks] == [[1, 0]]


def test_a_message_without_a_change_is_a_mark_and_no_state():
    past, now = Past(None), time.time()
    past.note(1, row(1, "receiving", last=now))
    past.note(1, row(1, "receiving", **{"in": 2, "out": 1, "last": now}))
    (_, states, marks) = past.told()["lanes"][0]
    assert [state for _, state in states] == ["receiving"]
    assert [mark[1:] for mark in marks] == [[2, 1]]


def test_what_is_kept_is_bounded():
    past = Past(None)
    for number in range(1, 700):
        past.note(number, row(number, "receiving", last=time.time()))
    for change in range(200):
        past.note(699, row(699, "running" if change % 2 else "receiving", **{"in": change, "last": time.time()}))
    told = past.told()
    assert len(told["lanes"]) == 500 and told["lanes"][-1][0] == 699 and told["lanes"][0][0] == 200
    assert len(told["lanes"][-1][1]) <= 64 and len(told["lanes"][-1][2]) <= 64
    past.note(699, None)
    assert all(lane[0] != 699 for lane in past.told()["lanes"])


def test_of_more_than_ten_minutes_only_the_state_that_went_on_is_told():
    lane, now = Lane(), 10_000.0
    for when, state in ((1000.0, "receiving"), (2000.0, "running"), (9900.0, "sending")):
        assert lane.became(state, when)
    assert not lane.became("sending", 9950.0)
    assert lane.told(now)[0] == [[2000.0, "running"], [9900.0, "sending"]]


def test_a_connection_that_came_and_went_between_two_looks_has_run():
    past, now = Past(None), time.time()
    past.note(1, row(1, "closed", opened=now - 0.5, last=now - 0.2))
    assert [state for _, state in past.told()["lanes"][0][1]] == ["running", "closed"]
    past.note(2, row(2, "closed", opened=now - 500, last=now - 300))
    assert [state for _, state in past.told()["lanes"][1][1]] == ["closed"], "nobody looked while it was open"
