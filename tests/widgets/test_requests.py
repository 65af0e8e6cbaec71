"""What a view may ask for: a fixed list, and whatever else comes from a page changes nothing."""

from __future__ import annotations

import contextlib
import functools
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jupyter_client.session import json_packer

from nbserver import net
from nbserver.errors import NotReading
from nbserver.events import Kind
from nbserver.fleet import Fleet
from nbserver.net import Connection, Server
from nbserver.widgets import Hub
from nbserver.widgets.pace import Pace
from nbserver.widgets.requests import Desk


@pytest.fixture
def server():
    with net.listen() as server:
        yield server


@pytest.fixture
def desk(server, fleet):
    return Desk(server, fleet)


def waiting(desk, server):
    client = desk.add_client()
    server.wait_for_connections(client.number, 5)
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
    server.wait_for_connections(2, 5)
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
        server.wait_for_connections(2, 5)
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
        {"do": "broadcast", "text": "x", "to": 1},
        {"do": "broadcast", "text": "x", "to": [1, "1"]},
        {"do": "disconnect", "connections": [1] * 10_001},
        {"do": "reset", "connections": None},
        {"do": "find", "text": None},
    ],
)
def test_what_no_view_would_send_is_refused(desk, server, request_):
    waiting(desk, server)
    ack = desk.carry_out({"rid": "r", **request_})
    assert ack["ok"] is False and ack["error"] and server[1].is_waiting


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
# What JSON may turn into besides: Python reads NaN, 1e999999 and, of two equal keys, the last.
EXTREMES = {
    "infinity": json.loads("1e999999"),
    "no number": json.loads("NaN"),
    "equal keys": json.loads('{"a": 1, "a": {"a": 2}}'),
    "deep": json.loads("[" * 900 + "]" * 900),
    "deeper": functools.reduce(lambda inner, _: [inner], range(100_000), []),
    "a long number": 10**5000,  # Python makes no text of it
    "a long text": "x" * 10_000_000,
    "half a character": "\ud800",
}
FIELDS = (
    "rid",
    "connection",
    "client",
    "text",
    "ask",
    "table",
    "id",
    "before",
    "hex",
    "contains",
    "answer",
    "rule",
    "on",
)
LISTED = ("reply", "broadcast", "find", "disconnect", "reset", "input", "close_client", "add_client", "stop", "hello")
LISTED += ("watch", "earlier", "send", "end_input", "run_client", "run_clients", "close_clients")
LISTED += ("add_rule", "change_rule", "remove_rule", "save_reply", "forget_reply", "lanes", "look", "pong")
LISTED += ("half_close", "add_fault", "undo_fault", "undo_faults", "slow_motion", "next", "lens", "watch_shared")
# Everything that these objects could be made to do, if a name from a page were looked up on them.
UNLISTED = sorted({*dir(Desk), *dir(Hub), *dir(Connection), *dir(Server)} - {*LISTED})


def test_these_are_all_that_a_view_may_ask_for():
    """Else `UNLISTED` would have names that are done."""
    assert {*Desk(None, Fleet())._actions, "hello", "watch", "earlier", "lanes", "look", "pong"} == {*LISTED}


@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.sampled_from(LISTED) | JSON)
def test_s13_any_json_gets_an_answer(request_, what):
    desk = Desk(None, Fleet())
    ack = desk.carry_out({**request_, "do": what})
    assert ack["ok"] is False and isinstance(ack["code"], str) and isinstance(ack["error"], str)


@pytest.fixture(scope="module")
def hub():
    """A hub whose messages are packed as the kernel packs them, and go nowhere."""
    with net.listen() as server, socket.create_connection(server.address) as client:
        client.sendall(b"hello")
        server.wait_for_connections(1, 5)
        assert server[1].wait_waiting(5)
        hub = Hub(server)
        hub.server, hub.sent = server, []
        hub._pace = Pace(1, 1e9)  # each tick may speak
        hub.send = lambda content, buffers=None: hub.sent.extend(
            json.loads(json_packer(one)) for one in content.get("messages", [content])
        )
        hub._hurry = lambda: None  # published by the test, in its own thread
        yield hub
        hub.close()
        server.saved_replies.clear()


def state_of(hub):
    server = hub.server
    return (
        server.state,
        server[1].status,
        server[1].transcript.last,
        server[1].prompt,
        len(hub.fleet),
        len(server.connections),
    )


