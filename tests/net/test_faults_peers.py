"""The fault table (FAULTS.md), peer misbehaviour: each test is named after its row, and runs on each family."""

from __future__ import annotations

import random
import socket
import socketserver
import struct
import sys
import threading
import time

import pytest

from nbserver import net
from nbserver.errors import ConnectionEnded, NotReading
from nbserver.events import Kind
from nbserver.states import ConnectionState
from nbserver.text import Decoder, safe_text

pytestmark = [
    pytest.mark.usefixtures("survives"),
    pytest.mark.parametrize("family", ["ipv4", "ipv6", "unix"], indirect=True),
]


def reset(client):
    """Close so that the server gets RST. (A Unix socket breaks off so if there is something that it has not read.)"""
    if client.family != socket.AF_UNIX:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def printed(connection):
    return [e.data for e in connection.transcript if e.kind is Kind.PRINTED]


@pytest.fixture
def echo(serve):
    return serve(net.Echo)


class Asks(socketserver.BaseRequestHandler):
    def handle(self):
        while self.request.recv(100):
            self.request.sendall(input("> ").encode())


class Floods(socketserver.BaseRequestHandler):
    def handle(self):
        while True:
            self.request.sendall(b"x" * 300_000)


class Lines(socketserver.StreamRequestHandler):
    """Keeps the lines that it reads in `heard`."""

    heard: list[bytes]

    def handle(self):
        self.heard += self.rfile


def test_fault_01_reset_before_accept(echo, connect, is_echoed):
    for _ in range(20):
        reset(connect(echo))
    assert is_echoed(echo)
    echo.wait_for_connections(1, 5)
    assert echo.observation.errors == 0 and not echo.observation.trouble


def test_fault_02_reset_while_receiving(echo, connect, until):
    client = connect(echo, 1)
    client.sendall(b"x")  # its echo is never read
    until(lambda: echo[1].messages_out == 1 and echo[1].status == "receiving")
    reset(client)
    echo[1].wait_closed(5)
    assert echo[1].state is ConnectionState.RESET
    assert echo[1].note == "the peer vanished while waiting for it (ConnectionResetError)"
    assert echo.observation.errors == 0
    assert Kind.ERROR not in [e.kind for e in echo[1].transcript]


def test_fault_03_reset_while_sending(serve, connect, until):
    server = serve(Floods)
    client = connect(server, 1)
    assert len(client.makefile("rb").read(900_000)) == 900_000
    until(lambda: server[1].messages_out > 2 and server[1].status == "sending")
    reset(client)
    server[1].wait_closed(5)
    assert server[1].state is ConnectionState.RESET
    assert "vanished while sending" in server[1].note
    assert server[1].bytes_out == server[1].messages_out * 300_000 > 0


def test_fault_04_300_resets_in_a_row(echo, connect, is_echoed):
    for _ in range(300):
        reset(connect(echo))
    assert is_echoed(echo)
    assert echo.journal.wait_for(lambda: not echo.observation.live, 5)
    assert len(threading.enumerate()) < 320
    assert {c.state for c in echo.connections.values()} <= {ConnectionState.RESET, ConnectionState.CLOSED}


def test_fault_05_half_close(serve, connect, until, monkeypatch):
    server = serve(Asks)
    client = connect(server, 1)
    look, looks = net.Connection.peer_hung_up, []
    monkeypatch.setattr(net.Connection, "peer_hung_up", lambda connection: looks.append(1) or look(connection))
    client.sendall(b"one")
    client.shutdown(socket.SHUT_WR)
    assert server.journal.wait_for(lambda: server[1].is_waiting and server[1].state is ConnectionState.HALF_CLOSED, 5)
    assert server[1].status == "waiting"
    until(lambda: len(looks) > 2)  # the watch looks again and again, and must find that the client still reads
    server[1].reply("still heard")
    assert client.recv(100) == b"still heard"
    assert client.recv(100) == b""
    server[1].wait_closed(5)
    assert [e.kind for e in server[1].transcript].count(Kind.EOF) == 1
    assert (server[1].state, server[1].note) == (ConnectionState.CLOSED, "the client closed")


