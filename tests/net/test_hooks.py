"""Promise 11: a class observed behaves as the class itself. What the hooks of both are told is compared."""

from __future__ import annotations

import http.server
import socket
import socketserver
import ssl
import threading
import urllib.request

import pytest

from nbserver import net
from nbserver.events import Kind
from nbserver.net import Observed, ObservedSocket, observed_class
from nbserver.states import ConnectionState

HOOKS = [
    "server_bind",
    "server_activate",
    "get_request",
    "verify_request",
    "process_request",
    "process_request_thread",
    "finish_request",
    "shutdown_request",
    "close_request",
    "handle_error",
    "handle_timeout",
    "server_close",
    "shutdown",
    "handle_request",
]
TIMED = ["fileno", "service_actions", "serve_forever"]  # how often, or at which moment, is a matter of time


def shape(value):
    """What an argument or a result is, without what differs from run to run."""
    if isinstance(value, socket.socket):
        return "socket"
    if isinstance(value, tuple):
        return tuple(map(shape, value))
    return "port" if isinstance(value, int) and not isinstance(value, bool) else value


def traced(server_class, trace):
    """A subclass that overrides every hook, tells `trace` and calls the class's own."""

    def override(name):
        def hook(self, *args, **options):
            trace.append((name, shape(args), shape(tuple(options.items()))))
            return getattr(super(cls, self), name)(*args, **options)

        return hook

    names = [name for name in HOOKS + TIMED if hasattr(server_class, name)]
    cls = type("Traced", (server_class,), {name: override(name) for name in names})
    return cls


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        data = self.request[0] if isinstance(self.request, tuple) else self.request.recv(100)
        if data == b"raise":
            raise ValueError("asked for")
        if isinstance(self.request, tuple):
            self.request[1].sendto(data, self.client_address)
        else:
            self.request.sendall(data)


def client_of(server, data):
    with socket.socket(server.address_family, server.socket_type) as client:
        client.settimeout(5)
        client.connect(server.server_address)
        client.send(data)
        return None if data == b"raise" else client.recv(100)


def life(cls, make, trace):
    """The life of one server, with serve_forever() or with handle_request(); what its hooks were told."""

    class Quiet(make(cls, trace)):
        def handle_error(self, request, client_address):
            trace.append(("handle_error", shape((request, client_address)), ()))

        def close_request(self, request):
            super().close_request(request)
            closed.release()

    closed = threading.Semaphore(0)
    server = Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    assert client_of(server, b"hello") == b"hello"
    assert closed.acquire(timeout=5)
    client_of(server, b"raise")
    assert closed.acquire(timeout=5)
    server.shutdown()
    thread.join(5)
    server.server_close()
    for worker in threading.enumerate():
        if worker.name.startswith("Thread-"):
            worker.join(5)


@pytest.mark.parametrize(
    "cls",
    [socketserver.TCPServer, socketserver.ThreadingTCPServer, socketserver.UDPServer, socketserver.ThreadingUDPServer],
)
def test_every_hook_is_called_in_the_same_order_with_the_same_arguments(cls):
    plain, seen = [], []
    life(cls, traced, plain)
    life(cls, lambda cls, trace: observed_class(traced(cls, trace)), seen)
    by_thread = "process_request_thread", "finish_request", "shutdown_request", "close_request", "handle_error"
    for chosen in (lambda name: name not in (*by_thread, *TIMED), lambda name: name in by_thread):
        assert [call for call in seen if chosen(call[0])] == [call for call in plain if chosen(call[0])]
    assert {name for name, *_ in seen} == {name for name, *_ in plain}
    assert plain


@pytest.mark.parametrize("cls", [socketserver.TCPServer, socketserver.UDPServer])
def test_handle_request_and_its_timeout_call_the_same_hooks(cls):
    def once(server_class, trace):
        with server_class(("127.0.0.1", 0), Handler) as server:
            server.timeout = 0.01
            server.handle_request()
            server.timeout = 5
            with socket.socket(server.address_family, server.socket_type) as client:
                client.settimeout(5)
                client.connect(server.server_address)
                client.send(b"x")
                server.handle_request()
                assert client.recv(10) == b"x"
        return trace

    plain, seen = [], []
    once(traced(cls, plain), plain)
    once(observed_class(traced(cls, seen)), seen)
    assert seen == plain
    assert {"handle_timeout", "get_request", "server_close"} <= {name for name, *_ in plain}


def test_a_mixin_in_the_wrong_order_makes_no_threads_here_either():
    class Wrong(socketserver.TCPServer, socketserver.ThreadingMixIn):
        pass

    assert observed_class(Wrong).process_request is socketserver.BaseServer.process_request
    pooled = observed_class(socketserver.ThreadingTCPServer)
    assert pooled.process_request is net.workers.PooledThreads.process_request


def test_the_class_itself_can_be_looked_into():
    """As inspect, pydoc and completion do."""
    cls = net.observed_class(socketserver.ThreadingTCPServer)
    assert all(hasattr(cls, name) for name in dir(cls) if name != "__abstractmethods__")


def test_attributes_that_a_class_sets_are_kept():
    class Own(socketserver.ThreadingTCPServer):
        request_queue_size = 3
        allow_reuse_address = False
        max_packet_size = 10

    observed = observed_class(Own)
    assert (observed.request_queue_size, observed.allow_reuse_address, observed.max_packet_size) == (3, False, 10)
    assert observed.__name__ == "Own"
    assert observed_class(Own) is observed and observed_class(observed) is observed


@pytest.mark.parametrize("wrong", [int, object(), socketserver.BaseRequestHandler])
def test_what_is_no_server_class_is_refused(wrong):
    with pytest.raises(TypeError, match="BaseServer"):
        observed_class(wrong)