@settings(deadline=None)  # a busy machine is no fault
@given(JSON | st.dictionaries(st.sampled_from(("do", *FIELDS)), JSON))
def test_s13_a_hub_takes_any_json_and_nothing_happens(hub, message):
    before = state_of(hub)
    hub._on_comm(hub, message, [])
    hub.tick()
    assert state_of(hub) == before


@pytest.mark.parametrize("extreme", EXTREMES)
@pytest.mark.parametrize("field", ["do", *FIELDS])
def test_s13_a_hub_takes_what_is_too_long_too_deep_or_no_number(hub, field, extreme):
    before, refused = state_of(hub), hub.refused
    for what in LISTED if field != "do" else ("reply",):
        request = {
            "do": what,
            "rid": f"{field} {extreme} {what}",
            "connection": 9,
            "client": 9,
            "text": "hi",
            "table": "x",
        }
        if what in ("broadcast", "add_client", "stop") and field not in ("do", "rid"):
            continue  # these look at no number, and would be done
        hub.receive({**request, field: EXTREMES[extreme]}, "comm")
        hub.tick()
    assert state_of(hub) == before
    assert hub.refused > refused


@settings(deadline=None)  # a busy machine is no fault
@given(
    st.sampled_from(UNLISTED) | st.text(max_size=20), st.dictionaries(st.sampled_from(FIELDS[1:]), JSON), st.integers()
)
def test_s17_what_is_not_on_the_list_is_refused_and_counted(hub, what, fields, rid):
    assume(what not in LISTED)
    before, refused, rid = state_of(hub), hub.refused, f"unlisted {hub.refused} {rid}"
    hub.receive({**fields, "do": what, "rid": rid}, "comm")
    hub.tick()
    assert state_of(hub) == before and hub.refused == refused + 1
    hub.receive({"do": "hello", "rid": f"hello {rid}"}, "comm")  # a page that listens is told
    hub.receive({**fields, "do": what, "rid": rid}, "comm")
    hub.tick()
    assert [(ack["ok"], ack["code"]) for ack in hub.sent[-1]["acks"]] == [(False, "refused")]


@pytest.mark.parametrize(
    "request_", [None, [], "stop", {"do": "stop"}, {"do": "stop", "rid": 1}, {"do": "stop", "rid": "é"}]
)
def test_s17_a_request_without_a_name_is_counted_only(hub, request_):
    before, refused, sent = state_of(hub), hub.refused, len(hub.sent)
    hub._on_comm(hub, request_, [])
    hub.tick()
    assert (state_of(hub), hub.refused) == (before, refused + 1)
    assert [said for said in hub.sent[sent:] if "acks" in said] == []  # a beat may be due, or what was asked before


@pytest.mark.parametrize(
    "fields", [{}, {"table": "connections"}, {"table": "__dict__", "id": 1}, {"table": "clients", "id": 1e9}]
)
def test_s17_a_transcript_of_nothing_is_refused(hub, fields):
    refused, sent = hub.refused, len(hub.sent)
    hub.receive({"do": "watch", "rid": f"{fields}", **fields}, "comm")
    hub.tick()
    assert hub.refused == refused + 1
    assert [message["t"] for message in hub.sent[sent:] if message["t"] == "transcript"] == []


def test_s18_requests_that_come_in_many_threads_at_once_are_done_once_each(server):
    """One and the same request may come over the control channel, in a subshell and over the comm."""
    sockets, hub = [socket.create_connection(server.address) for _ in range(20)], Hub(server)
    for number, client in enumerate(sockets, 1):
        client.settimeout(5)
        client.sendall(b"hello")
        server.wait_for_connections(number, 5)
        assert server[number].wait_waiting(5)
    requests = [{"do": "reply", "rid": f"r{n}", "connection": n, "text": f"for {n}", "ask": 0} for n in range(1, 21)]
    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(hub.receive, request, "subshell") for _ in range(4) for request in requests]
        assert [each.result(10) for each in done] == [None] * 80
    assert [client.recv(100) for client in sockets] == [f"for {n}".encode() for n in range(1, 21)]
    answers = [[e.data for e in server[n].transcript if e.kind is Kind.ANSWERED] for n in range(1, 21)]
    assert answers == [[f"for {n}".encode()] for n in range(1, 21)]
    for client in sockets:
        client.close()
    hub.close()