@pytest.mark.parametrize("first", ["client", "server"])
def test_fault_06_double_half_close(serve, connect, first):
    ready = threading.Event()

    class Closes(socketserver.BaseRequestHandler):
        def handle(self):
            if first == "server":
                self.request.shutdown(socket.SHUT_WR)
                ready.set()
            while self.request.recv(100):
                pass

    server = serve(Closes)
    client = connect(server, 1)
    if first == "server":
        assert ready.wait(5)
        assert client.recv(1) == b""
    client.shutdown(socket.SHUT_WR)
    assert client.recv(1) == b""
    server[1].wait_closed(5)
    assert (server[1].state, server[1].note) == (ConnectionState.CLOSED, "the client closed")
    assert server.observation.errors == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a closed peer from a half-closed one")
@pytest.mark.parametrize("leave", [socket.socket.close, reset])
def test_fault_07_client_leaves_while_the_user_is_typing(serve, connect, leave):
    server = serve(Asks)
    client = connect(server, 1)
    client.sendall(b"one")
    assert server[1].wait_waiting(5)
    if leave is reset:
        server[1].send(b"never read")
    leave(client)
    server[1].wait_closed(5)
    assert not server[1].is_waiting
    assert server[1].state is (ConnectionState.RESET if leave is reset else ConnectionState.CLOSED)
    with pytest.raises(ConnectionEnded, match="connection 1 has ended"):
        server[1].reply("too late")
    with pytest.raises(ConnectionEnded):
        server.reply(1, "too late", ask=1)
    assert server.observation.errors == 0


def test_fault_08_slow_reader(echo, connect, is_echoed):
    slow = connect(echo, 1)
    with pytest.raises(NotReading, match=r"connection 1 does not read: \d+ of 50000000 bytes were sent"):
        echo[1].send(b"x" * 50_000_000, timeout=0.1)
    sent = echo[1].bytes_out
    assert sent > 0
    began = time.monotonic()
    with pytest.raises(NotReading):
        echo[1].reply("more", timeout=0.2)
    assert 0.2 <= time.monotonic() - began < 1
    assert is_echoed(echo)  # nobody else is held up
    heard = 0
    while heard < sent:
        heard += len(slow.recv(1_000_000))
    echo[1].reply("now it reads")
    assert slow.recv(100) == b"now it reads"


