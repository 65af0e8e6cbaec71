"""The fault table (FAULTS.md), UDP: each test is named after its row, and runs on each family it concerns."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import time

import pytest

from nbserver import net
from nbserver.errors import ConnectionEnded, NbserverError
from nbserver.fleet import Client
from nbserver.fleet.client import Target
from nbserver.net import traffic

pytestmark = pytest.mark.usefixtures("survives")
ip = pytest.mark.parametrize("family", ["ipv4", "ipv6"], indirect=True)
every_family = pytest.mark.parametrize("family", ["ipv4", "ipv6", "unix"], indirect=True)
TOO_LONG = {"ipv4": 65_508, "ipv6": 65_528, "unix": 10_000_000}


@every_family
def test_fault_52_datagrams_larger_than_the_buffer_or_empty(serve, connect, family, until):
    class Small(family.of(socketserver.ThreadingUDPServer)):
        max_packet_size = 1000

    class Notes(socketserver.BaseRequestHandler):
        def handle(self):
            sizes.append(len(self.request[0]))

    sizes = []
    server = serve(Notes, Small)
    client = connect(server)
    client.send(b"x" * 20_000)
    until(lambda: sizes == [1000])
    assert "was cut to max_packet_size, 1000 bytes" in server.observation.trouble
    client.send(b"")
    until(lambda: sizes == [1000, 0])
    assert server[1].messages_in == 2
    whole = serve(Notes, socketserver.ThreadingUDPServer)
    connect(whole).send(b"x" * 20_000)
    until(lambda: sizes[-1] == 20_000)
    assert not whole.observation.trouble
    with pytest.raises(NbserverError, match="could not be sent: Message too long"):
        whole[1].send(b"x" * TOO_LONG[family.name])
    assert whole[1].bytes_out == 0


@ip
def test_fault_53_port_unreachable_after_a_reply(serve, connect, family, is_echoed):
    server = serve(net.Echo, socketserver.ThreadingUDPServer)
    for number in range(1, 6):
        with family.client(server) as gone:
            gone.sendto(b"x", server.address)
            server.wait_for_connections(number, 5)
            assert gone.recv(10) == b"x"
        server[number].reply("to nobody")  # for which the system is told "port unreachable"
        assert is_echoed(server) and not server[number].is_over
        server[number].close()
    assert not server.observation.trouble and not server.observation.errors


@ip
def test_fault_53_a_connected_client_is_refused(serve, connect):
    server = serve(net.Echo, socketserver.ThreadingUDPServer)
    client = connect(server)
    ours = Client(1, Target(server.address, server.family, socket.SOCK_DGRAM))
    ours.start()
    client.send(b"x")
    ours.say("y")
    assert (client.recv(10), ours.hear()) == (b"x", "y")
    server.stop()
    client.send(b"anybody?")
    with pytest.raises(ConnectionRefusedError):
        client.recv(10)
    ours.say("anybody?")
    with pytest.raises(ConnectionEnded):
        ours.hear()
    assert b"(Connection refused)" in [event.data for event in ours.transcript]


def test_fault_54_the_table_of_peers_is_bounded(serve):
    server = serve(net.Echo, socketserver.UDPServer, limits=net.Limits(max_connections=5))
    with contextlib.ExitStack() as stack:  # all stay open: a port that is free again may be given to the next
        for number in range(1, 21):
            client = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
            client.sendto(b"x", server.address)
            server.wait_for_connections(number, 5)
    assert len(server.observation.live) == 5
    assert server[1].note.startswith("not heard for longest")


def test_fault_54_a_flood_from_many_addresses(serve, connect, is_echoed):
    server = serve(net.Echo, socketserver.UDPServer, limits=net.Limits(max_connections=50))
    faithful = connect(server, 0)
    for number in range(1, 3001):
        with socket.socket(type=socket.SOCK_DGRAM) as stranger:
            stranger.bind((f"127.1.{number // 250}.{number % 250 + 1}", 0))
            stranger.sendto(b"x" * 500, server.address)
        if number % 40 == 0:  # a friend among them, who keeps his row
            faithful.send(b"still here")
            assert faithful.recv(100) == b"still here"
    assert server.accepted == 3001
    seen = server.observation
    assert len(seen.live) == len(seen._peers) == 50
    assert len(seen.connections) <= 50 + 1000
    assert seen.forgotten[0] + len(seen.connections) == 3001
    assert sum(c.peer == faithful.getsockname() for c in seen.live) == 1
    assert is_echoed(server) and not seen.trouble and not seen.errors


@every_family
def test_fault_54_a_handler_that_writes_nothing_sends_nothing(serve, connect, until):
    class Silent(socketserver.DatagramRequestHandler):
        def handle(self):
            if self.packet == b"speak":
                self.wfile.write(b"spoken")

    server = serve(Silent, socketserver.UDPServer)
    client = connect(server)
    for _ in range(3):
        client.send(b"x")
    client.send(b"speak")
    assert client.recv(100) == b"spoken"
    until(lambda: (server[1].messages_in, server[1].messages_out) == (4, 1))


def test_fault_51_who_was_not_heard_for_longest_is_no_question_of_the_wall_clock(serve, family, monkeypatch):
    wall, server = time.time, serve(net.Echo, socketserver.UDPServer, limits=net.Limits(max_connections=2))

    def say_hello(number):
        with family.client(server) as client:
            client.sendto(b"x", server.address)
            assert client.recv(10) == b"x"
        assert server.accepted == number

    say_hello(1)
    say_hello(2)
    monkeypatch.setattr(time, "time", lambda: wall() - 3600)
    monkeypatch.setattr(traffic, "_time", lambda: wall() - 3600)
    say_hello(3)
    assert server[1].is_over
    say_hello(4)
    assert server[2].is_over and not server[3].is_over
