"""Datagrams: each peer a row, each datagram an exchange, each reply to the peer that asked."""

from __future__ import annotations

import contextlib
import random
import socket
import socketserver
import sys

import pytest

from nbserver.errors import AlreadyAnswered, ConnectionEnded
from nbserver.events import Kind
from nbserver.states import ConnectionState


class Asks(socketserver.BaseRequestHandler):
    """Each datagram waits for what a person types."""

    def handle(self):
        data, sock = self.request
        sock.sendto(input(data.decode()).encode(), self.client_address)


class AsksOnce(socketserver.DatagramRequestHandler):
    """The same, by the standard library's own class for it."""

    def handle(self):
        self.wfile.write(input(self.rfile.read().decode()).encode())


THREADING = [
    (socketserver.ThreadingUDPServer, Asks),
    (socketserver.ThreadingUDPServer, AsksOnce),
    (socketserver.ThreadingUnixDatagramServer, Asks),
    (socketserver.ThreadingUnixDatagramServer, AsksOnce),
]


@pytest.fixture
def peers(tmp_path):
    """Makes clients with an address of their own and a time limit of 5 s, and closes them after the test."""
    with contextlib.ExitStack() as stack:

        def make(server, count):
            found = []
            for number in range(count):
                peer = stack.enter_context(socket.socket(server.base.address_family, socket.SOCK_DGRAM))
                peer.settimeout(5)
                peer.bind(str(tmp_path / f"peer {number}") if peer.family == socket.AF_UNIX else ("127.0.0.1", 0))
                peer.connect(server.address)
                found.append(peer)
            return found

        yield make


@pytest.fixture
def served(serve, tmp_path):
    def make(server_class, handler):
        is_unix = server_class.address_family == socket.AF_UNIX
        return serve(handler, server_class, str(tmp_path / "server") if is_unix else ("127.0.0.1", 0))

    return make


def send_all(server, clients, text):
    """Each sends, and is there before the next: so the numbers of the rows are those of the clients."""
    for number, client in enumerate(clients, 1):
        client.send(f"{text} {number}?".encode())
        server.wait_for_connections(number, 5)
        assert server[number].wait_waiting(5)


@pytest.mark.parametrize(("server_class", "handler"), THREADING)
@pytest.mark.parametrize("order", [(3, 1, 2), (2, 3, 1), (1, 2, 3)], ids=str)
def test_three_questions_pend_and_each_reply_goes_to_the_peer_that_asked(served, peers, server_class, handler, order):
    server = served(server_class, handler)
    clients = peers(server, 3)
    send_all(server, clients, "what of")
    assert [server[n].prompt for n in (1, 2, 3)] == ["what of 1?", "what of 2?", "what of 3?"]
    assert [server[n].peer for n in (1, 2, 3)] == [client.getsockname() for client in clients]
    for number in order:
        server.reply(number, f"for {number}")
        assert clients[number - 1].recv(100) == f"for {number}".encode()
    for client in clients:
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.recv(100)


@pytest.mark.parametrize(("server_class", "handler"), THREADING)
def test_three_questions_of_one_peer_are_one_row_and_answered_in_their_order(
    served, peers, until, server_class, handler
):
    server = served(server_class, handler)
    (client,) = peers(server, 1)
    for number, text in enumerate(["a?", "b?", "c?"], 1):
        client.send(text.encode())
        server.wait_for_connections(1, 5)
        until(lambda number=number: asked(server[1]) == number)
    assert (server.accepted, server[1].prompt, server[1].messages_in) == (1, "a?", 3)
    first = server[1].question.number
    for answer in ("to a", "to b", "to c"):
        server[1].reply(answer)
        assert client.recv(100) == answer.encode()
    until(lambda: server[1].messages_out == 3)
    assert not server[1].is_waiting
    with pytest.raises(AlreadyAnswered):
        server[1].reply("to a again", ask=first)


def asked(connection):
    return [event.kind for event in connection.transcript].count(Kind.ASKED)


def test_a_question_is_answered_by_its_number_with_others_of_its_peer_pending(served, peers, until):
    server = served(socketserver.ThreadingUDPServer, Asks)
    (client,) = peers(server, 1)
    for number, text in enumerate(["a?", "b?", "c?"], 1):
        client.send(text.encode())
        server.wait_for_connections(1, 5)
        until(lambda number=number: asked(server[1]) == number)
    first = server[1].question.number  # one count for all that is asked: the others have the next two
    for later, text in [(2, "to c"), (0, "to a"), (1, "to b")]:
        server[1].reply(text, ask=first + later)
        assert client.recv(100) == text.encode()


def test_a_server_without_threads_serves_one_datagram_after_the_other(served, peers):
    server = served(socketserver.UDPServer, Asks)
    clients = peers(server, 3)
    for number, client in enumerate(clients, 1):
        client.send(f"{number}?".encode())
    for number, client in enumerate(clients, 1):
        server.wait_for_connections(number, 5)
        assert server.accepted == number  # the others wait in the socket
        assert server[number].wait_waiting(5)
        server[number].reply(f"for {number}")
        assert client.recv(100) == f"for {number}".encode()


