"""What self holds in a handler, read from outside: TCP and UDP, while it serves and after it has ended."""

from __future__ import annotations

import socket
import socketserver
import threading

import pytest

from nbserver import net
from nbserver.net import inspector

pytestmark = pytest.mark.usefixtures("nothing_left")


class Held:
    """Lets handlers wait until a test has looked at them."""

    def __init__(self) -> None:
        self.is_reached, self.may_go = threading.Event(), threading.Event()

    def here(self) -> None:
        self.is_reached.set()
        assert self.may_go.wait(10)


@pytest.fixture
def held():
    held = Held()
    yield held
    held.may_go.set()


@pytest.fixture
def start():
    servers: list[net.Server] = []

    def start(handler, server_class=socketserver.ThreadingTCPServer):
        servers.append(net.listen(handler, ("127.0.0.1", 0), server_class).start())
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def datagram():
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        yield sock


def what(inspection):
    return [(one.name, one.type, one.what) for one in inspection.attributes]


def test_a_tcp_handler_holds_the_server_a_socket_an_address_and_its_own(start, held):
    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.nick = "alice"
            self.line = self.rfile.readline()
            held.here()

    server = start(Handler)
    with socket.create_connection(server.address) as client:
        client.sendall(b"hello\n")
        assert held.is_reached.wait(5)
        seen = server[1].inspect()
        assert what(seen) == [
            ("self.server", "ThreadingTCPServer", "server"),
            ("self.request", "socket", "socket"),
            ("self.client_address", "tuple", "address"),
            ("self.connection", "socket", "same"),
            ("self.rfile", "BufferedReader", "reads"),
            ("self.wfile", "_SocketWriter", "writes"),
            ("self.nick", "str", ""),
            ("self.line", "bytes", ""),
        ]
        here, there = server.address_text, f"127.0.0.1:{client.getsockname()[1]}"
        assert seen["self.request"].value.endswith(f", {here} <- {there}")
        assert seen["self.client_address"].value == repr(client.getsockname())
        assert seen["self.line"].value == r"b'hello\n'" and seen["self.nick"].value == "'alice'"
        assert (seen.state, seen.handler) == ("serving", "Handler")
        assert f"self in Handler of connection #1 (TCP, {here})" in str(seen)
        held.may_go.set()
        server[1].wait_closed(5)
    ended = server[1].inspect()
    assert ended.state == "ended" and "has ended" in str(ended)
    assert ended["self.request"].value.startswith("closed")


def test_a_udp_handler_holds_a_pair_and_one_that_has_ended_shows_what_it_was_given(start, datagram, until):
    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            data, sock = self.request
            sock.sendto(data.upper(), self.client_address)

    server = start(Handler, socketserver.UDPServer)
    datagram.sendto(b"hello", server.address)
    assert datagram.recv(100) == b"HELLO"
    until(lambda: server[1].handler is None)
    seen = server[1].inspect()
    assert what(seen) == [
        ("self.server", "UDPServer", "server"),
        ("self.request", "tuple", "pair"),
        ("self.request[0]", "bytes", "data"),
        ("self.request[1]", "socket", "one"),
        ("self.client_address", "tuple", "address"),
    ]
    assert seen["self.request"].value == "(b'hello', <socket object>)"
    assert seen["self.request[1]"].value.endswith(f", {server.address_text}")
    assert (seen.state, seen.replies, seen.trap) == ("ended", 1, "")


def test_a_datagram_handler_holds_files_in_memory(start, held, datagram):
    class Handler(socketserver.DatagramRequestHandler):
        def handle(self):
            held.here()

    server = start(Handler, socketserver.ThreadingUDPServer)
    datagram.sendto(b"hello", server.address)
    assert held.is_reached.wait(5)
    seen = server[1].inspect()
    assert seen["self.packet"].value == "is self.request[0]" and seen["self.socket"].value == "is self.request[1]"
    assert seen["self.rfile"][1:] == ("BytesIO", "<BytesIO object>", "memory")
    assert seen.state == "serving"


def test_who_takes_the_pair_for_a_socket_is_told(start, datagram):
    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.sendall(b"hello")

    server = start(Handler, socketserver.UDPServer)
    datagram.sendto(b"hello", server.address)
    server.wait_for_connections(1, timeout=5)
    assert server.journal.wait_for(lambda: server[1].note != "", 5)
    assert server[1].inspect().trap == "AttributeError: 'tuple' object has no attribute 'sendall'"


def test_a_hostile_handler_runs_none_of_its_code(start, held):
    ran: list[str] = []

    class Handler(socketserver.BaseRequestHandler):
        is_ready = False

        def handle(self):
            self.me, self.table = self, {n: n for n in range(1000)}
            Handler.is_ready = True
            held.is_reached.set()
            n = 1000
            while not held.may_go.is_set():  # another thread reads it meanwhile
                n += 1
                self.table[n] = n
                del self.table[n - 900]

        def __getattribute__(self, name):
            if Handler.is_ready and not threading.current_thread().name.startswith("nbserver"):
                ran.append(name)
            return super().__getattribute__(name)

        def __repr__(self):
            ran.append("__repr__")
            return ""

        @property
        def trap(self):
            ran.append("trap")

    server = start(Handler)
    with socket.create_connection(server.address):
        assert held.is_reached.wait(5)
        for _ in range(200):
            seen = server[1].inspect()
            assert seen["self.me"].value == "<Handler object>"
            assert seen["self.table"].value.startswith("{")
        held.may_go.set()
    assert ran == []


def test_a_handler_that_cannot_be_seen_shows_what_it_was_given(start, held):
    def handler(request, client_address, server):
        held.here()

    server = start(handler)
    with socket.create_connection(server.address) as client:
        assert held.is_reached.wait(5)
        seen = server[1].inspect()
        assert (seen.state, seen.handler) == ("unseen", "<function handler>")
        assert seen["self.client_address"].value == repr(client.getsockname())
        held.may_go.set()


def test_both_kinds_are_looked_at_side_by_side(start, datagram):
    tcp, udp = start(net.Echo), start(net.Echo, socketserver.ThreadingUDPServer)
    assert inspector.look(tcp, 0) is None
    datagram.sendto(b"x", udp.address)
    assert datagram.recv(10) == b"x"
    with socket.create_connection(tcp.address):
        tcp.wait_for_connections(1, timeout=5)
        seen = inspector.look(tcp, 1)
        assert (seen["own"], seen["stream"]["number"], seen["stream"]["server"]) == ("stream", 1, tcp.address_text)
        assert (seen["datagram"]["is_datagram"], seen["datagram"]["server"]) == (True, udp.address_text)
        assert inspector.look(udp, 0)["own"] == "datagram"
        assert inspector.look(tcp, 99)["stream"] is None
