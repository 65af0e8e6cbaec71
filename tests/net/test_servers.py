"""Every server class of the standard library: served, exchanged with, counted, written down, stopped."""

from __future__ import annotations

import os
import socket
import socketserver

import pytest

from nbserver import net
from nbserver.errors import AddressError, NbserverError, NotHeard, UsageError
from nbserver.events import Kind
from nbserver.states import ServerState


class V6(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6


class V6Datagrams(socketserver.ThreadingUDPServer):
    address_family = socket.AF_INET6


STREAMS = [
    (socketserver.TCPServer, "127.0.0.1"),
    (socketserver.ThreadingTCPServer, "127.0.0.1"),
    (socketserver.ThreadingTCPServer, "::1"),
    (V6, "::1"),
    (socketserver.UnixStreamServer, "unix"),
    (socketserver.ThreadingUnixStreamServer, "unix"),
]
DATAGRAMS = [
    (socketserver.UDPServer, "127.0.0.1"),
    (socketserver.ThreadingUDPServer, "127.0.0.1"),
    (V6Datagrams, "::1"),
    (socketserver.UnixDatagramServer, "unix"),
    (socketserver.ThreadingUnixDatagramServer, "unix"),
]


class Greets(socketserver.BaseRequestHandler):
    """Answers each message with what a person types."""

    def handle(self):
        if isinstance(self.request, tuple):
            data, sock = self.request
            print("heard", data.decode())
            sock.sendto(input("reply> ").encode(), self.client_address)
            return
        while data := self.request.recv(100):
            print("heard", data.decode())
            self.request.sendall(input("reply> ").encode())


def address(host, folder):
    return str(folder / "server.sock") if host == "unix" else (host, 0)


def bound(client, server, folder):
    """A Unix datagram client has an address only if it takes one."""
    if server.is_datagram and client.family == socket.AF_UNIX:
        client.bind(str(folder / "client.sock"))
    client.connect(server.address)
    return client


@pytest.mark.parametrize(("server_class", "host"), STREAMS + DATAGRAMS)
def test_exchange_counters_transcript_and_stop(serve, until, tmp_path, server_class, host):
    server = serve(Greets, server_class, address(host, tmp_path))
    assert server.state is ServerState.SERVING
    with socket.socket(server.base.address_family, server.base.socket_type) as client:
        client.settimeout(5)
        bound(client, server, tmp_path)
        for turn in ("one", "three"):
            client.send(turn.encode())
            server.wait_for_connections(1, 5)
            assert server[1].wait_waiting(5)
            server.reply(1, f"{turn}!")
            assert client.recv(100) == f"{turn}!".encode()
            reply = f"{turn}!".encode()
            until(lambda reply=reply: server[1].preview == reply)  # heard before send() has returned here
        connection = server[1]
        assert (connection.messages_in, connection.messages_out) == (2, 2)
        assert (connection.bytes_in, connection.bytes_out) == (8, 10)
        assert connection.preview == b"three!"
        assert [(e.kind, e.data) for e in connection.transcript][1:6] == [
            (Kind.RECEIVED, b"one"),
            (Kind.PRINTED, b"heard one"),
            (Kind.ASKED, b"reply> "),
            (Kind.ANSWERED, b"one!"),
            (Kind.SENT, b"one!"),
        ]
        report = server.stop()
        assert (report.ended, report.stragglers) == (1, ())
        assert not connection.is_waiting and connection.is_over
        assert connection.note == "the server was stopped"
    assert server.state is ServerState.STOPPED
    assert server.base.fileno() == -1
    assert os.listdir(tmp_path) in ([], ["client.sock"])


@pytest.mark.parametrize(("server_class", "host"), DATAGRAMS)
def test_datagrams_past_the_handler(serve, tmp_path, server_class, host):
    server = serve(net.Echo, server_class, address(host, tmp_path))
    with socket.socket(server.base.address_family, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        bound(client, server, tmp_path)
        client.send(b"x")
        assert client.recv(10) == b"x"
        server[1].reply("unasked")
        assert client.recv(10) == b"unasked"
        server[1].close()
        server[1].wait_closed(5)
        client.send(b"again")  # heard again, it is a new row
        server.wait_for_connections(2, 5)
        assert client.recv(10) == b"again"


def test_a_unix_datagram_client_without_an_address_has_a_row(serve, tmp_path):
    class Takes(socketserver.BaseRequestHandler):
        def handle(self):
            pass

    server = serve(Takes, socketserver.UnixDatagramServer, str(tmp_path / "s"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.sendto(b"x", server.address)
        server.wait_for_connections(1, 5)
    assert "(unnamed)" in repr(server[1])
    with pytest.raises(NbserverError, match="could not be sent"):
        server[1].send(b"y")


def test_the_path_of_another_server_is_left_alone(serve, tmp_path):
    path = tmp_path / "s"
    first = serve(net.Echo, socketserver.UnixStreamServer, str(path))
    path.unlink()
    second = serve(net.Echo, socketserver.UnixStreamServer, str(path))
    first.stop()
    assert path.exists()
    second.stop()
    assert not path.exists()


def test_the_path_is_taken_away_after_a_change_of_folder(serve, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    server = serve(net.Echo, socketserver.UnixStreamServer, "relative")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    server.stop()
    assert not (tmp_path / "relative").exists()


def test_servers_are_registered_while_they_serve(serve):
    first, second = serve(), serve()
    assert net.servers() == [first, second]
    assert net.at_port(second.address[1]) is second
    first.stop()
    assert net.servers() == [second]
    assert [type(report) for report in net.stop_all()] == [net.StopReport]
    assert net.servers() == []


def test_broadcast_reaches_all_and_says_who_missed_it(serve, connect, until):
    class Floods(socketserver.BaseRequestHandler):
        def handle(self):
            if self.request.recv(1) == b"f":
                self.request.sendall(b"x" * 50_000_000)
            self.request.recv(1)

    server = serve(Floods)
    clients = [connect(server, number) for number in (1, 2, 3)]
    clients[1].sendall(b"f")
    until(lambda: server[2].status == "sending")
    missed = server.broadcast("hello")
    assert list(missed) == [2] and "sending" in missed[2]
    assert clients[0].recv(10) == clients[2].recv(10) == b"hello"


def test_broadcast_to_some_reaches_them_alone(serve, connect):
    server = serve()
    clients = [connect(server, number) for number in (1, 2, 3)]
    server[3].close()
    server[3].wait_closed(5)
    missed = server.broadcast("for one and three", to=[3, 1, 1, 9])
    assert list(missed) == [3, 9] and "closed by you" in missed[3] and "no connection #9" in missed[9]
    assert server.broadcast("for all") == {}
    assert clients[0].recv(17) == b"for one and three"
    assert clients[1].recv(100) == b"for all", "and nothing before"


def test_what_cannot_be_had_is_refused_in_a_sentence(serve):
    for wrong in (3, int, object()):
        with pytest.raises(UsageError, match="handle"):
            net.listen(wrong)
    with pytest.raises(UsageError, match="socketserver"):
        net.listen(net.Echo, server_class=int)
    with pytest.raises(UsageError, match="fork"):
        net.listen(net.Echo, server_class=socketserver.ForkingTCPServer)
    with pytest.raises(UsageError, match="not int"):
        net.Server(3)
    server = serve()
    with pytest.raises(UsageError, match="started once"):
        server.start()
    with pytest.raises(UsageError, match="no connection #7"):
        server[7]
    with pytest.raises(NotHeard, match="0 of 1"):
        server.wait_for_connections(1, 0.01)


@pytest.mark.parametrize("host", ["256.1.1.1", "no such host", "a..b", "203.0.113.1"])
def test_an_address_that_is_not_ours(host):
    with pytest.raises(AddressError, match="cannot be bound"):
        net.listen(net.Echo, (host, 0))


@pytest.mark.parametrize("port", [70_000, -1])
def test_a_port_that_is_none(port):
    with pytest.raises(AddressError, match="0 to 65535"):
        net.listen(net.Echo, ("127.0.0.1", port))


def test_chat_room(serve, connect):
    server = serve(net.ChatRoom)
    clients = [connect(server, number) for number in (1, 2, 3)]
    assert server.journal.wait_for(lambda: len(getattr(server.base, "nbserver_chat_room", ())) == 3, 5)
    clients[0].sendall(b"hi all")
    assert clients[1].recv(100) == clients[2].recv(100) == b"#1: hi all"
    clients[1].sendall(b"hi you")
    assert clients[0].recv(100) == clients[2].recv(100) == b"#2: hi you"


def test_the_conversation_sends_what_is_typed_and_nothing_for_an_empty_line(serve, connect):
    server = serve()
    client = connect(server, 1)
    client.sendall("你好".encode()[:4])  # the second character is cut in two
    assert server[1].wait_waiting(5)
    first = server[1].question.number
    server[1].reply("")
    client.sendall("你好".encode()[4:])
    assert server.journal.wait_for(lambda: server[1].is_waiting and server[1].question.number > first, 5)
    server[1].reply("half a pair: \ud83d")
    assert client.recv(100) == b"half a pair: ?"


def test_a_script_waits_until_its_server_has_been_stopped(serve):
    server = serve(net.Echo)
    with pytest.raises(NotHeard, match="has not been stopped within 0.05 s"):
        server.wait_stopped(0.05)
    server.stop()
    server.wait_stopped(5)