def test_get_request_gets_a_plain_socket_and_its_time_limit_is_kept(serve, connect):
    seen = []

    class Limits(socketserver.ThreadingTCPServer):
        def get_request(self):
            request, address = super().get_request()
            seen.append(type(request))
            request.settimeout(3)
            return request, address

    class Looks(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.sendall(str(self.request.gettimeout()).encode())
            self.request.recv(10)

    client = connect(serve(Looks, Limits), 1)
    assert client.recv(10) == b"3.0"
    assert seen == [socket.socket]


def test_a_serve_forever_of_ones_own_is_a_server_that_serves(serve, connect):
    class Own(socketserver.TCPServer):
        def serve_forever(self, poll_interval=0.5):
            self.timeout = 0.01
            while not self.is_enough:
                self.handle_request()

        is_enough = False

    server = serve(net.Echo, Own)
    client = connect(server, 1)
    client.sendall(b"x")
    assert client.recv(10) == b"x"
    server[1].close()
    server.base.is_enough = True
    server.thread.join(5)
    assert server.state.value == "stopped"


def test_a_program_that_calls_handle_request_is_served(connect):
    server = net.Server(socketserver.TCPServer(("127.0.0.1", 0), Asks))
    thread = threading.Thread(target=lambda: (server.base.handle_request(), server.base.server_close()))
    thread.start()
    client = connect(server, 1)
    assert server[1].wait_waiting(5)
    server[1].reply("hi")
    assert client.recv(10) == b"hi"
    thread.join(5)
    assert server.state.value == "stopped"


class Asks(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(input().encode())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1, made once."""
    folder = tmp_path_factory.mktemp("tls")
    (folder / "both.pem").write_text(PEM)
    return folder / "both.pem"


@pytest.mark.parametrize("where", ["get_request", "process_request", "handler"])
def test_a_connection_that_is_wrapped_in_tls_is_one_connection(serve, certificate, where):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    class Wraps(socketserver.ThreadingTCPServer):
        def get_request(self):
            request, address = super().get_request()
            return (wrap(request) if where == "get_request" else request), address

        def process_request(self, request, client_address):
            super().process_request(wrap(request) if where == "process_request" else request, client_address)

    def wrap(request):
        return context.wrap_socket(request, server_side=True, do_handshake_on_connect=False)

    class Asks(socketserver.BaseRequestHandler):
        def handle(self):
            request = wrap(self.request) if where == "handler" else self.request
            request.do_handshake()
            request.sendall(input(request.recv(100).decode()).encode())
            request.close()

    server = serve(Asks, Wraps)
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(server.address, 5) as raw, trusting.wrap_socket(raw) as client:
        client.sendall(b"who?")
        assert server[1].wait_waiting(5)
        assert server[1].prompt == "who?"
        server[1].reply("me")
        assert client.recv(10) == b"me"
    server[1].wait_closed(5)
    assert list(server.connections) == [1]
    assert server[1].state is ConnectionState.CLOSED
    kinds = [event.kind for event in server.journal if event.connection == 1]
    assert kinds == [Kind.OPENED, Kind.ASKED, Kind.ANSWERED, Kind.CLOSED]


def test_http_server(serve):
    class Hello(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"hello")

    server = serve(Hello, http.server.ThreadingHTTPServer)
    for _ in range(3):
        with urllib.request.urlopen(f"http://{server.address_text}/", timeout=5) as answer:
            assert answer.read() == b"hello"
    server.wait_for_connections(3, 5)
    for number in (1, 2, 3):
        server[number].wait_closed(5)
        assert server[number].bytes_out > 5 < server[number].bytes_in
        printed = [e.data for e in server[number].transcript if e.kind is Kind.PRINTED]
        assert b'"GET / HTTP/1.1" 200' in printed[0]  # its log, which goes to stderr elsewhere


def test_a_server_that_was_made_already_is_observed_until_it_stops(connect):
    class Counts(socketserver.ThreadingTCPServer):
        activated = 0

        def server_activate(self):
            self.activated += 1
            super().server_activate()

    base = Counts(("127.0.0.1", 0), net.Echo)
    with net.Server(base) as server:
        assert isinstance(base, Observed) and isinstance(base, Counts)
        assert server.kind == "Counts"
        client = connect(server, 1)
        client.sendall(b"x")
        assert client.recv(10) == b"x"
        assert isinstance(server[1].socket, ObservedSocket)
    assert type(base) is Counts
    assert base.activated == 1


# Made for these tests alone; it protects nothing.
PEM = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgXoCyKBgyLTGqu2Ig
lo4My7PdcNmxuZy2o+TTRX0W0SShRANCAATZkAelPTNJhHCucKcE6kigdjW1ZtiV
WWMmnbmn9LU1KWEsagNTfyZRQ+vpW0wkARPlZNZOK1V1D4LFKRwDQvoI
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBfzCCASWgAwIBAgIUOgPHq7Vvqgpf+yDSQ0/PRS/yQVkwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyMzIzMDgzOFoYDzIxMjYxMDMw
MjMwODM4WjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATZkAelPTNJhHCucKcE6kigdjW1ZtiVWWMmnbmn9LU1KWEsagNTfyZR
Q+vpW0wkARPlZNZOK1V1D4LFKRwDQvoIo1MwUTAdBgNVHQ4EFgQUwDbj/o+C/YnC
S/YRppHPSIBMSVgwHwYDVR0jBBgwFoAUwDbj/o+C/YnCS/YRppHPSIBMSVgwDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAkAhPhdNDTmS3CSIs3N4c
lntPG6WruFEuJtvw4M4V2f8CIHC+ZjrCLCoZtgjwIfQRxE/LPsHaf2m6gZPSk9eG
61Pv
-----END CERTIFICATE-----
"""