def test_many_peers_and_many_repliers_in_any_order(served, peers):
    server = served(socketserver.ThreadingUDPServer, Asks)
    clients = peers(server, 30)
    for turn in range(3):
        send_all(server, clients, f"turn {turn},")
        numbers = list(range(1, 31))
        random.Random(turn).shuffle(numbers)
        for number in numbers:
            server.reply(number, f"{turn}: {server[number].prompt}")
        for number, client in enumerate(clients, 1):
            assert client.recv(100) == f"{turn}: turn {turn}, {number}?".encode()
    assert server.accepted == 30
    assert server.observation.errors == 0


@pytest.mark.parametrize(("server_class", "handler"), THREADING[::2])
def test_an_empty_datagram_is_a_message_and_ends_nothing(served, peers, until, server_class, handler):
    server = served(server_class, handler)
    (client,) = peers(server, 1)
    for turn in (1, 2):
        client.send(b"")
        server.wait_for_connections(1, 5)
        assert server[1].wait_waiting(5)
        assert (server[1].prompt, server[1].messages_in, server[1].bytes_in) == ("", turn, 0)
        server[1].reply("")
        assert client.recv(100) == b""
        until(lambda turn=turn: server[1].messages_out == turn)
    kinds = [event.kind for event in server[1].transcript]
    assert kinds == [Kind.OPENED, *[Kind.RECEIVED, Kind.ASKED, Kind.ANSWERED, Kind.SENT] * 2]
    assert server[1].state is ConnectionState.OPEN


def test_a_peer_that_is_hung_up_on_leaves_the_others_their_questions(served, peers):
    server = served(socketserver.ThreadingUDPServer, Asks)
    clients = peers(server, 3)
    send_all(server, clients, "who is")
    server[2].close()
    server[2].wait_closed(5)
    with pytest.raises(ConnectionEnded):
        server.reply(2, "too late")
    for number in (3, 1):
        server.reply(number, f"for {number}")
        assert clients[number - 1].recv(100) == f"for {number}".encode()
    clients[1].send(b"me again?")
    server.wait_for_connections(4, 5)
    assert server[4].peer == clients[1].getsockname() and server[4].wait_waiting(5)
    server.reply(4, "welcome")
    assert clients[1].recv(100) == b"welcome"


def test_stop_ends_every_question_of_every_peer(served, peers):
    server = served(socketserver.ThreadingUDPServer, Asks)
    clients = peers(server, 3)
    for _ in range(2):
        send_all(server, clients, "still there")
    report = server.stop()
    assert (report.ended, report.stragglers) == (3, ())
    assert {row.note for row in server.connections.values()} == {"the server was stopped"}
    assert server.observation.errors == 0


def test_a_reply_to_a_peer_that_has_gone_strikes_nobody_else(served, peers):
    """Linux gives the ICMP message of the one to whoever receives next on the socket that all share."""
    server = served(socketserver.ThreadingUDPServer, Asks)
    gone, stays = peers(server, 2)
    send_all(server, [gone, stays], "who is")
    gone.close()
    server.reply(1, "nobody hears this")
    server.reply(2, "you hear this")
    assert stays.recv(100) == b"you hear this"
    stays.send(b"and again?")
    assert server.journal.wait_for(lambda: server[2].is_waiting, 5)
    server.reply(2, "yes")
    assert stays.recv(100) == b"yes"
    assert not server.observation.trouble and server.observation.errors == 0


class Adds(socketserver.BaseRequestHandler):
    """Receives the second number by itself, on the socket that all share."""

    def handle(self):
        first, sock = self.request
        sock.sendto(b"and?", self.client_address)
        second, address = WAYS[self.server.way](sock)
        sock.sendmsg([b"%d" % (int(first) + int(second))], [], 0, address)


def received_into(sock):
    buffer = bytearray(10)
    size, address = sock.recvfrom_into(buffer)
    return buffer[:size], address


WAYS = {
    "recvfrom": lambda sock: sock.recvfrom(10),
    "recvfrom_into": received_into,
    "recvmsg": lambda sock: sock.recvmsg(10)[::3],
}


@pytest.mark.parametrize("way", WAYS)
def test_what_a_handler_receives_by_itself_is_on_the_row(served, peers, until, way):
    server = served(socketserver.UDPServer, Adds)
    server.base.way = way
    (client,) = peers(server, 1)
    for text, answer in [(b"3", b"and?"), (b"4", b"7")]:
        client.send(text)
        assert client.recv(100) == answer
    until(lambda: server[1].messages_out == 2)
    assert (server.accepted, server[1].messages_in) == (1, 2)
    told = [e.data for e in server[1].transcript if e.kind in (Kind.RECEIVED, Kind.SENT)]
    assert told == [b"3", b"and?", b"4", b"7"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux wakes who receives on a socket without connection")
def test_stop_wakes_a_handler_that_receives_by_itself(served, peers):
    server = served(socketserver.UDPServer, Adds)
    server.base.way = "recvfrom"
    (client,) = peers(server, 1)
    client.send(b"3")
    assert client.recv(100) == b"and?"
    report = server.stop()
    assert report.seconds < 1 and not report.stragglers
