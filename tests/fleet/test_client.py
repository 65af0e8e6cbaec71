"""Clients in sibling threads: by hand, by a script, several together."""

from __future__ import annotations

import socket
import socketserver

import pytest

from nbserver import net
from nbserver.errors import ConnectionEnded, NotHeard, NotListening, UsageError
from nbserver.fleet import Client, Fleet, Target, enlist, live_clients, play, until

pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.fixture
def echo():
    with net.listen(net.Echo) as server:
        yield server


@pytest.fixture
def connect():
    """Makes clients, and closes them after the test."""
    made = Fleet()

    def connect(target: Target) -> Client:
        client = enlist(lambda number: Client(number, target))
        made.add(client)
        client.start()
        return client

    yield connect
    made.close()


def target(server) -> Target:
    return Target(server.address, server.base.address_family, server.base.socket_type)


def test_what_is_said_is_heard_back(echo, connect):
    client = connect(target(echo))
    client.say("你好")
    assert client.hear(5) == "你好"
    assert [e.kind for e in client.transcript] == ["opened", "sent", "received"]


def test_a_character_that_comes_in_two_pieces_is_heard_whole(connect):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = connect(Target.at(listener.getsockname()))
        peer, _ = listener.accept()
        with peer:
            first, rest = "一".encode()[:2], "一".encode()[2:]
            peer.sendall(first)
            with pytest.raises(NotHeard):
                client.hear(0.2)
            peer.sendall(rest)
            assert client.hear(5) == "一"


def test_hear_says_that_nothing_came_and_that_nothing_will(connect):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = connect(Target.at(listener.getsockname()))
        peer, _ = listener.accept()
        with pytest.raises(NotHeard, match="within 0.05 s"):
            client.hear(0.05)
        peer.sendall(b"last words")
        peer.close()
        client.wait_ended(5)
        assert client.hear(5) == "last words"
        with pytest.raises(ConnectionEnded):
            client.hear(5)
        with pytest.raises(ConnectionEnded):
            client.say("anybody?")


def test_what_is_typed_into_its_console_is_said(echo, connect):
    client = connect(target(echo))
    client.answer("typed")
    assert client.hear(5) == "typed"


def test_numbers_are_given_again_when_their_clients_have_ended(echo, connect):
    clients = [connect(target(echo)) for _ in range(3)]
    assert [client.number for client in clients] == [1, 2, 3]
    clients[1].close()
    clients[1].wait_ended(5)
    assert connect(target(echo)).number == 2
    assert [client.number for client in live_clients()] == [1, 2, 3]


@pytest.mark.parametrize(
    ("server_class", "address"),
    [
        (socketserver.ThreadingTCPServer, ("127.0.0.1", 0)),
        (socketserver.ThreadingTCPServer, ("::1", 0)),
        (socketserver.ThreadingUDPServer, ("127.0.0.1", 0)),
        (socketserver.ThreadingUnixStreamServer, "{tmp}/stream"),
        (socketserver.ThreadingUnixDatagramServer, "{tmp}/datagram"),
    ],
)
def test_every_kind_of_server_can_be_talked_to(server_class, address, tmp_path, connect):
    if isinstance(address, str):
        address = address.format(tmp=tmp_path)
    with net.listen(net.Echo, address, server_class) as server:
        client = connect(target(server))
        client.say("hello")
        assert client.hear(5) == "hello"
        client.close()
        client.wait_ended(5)


def test_nothing_listens():
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = free.getsockname()
    with pytest.raises(NotListening, match=str(address[1])):
        Client(1, Target.at(address))


@pytest.mark.parametrize("wrong", [("127.0.0.1", "8008"), (1, 2), ("127.0.0.1",), "localhost", 8008, None])
def test_a_target_that_is_none_is_named(wrong):
    with pytest.raises(UsageError, match="target"):
        Target.at(wrong)


def test_a_script_says_waits_and_hangs_up(echo, connect):
    client = connect(target(echo))
    play(client, ["one", until("one"), 0.01, "two", until("two"), None])
    client.wait_ended(5)
    assert [e.data for e in client.transcript if e.kind == "sent"] == [b"one", b"two"]


def test_a_script_whose_words_never_come_says_so(echo, connect):
    client = connect(target(echo))
    play(client, ["one", until("two", timeout=0.05)])
    assert client._journal.wait_for(lambda: any(b"script ended" in e.data for e in client.transcript), 5)


def test_a_step_that_is_none_is_named(echo, connect):
    with pytest.raises(UsageError, match=r"\['nested'\]"):
        play(connect(target(echo)), [["nested"]])
