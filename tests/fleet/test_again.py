"""Clients that run again, and one more of the same kind."""

from __future__ import annotations

import socket
import socketserver

import pytest

from nbserver import net
from nbserver.console import Program
from nbserver.errors import ConnectionEnded, NotListening, UsageError
from nbserver.events import Kind
from nbserver.fleet import Client, Target, enlist, live_clients, until

pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.fixture
def echo():
    with net.listen(net.Echo) as server:
        yield server


def add(fleet, server, script=(), **options) -> Client:
    target = Target(server.address, server.base.address_family, server.base.socket_type)
    client = enlist(lambda number: Client(number, target, script, **options))
    fleet.add(client)
    client.start()
    return client


def told(client, kind):
    return [e.data.decode() for e in client.transcript if e.kind is kind]


def test_a_client_connects_anew(echo, fleet):
    client = add(fleet, echo)
    client.say("one")
    assert client.hear(5) == "one"
    before = client.ends
    client.run_again()
    client.say("two")
    assert client.hear(5) == "two"
    assert client.ends != before and client.ends.remote == echo.address
    echo[1].wait_closed(5)
    assert echo.accepted == 2 and told(client, Kind.OPENED)[1] == "run 2"


def test_its_script_is_played_from_the_start(echo, fleet):
    client = add(fleet, echo, ["one", until("one"), "two", until("two"), None])
    client.wait_ended(5)
    client.run_again()
    client.wait_ended(5)
    assert told(client, Kind.SENT) == ["one", "two"] * 2
    assert told(client, Kind.PRINTED) == []


def test_a_script_that_still_waits_is_ended_first(echo, fleet):
    client = add(fleet, echo, ["one", until("never")])
    assert client._journal.wait_for(lambda: told(client, Kind.RECEIVED), 5)
    client.run_again()
    assert client._journal.wait_for(lambda: len(told(client, Kind.RECEIVED)) == 2, 5)
    assert told(client, Kind.SENT) == ["one", "one"]
    assert len(told(client, Kind.PRINTED)) == 1  # the first script's end


def test_a_server_that_has_gone_is_told_in_words(fleet):
    with net.listen(net.Echo) as server:
        client = add(fleet, server)
        address = server.address_text
    client.wait_ended(5)
    with pytest.raises(NotListening, match=address):
        client.run_again()
    assert client.has_ended and isinstance(client.error, NotListening)
    assert told(client, Kind.ERROR) == [f"NotListening: nothing listens on {address}: start a server there first"]
    with pytest.raises(ConnectionEnded):
        client.say("anybody?")


def test_all_run_again_though_one_cannot(echo, fleet):
    with net.listen(net.Echo) as other:
        lost, kept = add(fleet, other), add(fleet, echo)
    with pytest.raises(NotListening):
        fleet.run_again()
    assert (lost.has_ended, kept.has_ended, kept.runs) == (True, False, 2)


def test_its_number_stays_unless_it_was_given_away(echo, fleet):
    one, two = add(fleet, echo), add(fleet, echo)
    for client in (one, two):
        client.close()
        client.wait_ended(5)
    two.run_again()
    assert two.number == 2
    newer = add(fleet, echo)
    one.run_again()
    assert (newer.number, one.number, one.name) == (1, 3, "client 3")
    assert live_clients() == [newer, two, one]


def test_one_more_of_the_same_kind(echo, fleet):
    add(fleet, echo, ["hi"])
    client = fleet.add_client()
    assert client.hear(5) == "hi" and list(fleet)[-1] is client and client.number == 2


def test_one_more_of_the_same_program(fleet):
    first = enlist(lambda number: Program(number, lambda: print("ran"), f"client {number}: program"))
    fleet.add(first)
    first.start()
    first.wait_ended(5)
    added = fleet.add_client()
    added.wait_ended(5)
    assert told(added, Kind.PRINTED) == ["ran"]


def test_there_must_be_one_to_be_like(fleet):
    with pytest.raises(UsageError, match="no client here"):
        fleet.add_client()


def test_the_end_of_its_input_closes_its_sending_side(fleet):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = enlist(lambda number: Client(number, Target.at(listener.getsockname())))
        fleet.add(client)
        client.start()
        peer, _ = listener.accept()
        with peer:
            client.end_input()
            assert peer.recv(1) == b""
            peer.sendall(b"still here")
            assert client.hear(5) == "still here"
    client.wait_ended(5)
    with pytest.raises(ConnectionEnded):
        client.end_input()


def test_datagrams_have_no_end(fleet):
    with net.listen(net.Echo, ("127.0.0.1", 0), socketserver.ThreadingUDPServer) as server:
        client = add(fleet, server)
        with pytest.raises(UsageError, match="no end"):
            client.end_input()
