"""What a view may ask for about several connections at once."""

from __future__ import annotations

import socket
from queue import SimpleQueue

import pytest

from nbserver import net
from nbserver.fleet import Fleet
from nbserver.widgets import requests
from nbserver.widgets.requests import Desk

pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.fixture
def room():
    """A desk, its server, and the sockets of three clients, each of which has said its number."""
    with net.listen() as server:
        clients = [socket.create_connection(server.address) for _ in range(3)]
        for number, client in enumerate(clients, 1):
            client.settimeout(5)
            server.wait_for_connections(number, 5)
            client.sendall(b"I am %d" % number)
            assert server[number].wait_waiting(5)
        yield Desk(server, Fleet()), server, clients
        for client in clients:
            client.close()


def ask(desk, **request):
    """What `request` is answered with, whichever thread does it."""
    acks = SimpleQueue()
    desk.do({"rid": "r", **request}, acks.put)
    return acks.get(timeout=5)


def test_a_text_for_some_reaches_nobody_else(room):
    desk, server, clients = room
    server[3].close()
    server[3].wait_closed(5)
    ack = ask(desk, do="broadcast", text="for some", to=[1, 3])
    assert (ack["ok"], ack["code"]) == (True, "partial") and "#3" in ack["error"] and "#1" not in ack["error"]
    assert clients[0].recv(100) == b"for some"
    assert server[2].is_waiting, "nobody has answered it"


def test_several_are_disconnected_and_reset(room):
    desk, server, clients = room
    assert ask(desk, do="disconnect", connections=[1, 99]) == {"rid": "r", "ok": True}
    assert clients[0].recv(100) == b""
    assert ask(desk, do="reset", connections=[1, 2])["ok"]
    with pytest.raises(ConnectionResetError):
        clients[1].recv(100)
    assert server[3].is_waiting


def test_a_search_tells_the_numbers(room):
    desk, server, _ = room
    assert ask(desk, do="find", text="I AM 2") == {"rid": "r", "ok": True, "found": [2]}
    assert ask(desk, do="find", text="i am")["found"] == [3, 2, 1]
    server.stop()
    assert ask(desk, do="find", text="I am 1")["found"] == [1], "a stopped server can still be read"


def test_a_search_is_bounded_and_says_what_it_left_out(room, monkeypatch):
    desk, _, _ = room
    monkeypatch.setattr(requests, "_FOUND", 2)
    ack = ask(desk, do="find", text="I am")
    assert (ack["found"], ack["code"]) == ([3, 2], "partial")
    monkeypatch.setattr(requests, "_FIND_SECONDS", -1.0)
    ack = ask(desk, do="find", text="I am")
    assert (ack["found"], ack["code"]) == ([], "partial") and "not all" in ack["error"]


def test_two_searches_never_run_at_once(room, monkeypatch):
    desk, _, _ = room
    acks = []

    def search_within(consoles, text, seconds):
        acks.append(ask(desk, do="find", text="inner"))
        yield 1

    monkeypatch.setattr(requests, "find", search_within)
    assert ask(desk, do="find", text="outer")["found"] == [1]
    assert [(ack["ok"], ack["code"]) for ack in acks] == [(False, "refused")]
    monkeypatch.undo()
    assert ask(desk, do="find", text="I am 3")["found"] == [3], "and the next one runs"
