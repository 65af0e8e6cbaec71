"""What a view may ask for: a fixed list, and whatever else comes from a page changes nothing."""

from __future__ import annotations

import contextlib
import socket
from queue import SimpleQueue

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbserver import net
from nbserver.errors import NotReading
from nbserver.fleet import Fleet
from nbserver.widgets.requests import Desk


@pytest.fixture
def server():
    with net.listen() as server:
        yield server


@pytest.fixture
def fleet():
    fleet = Fleet()
    yield fleet
    fleet.close()


@pytest.fixture
def desk(server, fleet):
    return Desk(server, fleet)


def waiting(desk, server):
    client = desk.add_client()
    server.wait_connections(client.number, 5)
    client.say("hello")
    assert server[client.number].wait_waiting(5)
    return client


def test_each_wish_is_carried_out(desk, server, fleet):
    client = waiting(desk, server)
    ask = server[1].question.number
    assert desk.carry_out({"do": "reply", "rid": "r1", "connection": 1, "text": "hi", "ask": ask}) == {
        "rid": "r1",
        "ok": True,
    }
    assert client.hear(5) == "hi"
    assert desk.carry_out({"do": "broadcast", "rid": "r", "text": "all"})["ok"]
    assert client.hear(5) == "all"
    assert desk.carry_out({"do": "input", "rid": "r", "client": 1, "text": "typed"})["ok"]
    assert server[1].wait_waiting(5)
    assert desk.carry_out({"do": "add_client", "rid": "r"})["ok"] and len(fleet) == 2
    server.wait_connections(2, 5)
    assert desk.carry_out({"do": "close_client", "rid": "r", "client": 2})["ok"]
    server[2].wait_closed(5)
    assert desk.carry_out({"do": "disconnect", "rid": "r", "connection": 1})["ok"]
    server[1].wait_closed(5)
    assert desk.carry_out({"do": "stop", "rid": "r"})["ok"]
    assert server.journal.wait_for(lambda: server.state.value == "stopped", 5)


def test_what_may_take_long_takes_it_in_a_thread_of_its_own(desk, server):
    acks = SimpleQueue()
    desk.do({"do": "add_client", "rid": "slow"}, acks.put)
    assert acks.get(timeout=5) == {"rid": "slow", "ok": True}
    desk.do({"do": "nothing", "rid": "quick"}, acks.put)
    assert acks.get_nowait()["rid"] == "quick"


def test_a_broadcast_that_misses_one_is_done_and_says_whom_it_missed(desk, server):
    """Sent again it would come twice to the others."""
    waiting(desk, server)
    with socket.create_connection(server.address) as deaf:
        server.wait_connections(2, 5)
        with contextlib.suppress(NotReading):
            while True:
                server[2].send(b"x" * 1_000_000, timeout=0)
        ack = desk.carry_out({"do": "broadcast", "rid": "r", "text": "hello all"})
        assert (ack["ok"], ack["code"]) == (True, "partial") and "#2" in ack["error"] and "#1" not in ack["error"]
        assert deaf.fileno() > 0


def test_a_reset_reaches_the_client(desk, server):
    client = waiting(desk, server)
    assert desk.carry_out({"do": "reset", "rid": "r", "connection": 1})["ok"]
    client.wait_ended(5)
    assert any(b"reset" in e.data.lower() for e in client.transcript)


def test_refusals_have_a_code_that_a_view_can_translate(desk, server):
    client = waiting(desk, server)
    ask = server[1].question.number
    reply = {"do": "reply", "rid": "r", "connection": 1, "text": "hi", "ask": ask}
    assert desk.carry_out(reply)["ok"]
    assert client.hear(5) == "hi"
    assert desk.carry_out(reply)["code"] == "answered"
    client.close()
    server[1].wait_closed(5)
    assert desk.carry_out(reply)["code"] == "ended"
    assert desk.carry_out({**reply, "connection": 99})["code"] == "ended"
    server.stop()
    assert desk.carry_out({"do": "add_client", "rid": "r"})["code"] == "stopped"
    assert desk.carry_out({"do": "broadcast", "rid": "r", "text": "x"})["code"] == "stopped"


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"do": "stop_all"},
        {"do": "__class__"},
        {"do": ["reply"]},
        {"do": "reply", "connection": 1},
        {"do": "reply", "connection": 1, "text": "x" * 70_000},
        {"do": "reply", "connection": 1, "text": b"bytes"},
        {"do": "reply", "connection": True, "text": "x"},
        {"do": "reply", "connection": "1", "text": "x"},
        {"do": "reply", "connection": -1, "text": "x"},
        {"do": "reply", "connection": 1e300, "text": "x"},
        {"do": "reply", "connection": 1, "text": "x", "ask": "1"},
        {"do": "input", "client": None, "text": "x"},
    ],
)
def test_what_no_view_would_send_is_refused(desk, server, request_):
    waiting(desk, server)
    ack = desk.carry_out({"rid": "r", **request_})
    assert ack["ok"] is False and ack["error"] and server[1].is_waiting


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(["rid", "connection", "client", "text", "ask", "table", "id"])


@given(st.dictionaries(NAMES, JSON), st.sampled_from(["reply", "input", "disconnect", "reset", "close_client"]) | JSON)
def test_any_json_gets_an_answer(request_, what):
    desk = Desk(None, Fleet())
    ack = desk.carry_out({**request_, "do": what})
    assert ack["ok"] is False and isinstance(ack["code"], str) and isinstance(ack["error"], str)
