"""TLS: the handshake in the client's own thread, seen; the plain text, seen; a client that never shakes hands."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import threading
import time

import pytest

from nbserver import net
from nbserver.errors import NbserverError, NotReading, UsageError
from nbserver.events import Kind
from nbserver.net.tls import flight_of
from nbserver.states import ConnectionState


@pytest.fixture(scope="module")
def certificate():
    return net.throwaway_certificate()


class Upper(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line.upper())


@pytest.fixture
def secure(serve, certificate):
    def make(handler=Upper, server_class=socketserver.ThreadingTCPServer, **limits):
        access = net.Access(tls=certificate)
        return serve(handler, server_class, limits=net.Limits(**limits), access=access)

    return make


@pytest.fixture
def shake(certificate):
    """Makes clients that shake hands, and closes them after the test."""
    with contextlib.ExitStack() as stack:

        def make(server, context=None):
            plain = socket.create_connection(server.address, 5)
            context = context or certificate.client
            return stack.enter_context(context.wrap_socket(plain, server_hostname="localhost"))

        yield make


def is_answered(client):
    client.sendall(b"hello\n")
    return client.recv(100) == b"HELLO\n"


def lines(connection, kind):
    return [event.data for event in connection.transcript if event.kind is kind]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_handshake_and_the_plain_text_are_in_the_journal(secure, shake, certificate, until, version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=certificate.authority.decode())
    context.maximum_version = context.minimum_version = version
    server = secure()
    client = shake(server, context)
    assert is_answered(client)
    noticed = b"\n".join(lines(server[1], Kind.NOTICE)).decode()
    assert noticed.startswith("TLS from the client: ClientHello (")
    assert "TLS to the client: ServerHello, " in noticed
    assert "TLS handshake done in " in noticed and f"ms: {client.version()}, {client.cipher()[0]}" in noticed
    until(lambda: lines(server[1], Kind.SENT) == [b"HELLO\n"])  # heard before sendall() has returned
    assert lines(server[1], Kind.RECEIVED) == [b"hello\n"]
    assert (server[1].bytes_in, server[1].bytes_out) == (6, 6)
    assert not server[1].speaks, "what is spoken inside TLS is not TLS"


def test_fault_17_a_client_that_never_shakes_hands_stops_nobody(secure, shake, connect):
    server = secure(handshake_seconds=0.5)
    silent = [connect(server, number) for number in range(1, 11)]
    began = time.monotonic()
    assert is_answered(shake(server))
    assert time.monotonic() - began < 0.5, "it had to wait for the silent ones"
    assert {client.recv(1) for client in silent} == {b""}
    for number in range(1, 11):
        server[number].wait_closed(5)
        assert server[number].note == "no TLS handshake: it took too long"


def test_fault_17_a_handshake_that_drips_has_one_deadline(secure, connect):
    server = secure(handshake_seconds=0.4)
    client = connect(server, 1)
    began = time.monotonic()
    with contextlib.suppress(OSError):
        while not server[1].is_over:
            client.send(b"\x16\x03\x01\x02\x00"[:1])
            assert time.monotonic() - began < 4
            server.journal.wait_for(lambda: server[1].is_over, 0.05)
    server[1].wait_closed(5)
    assert server[1].note.startswith("no TLS handshake: ")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "it speaks plain HTTP, not TLS"),
        (b"text, and no TLS", "it does not speak TLS"),
    ],
)
def test_fault_18_plain_text_to_a_tls_server(secure, shake, connect, data, words):
    server = secure()
    client = connect(server, 1)
    client.sendall(data)
    client.recv(100)
    server[1].wait_closed(5)
    assert server[1].note == f"no TLS handshake: {words}"
    assert server[1].state is ConnectionState.CLOSED and server.observation.errors == 0
    assert is_answered(shake(server))


def test_fault_18_a_client_that_does_not_trust_the_certificate(secure, shake):
    server = secure()
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(server, ssl.create_default_context())
    server.wait_for_connections(1, 5)
    server[1].wait_closed(5)
    assert server[1].note == "no TLS handshake: it does not trust the certificate"
    assert is_answered(shake(server))


@pytest.mark.parametrize("when", ["before", "after"])
def test_fault_18_an_abrupt_close(secure, shake, connect, when):
    server = secure()
    client = connect(server, 1) if when == "before" else shake(server)
    if when == "after":
        assert is_answered(client)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    server[1].wait_closed(5)
    assert server.observation.errors == 0
    assert (server[1].note == "no TLS handshake: the client left") is (when == "before")
    assert is_answered(shake(server))


def test_the_end_is_told_with_close_notify(secure, certificate):
    class Once(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.sendall(b"bye")

    server = secure(Once)
    plain = socket.create_connection(server.address, 5)
    with certificate.client.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False) as client:
        assert client.recv(10) == b"bye"
        assert client.recv(10) == b"", "an end without close notify would be an error here"


def test_a_reply_past_a_handler_that_waits_in_recv(secure, shake, until):
    server = secure()
    client = shake(server)
    assert is_answered(client)
    until(lambda: server[1].status == "receiving")
    server[1].reply("a word in between")
    assert client.recv(100) == b"a word in between"
    assert is_answered(client)


def test_what_is_sent_past_a_handler_that_sends_does_not_mix(secure, shake):
    class Counts(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(1)
            for _ in range(300):
                self.request.sendall(b"." * 20_000)

    server = secure(Counts)
    client = shake(server)
    client.sendall(b"x")
    sent = 0

    def reply():
        nonlocal sent
        while not server[1].is_over:
            with contextlib.suppress(NbserverError):  # the handler is sending, or has ended
                server[1].send(b"!" * 20_000, timeout=0.05)
                sent += 1

    replier = threading.Thread(target=reply)
    replier.start()
    heard = b"".join(iter(lambda: client.recv(1_000_000), b""))
    replier.join(10)
    assert heard.count(b".") == 300 * 20_000
    assert heard.count(b"!") >= sent * 20_000


def test_a_slow_reader_is_told_and_reads_all_later(secure, shake):
    server = secure()
    client = shake(server)
    assert is_answered(client)
    with pytest.raises(NotReading):
        server[1].send(b"x" * 20_000_000, timeout=0.2)
    taken = server[1].bytes_out - 6
    heard = 0
    while heard < taken:
        heard += len(client.recv(1_000_000))
    assert heard == taken
    assert is_answered(client)


def test_a_handler_finds_what_it_expects_of_a_tls_socket(secure, shake):
    class Tells(socketserver.BaseRequestHandler):
        def handle(self):
            buffer = bytearray(10)
            size = self.request.recv_into(buffer)
            with pytest.raises(NotImplementedError):
                self.request.recvmsg(10)
            self.request.settimeout(0.1)
            with pytest.raises(TimeoutError):
                self.request.recv(10)
            told = (bytes(buffer[:size]), self.request.version(), self.request.cipher()[0], self.request.getpeercert())
            self.request.sendall(repr(told).encode())

    server = secure(Tells)
    client = shake(server)
    client.sendall(b"hi")
    assert client.recv(1000).decode() == repr((b"hi", client.version(), client.cipher()[0], None))
    server[1].wait_closed(5)
    assert server.observation.errors == 0


def test_https_with_http_server(secure, certificate):
    class Pages(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b"x" * 100_000)

        def log_message(self, *args):
            pass

    server = secure(Pages, http.server.ThreadingHTTPServer)
    connection = http.client.HTTPSConnection(*server.address, context=certificate.client, timeout=5)
    for _ in range(2):  # one connection is kept alive
        connection.request("GET", "/")
        assert len(connection.getresponse().read()) == 100_000
    assert len(server.connections) == 1 and server[1].speaks == "HTTP"
    connection.close()


def test_stop_wakes_handshakes_and_handlers(secure, shake, connect):
    server = secure(handshake_seconds=60)
    client = shake(server)
    assert is_answered(client)
    silent = connect(server, 2)
    report = server.stop()
    assert (report.ended, report.stragglers) == (2, ()) and report.seconds < 1
    assert client.recv(1) == silent.recv(1) == b""


def test_a_client_in_another_process_trusts_the_authority(secure, tmp_path, certificate):
    (tmp_path / "authority.pem").write_bytes(certificate.authority)
    server = secure()
    code = (
        "import socket, ssl\n"
        f"c = ssl.create_default_context(cafile={str(tmp_path / 'authority.pem')!r})\n"
        f"s = c.wrap_socket(socket.create_connection({server.address!r}), server_hostname='127.0.0.1')\n"
        "s.sendall(b'from another process\\n'); print(s.recv(100).decode())\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert said.stdout == "FROM ANOTHER PROCESS\n\n", said.stderr


@pytest.mark.parametrize("wrong", ["cert.pem", 1, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)])
def test_what_is_no_context_of_a_server_is_refused(wrong):
    with pytest.raises(UsageError, match=r"ssl\.SSLContext of a server"):
        net.Access(tls=wrong)


def test_datagrams_have_no_handshake(certificate):
    with pytest.raises(UsageError, match="for streams"):
        net.listen(net.Echo, server_class=socketserver.UDPServer, access=net.Access(tls=certificate))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "part of a record"),
        (b"\x16\x03\x01", "part of a record"),
        (b"\x16\x03\x01\x00\x01\x01", "ClientHello"),
        (b"\x16\x03\x01\x00\x00", "Handshake"),
        (b"\x17\x03\x03\x00\x02ab" * 2 + b"\x15\x03\x03\x00\x02ab", "Alert, 2 encrypted"),
        (b"GET / HTTP/1.1", "no TLS record"),
    ],
)
def test_records_have_names(data, words):
    assert flight_of(data) == words