def test_fault_08_a_handler_with_a_time_limit_of_its_own_does_not_hold_up_a_reply(serve, connect):
    class Limits(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.settimeout(30)
            self.request.recv(1)

    server = serve(Limits)
    connect(server, 1)
    assert server.journal.wait_for(lambda: server[1].state is ConnectionState.OPEN, 5)
    began = time.monotonic()
    with pytest.raises(NotReading):
        server[1].send(b"x" * 50_000_000, timeout=0.2)
    assert time.monotonic() - began < 2


GARBAGE = [bytes(range(256)) * 4, b"\0" * 1000, random.Random(1).randbytes(65_536)]


@pytest.mark.parametrize("data", GARBAGE, ids=["all", "nuls", "random"])
def test_fault_11_garbage(serve, connect, data):
    server = serve()
    client = connect(server, 1)
    client.sendall(data)
    assert server[1].wait_waiting(5)
    assert safe_text(server[1].preview).isprintable()
    while server[1].bytes_in < len(data):
        assert server[1].wait_waiting(5)
        server[1].reply("")
    assert server.observation.errors == 0
    client.close()


@pytest.mark.parametrize("data", [b"\xc0\xaf", b"\xed\xa0\x80", b"\xff", b"\xf0\x9f", "é".encode("latin-1")])
def test_fault_12_invalid_utf_8(serve, connect, data):
    class Shows(socketserver.BaseRequestHandler):
        def handle(self):
            decoder = Decoder()
            while data := self.request.recv(100):
                print(decoder.feed(data))
                input()

    server = serve(Shows)
    client = connect(server, 1)
    for byte in data + b" end":
        client.sendall(bytes([byte]))
        assert server.journal.wait_for(lambda: server[1].is_waiting, 5)
        server[1].reply("")
    assert server.journal.wait_for(lambda: b"".join(printed(server[1])).endswith(b" end"), 5)
    assert server.observation.errors == 0


def test_fault_15_every_byte_in_its_own_segment_and_all_in_one_write(serve, connect, piecemeal):
    lines = [b"line %d \xe4\xbd\xa0\r\n" % number for number in range(20)]
    whole = [b"%d\n" % number for number in range(160_000)]
    server = serve(type("Keeps", (Lines,), {"heard": []}))
    dripping = connect(server, 1)
    piecemeal(server[1], dripping, [bytes([byte]) for byte in b"".join(lines)])
    dripping.close()
    server[1].wait_closed(5)
    assert server[1].messages_in == server[1].bytes_in == len(b"".join(lines))
    assert server.base.RequestHandlerClass.heard == lines
    server.base.RequestHandlerClass.heard.clear()
    at_once = connect(server, 2)
    at_once.sendall(b"".join(whole))
    at_once.close()
    server[2].wait_closed(5)
    assert server.base.RequestHandlerClass.heard == whole
    assert server[2].bytes_in == len(b"".join(whole)) > 1_000_000


CLIENT_HELLO = bytes.fromhex("1603010200010001fc0303") + random.Random(2).randbytes(506)
GREETINGS = {
    "web": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n\r\n",
    "proxy": b"CONNECT example.invalid:443 HTTP/1.0\r\n\r\n",
    "http2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\4\0\0\0\0\0",
    "tls": CLIENT_HELLO,
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n" + b"\0\0\5\xdc\6\x14" + bytes(1500),
    "smb": b"\0\0\0\x2f\xffSMBr\0\0\0\0\x18\1\x28" + bytes(35),
    "remote desktop": bytes.fromhex("030000130ee000000000000100080003000000"),
    "telnet": b"\xff\xfd\x18\xff\xfd\x20\xff\xfb\x1f",
}


@pytest.mark.parametrize(
    "handler", [None, net.Echo, net.ChatRoom, Lines], ids=["conversation", "echo", "chat", "lines"]
)
def test_fault_16_a_greeting_of_another_protocol_breaks_nothing(serve, connect, until, handler):
    server = serve(handler if handler is not Lines else type("Keeps", (Lines,), {"heard": []}))
    for number, greeting in enumerate(GREETINGS.values(), 1):
        client = connect(server, number)
        client.sendall(greeting)
        connection = server[number]
        until(lambda c=connection, greeting=greeting: c.bytes_in == len(greeting) or c.is_over)
        client.close()
        connection.wait_closed(5)
        assert connection.bytes_in > 0 and safe_text(connection.preview).isprintable()
    # An echo that its client has not read makes a reset of its end.
    assert {c.state for c in server.connections.values()} <= {ConnectionState.CLOSED, ConnectionState.RESET}
    assert server.observation.errors == 0 and not server.observation.trouble


def test_fault_20_beyond_max_connections(serve, connect):
    server = serve(net.Echo, limits=net.Limits(max_connections=3))
    clients = [connect(server) for _ in range(5)]
    server.wait_for_connections(3, 5)
    assert not server.observation.has_room
    clients[4].sendall(b"x")
    assert len(server.observation.live) == 3
    clients[0].close()
    clients[1].close()
    assert clients[4].recv(1) == b"x"
    assert len(server.connections) == 5
    clients[2].close()
    clients[3].close()
    assert server.journal.wait_for(lambda: len(server.observation.live) == 1, 5)
