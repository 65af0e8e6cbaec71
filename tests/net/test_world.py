"""The servers of the standard library that build on socketserver, unmodified, asked by their own real clients.

Each is made in both ways: constructed by its own class and then observed, and by nbserver from class and handler. That
nothing of what they log reaches the terminal, the fixture `nothing_left` holds.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import http.server
import json
import logging
import logging.config
import logging.handlers
import pickle
import socket
import socketserver
import struct
import threading
import urllib.error
import urllib.request
import wsgiref.simple_server
import wsgiref.validate
import xmlrpc.client
import xmlrpc.server
from concurrent.futures import ThreadPoolExecutor

import pytest

from nbserver import net
from nbserver.events import Kind
from nbserver.states import ConnectionState

HTTP = [http.server.HTTPServer, http.server.ThreadingHTTPServer]
LONG = b"0123456789" * 30_000  # longer than what is kept of a message, and than what a socket takes at once


class ThreadingXMLRPCServer(socketserver.ThreadingMixIn, xmlrpc.server.SimpleXMLRPCServer):
    pass


class ThreadingWSGIServer(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    pass


@pytest.fixture(params=["observe", "server_class"])
def put(request, serve):
    """Serves a handler with a class, in each of the two ways; afterwards the object has its own class again."""
    with contextlib.ExitStack() as stack:

        def make(handler, server_class):
            if request.param == "server_class":
                return serve(handler, server_class)
            server = net.Server(server_class(("127.0.0.1", 0), handler)).start()
            assert isinstance(server.base, server_class) and type(server.base) is not server_class
            stack.callback(lambda: (server.stop(0.5), kinds.append((type(server.base), server_class))))
            return server

        kinds = []
        yield make
    assert all(found is wanted for found, wanted in kinds)


@pytest.fixture
def closed_at_the_end():
    """Closes clients after the test."""
    with contextlib.ExitStack() as stack:
        yield lambda client: stack.enter_context(contextlib.closing(client))


def told(connection, kind):
    """The first line of each event of this kind."""
    return [e.data.decode().partition("\r\n")[0] for e in connection.transcript if e.kind is kind]


def opened(server, path):
    return urllib.request.urlopen(f"http://{server.address_text}{path}", timeout=5)


# ── http.server ──


class Files(http.server.SimpleHTTPRequestHandler):
    """Speaks HTTP/1.1, and so keeps the connection for the next request; takes what is posted."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[::-1])


@pytest.mark.parametrize("server_class", HTTP)
def test_http_1_0_gives_each_request_a_row(put, tmp_path, server_class):
    (tmp_path / "long").write_bytes(LONG)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = put(handler, server_class)
    with opened(server, "/long") as answer:
        assert answer.read() == LONG
    with pytest.raises(urllib.error.HTTPError, match="404") as refused:
        opened(server, "/none")
    refused.value.close()
    server.wait_for_connections(2, 5)
    for number, path, status in [(1, "/long", "200 OK"), (2, "/none", "404 File not found")]:
        row = server[number]
        row.wait_closed(5)
        assert (row.state, row.note) == (ConnectionState.CLOSED, "the server closed")
        assert told(row, Kind.RECEIVED) == [f"GET {path} HTTP/1.1"]
        assert told(row, Kind.SENT)[0] == f"HTTP/1.0 {status}"
        assert f'"GET {path} HTTP/1.1" {status[:3]} -' in told(row, Kind.PRINTED)[-1]
    head = next(e for e in server[1].transcript if e.kind is Kind.SENT)
    assert server[1].bytes_out == head.size + len(LONG)
    assert server.observation.errors == 0


@pytest.mark.parametrize("server_class", HTTP)
def test_http_1_1_keeps_one_row_for_all_requests_and_stop_ends_it(
    put, until, closed_at_the_end, tmp_path, server_class
):
    (tmp_path / "page").write_text("a page")
    server = put(functools.partial(Files, directory=str(tmp_path)), server_class)
    client = closed_at_the_end(http.client.HTTPConnection(*server.address, timeout=5))
    heard = []
    for method, path, body in [("GET", "/page", None), ("HEAD", "/page", None), ("POST", "/", b"posted")]:
        client.request(method, path, body)
        answer = client.getresponse()
        heard.append((answer.status, answer.read()))
    assert heard == [(200, b"a page"), (200, b""), (201, b"detsop")]
    until(lambda: server[1].status == "receiving")  # the handler waits for a fourth
    assert server.accepted == 1
    lines = {kind: [line for line in told(server[1], kind) if "HTTP" in line] for kind in (Kind.RECEIVED, Kind.SENT)}
    assert lines[Kind.RECEIVED] == ["GET /page HTTP/1.1", "HEAD /page HTTP/1.1", "POST / HTTP/1.1"]
    assert lines[Kind.SENT] == ["HTTP/1.1 200 OK", "HTTP/1.1 200 OK", "HTTP/1.1 201 Created"]
    assert [line.rpartition('"')[2] for line in told(server[1], Kind.PRINTED)] == [" 200 -", " 200 -", " 201 -"]
    report = server.stop()
    assert (report.ended, report.stragglers) == (1, ()) and report.seconds < 1
    with pytest.raises(ConnectionError):
        client.request("GET", "/page")
        client.getresponse()
    assert (server[1].state, server[1].note) == (ConnectionState.CLOSED, "the server was stopped")


@pytest.mark.parametrize("server_class", HTTP)
def test_http_an_error_in_the_handler_is_on_its_row(put, server_class):
    class Fails(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            quotient = str(1 / int(self.path[1:])).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(quotient)

    server = put(Fails, server_class)
    with pytest.raises(http.client.RemoteDisconnected):
        opened(server, "/0")
    server[1].wait_closed(5)
    assert (server[1].state, server[1].note) == (ConnectionState.FAILED, "ZeroDivisionError: division by zero")
    (report,) = [e.data.decode() for e in server[1].transcript if e.kind is Kind.ERROR]
    assert "in do_GET" in report and "nbserver" not in report
    with opened(server, "/4") as answer:
        assert answer.read() == b"0.25"
    assert server.observation.errors == 1


@pytest.mark.parametrize("server_class", HTTP)
def test_http_a_time_limit_of_the_handler_is_its_own_affair(put, server_class):
    class Hurried(Files):
        timeout = 0.05

    server = put(Hurried, server_class)
    with socket.create_connection(server.address, 5) as client:
        assert client.recv(10) == b""
    server[1].wait_closed(5)
    assert (server[1].state, server.observation.errors) == (ConnectionState.CLOSED, 0)
    assert "Request timed out: TimeoutError('timed out')" in told(server[1], Kind.PRINTED)[0]


# ── xmlrpc.server ──

XMLRPC = [
    (xmlrpc.server.SimpleXMLRPCServer, xmlrpc.server.SimpleXMLRPCRequestHandler),
    (ThreadingXMLRPCServer, xmlrpc.server.SimpleXMLRPCRequestHandler),
    (xmlrpc.server.DocXMLRPCServer, xmlrpc.server.DocXMLRPCRequestHandler),
]


def ask(question):
    return input(question)


@pytest.mark.parametrize(("server_class", "handler"), XMLRPC)
def test_xmlrpc_answers_its_proxy_and_a_function_may_ask_a_person(put, server_class, handler):
    server = put(handler, server_class)
    server.base.register_function(pow)
    server.base.register_function(ask)
    server.base.register_function(lambda: 1 / 0, "fails")
    with xmlrpc.client.ServerProxy(f"http://{server.address_text}/RPC2") as proxy, ThreadPoolExecutor(1) as other:
        assert proxy.pow(2, 10) == 1024
        with pytest.raises(xmlrpc.client.Fault, match="ZeroDivisionError"):
            proxy.fails()
        answer = other.submit(proxy.ask, "how many? ")
        server.wait_for_connections(3, 5)
        assert server[3].wait_waiting(5) and server[3].prompt == "how many? "
        server[3].reply("seven")
        assert answer.result(5) == "seven"
    for row in server.connections.values():
        row.wait_closed(5)
        assert row.state is ConnectionState.CLOSED  # the server itself has made a fault of the error
        assert told(row, Kind.RECEIVED)[0] == "POST /RPC2 HTTP/1.1"
        assert told(row, Kind.SENT)[0] == "HTTP/1.0 200 OK"
        assert '"POST /RPC2 HTTP/1.1" 200 -' in told(row, Kind.PRINTED)[0]
    assert any(b"<int>1024</int>" in e.data for e in server[1].transcript if e.kind is Kind.SENT)


def test_xmlrpc_documents_itself_to_a_browser(put):
    server = put(xmlrpc.server.DocXMLRPCRequestHandler, xmlrpc.server.DocXMLRPCServer)
    server.base.register_function(pow)
    with opened(server, "/") as answer:
        assert b"pow" in answer.read()
    server[1].wait_closed(5)
    assert told(server[1], Kind.SENT)[0] == "HTTP/1.0 200 OK"


# ── wsgiref ──


def application(environ, start_response):
    print("asked for", environ["PATH_INFO"])
    quotient = 12 // int(environ["PATH_INFO"][1:])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(quotient).encode()]


@pytest.mark.parametrize("server_class", [wsgiref.simple_server.WSGIServer, ThreadingWSGIServer])
def test_wsgiref_serves_an_application(put, server_class):
    server = put(wsgiref.simple_server.WSGIRequestHandler, server_class)
    server.base.set_app(wsgiref.validate.validator(application))
    with opened(server, "/4") as answer:
        assert answer.read() == b"3"
    with pytest.raises(urllib.error.HTTPError, match="500") as failed:
        opened(server, "/0")
    failed.value.close()
    for number, path, status in [(1, "/4", "200 OK"), (2, "/0", "500 Internal Server Error")]:
        server[number].wait_closed(5)
        assert told(server[number], Kind.RECEIVED) == [f"GET {path} HTTP/1.1"]
        assert told(server[number], Kind.SENT)[0] == f"HTTP/1.0 {status}"
        assert told(server[number], Kind.PRINTED)[0] == f"asked for {path}"
    assert "ZeroDivisionError: integer division or modulo by zero" in told(server[2], Kind.PRINTED)


def test_wsgiref_make_server():
    with net.Server(wsgiref.simple_server.make_server("127.0.0.1", 0, application)) as server:
        with opened(server, "/3") as answer:
            assert answer.read() == b"4"
        server[1].wait_closed(5)
        assert told(server[1], Kind.PRINTED)[0] == "asked for /3"
    assert type(server.base) is wsgiref.simple_server.WSGIServer


# ── logging ──


@pytest.fixture
def logger():
    """A logger of its own that tells nobody else."""
    logger = logging.getLogger("nbserver-test-world")
    logger.propagate, logger.level = False, logging.INFO
    yield logger
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()


def test_logging_config_listen(logger):
    listener = logging.config.listen(0)  # a thread, which is not started: its server is ours to serve
    ready = threading.Event()
    with net.Server(listener.rcvr(host="127.0.0.1", port=0, handler=listener.hdlr, ready=ready)) as server:
        config = {"version": 1, "incremental": True, "loggers": {logger.name: {"level": "ERROR"}}}
        data = json.dumps(config).encode()
        with socket.create_connection(server.address, 5) as client:
            client.sendall(struct.pack(">L", len(data)) + data)
            assert ready.wait(5)
        server[1].wait_closed(5)
        assert (server[1].bytes_in, server[1].state) == (4 + len(data), ConnectionState.CLOSED)
    assert logger.level == logging.ERROR


def test_logging_over_tcp_to_the_receiver_of_its_cookbook(put, logger, until):
    class Records(socketserver.StreamRequestHandler):
        def handle(self):
            while head := self.rfile.read(4):
                (size,) = struct.unpack(">L", head)
                record = logging.makeLogRecord(pickle.loads(self.rfile.read(size)))
                print(record.levelname, record.getMessage())

    server = put(Records, socketserver.ThreadingTCPServer)
    logger.addHandler(logging.handlers.SocketHandler(*server.address))
    logger.info("first")
    logger.warning("%d apples", 2)
    server.wait_for_connections(1, 5)
    until(lambda: told(server[1], Kind.PRINTED) == ["INFO first", "WARNING 2 apples"])
    assert server.accepted == 1


def test_logging_over_udp_as_a_syslog(put, logger, until):
    class Lines(socketserver.DatagramRequestHandler):
        def handle(self):
            print(self.rfile.read().decode())

    server = put(Lines, socketserver.ThreadingUDPServer)
    logger.addHandler(logging.handlers.SysLogHandler(server.address))
    logger.error("disk full")
    server.wait_for_connections(1, 5)
    until(lambda: told(server[1], Kind.PRINTED) == ["<11>disk full\0"])


# ── all at once ──


def test_thirty_keep_alive_clients_at_once(put, until, closed_at_the_end, tmp_path):
    (tmp_path / "page").write_text("a page")
    server = put(functools.partial(Files, directory=str(tmp_path)), http.server.ThreadingHTTPServer)
    clients = [closed_at_the_end(http.client.HTTPConnection(*server.address, timeout=5)) for _ in range(30)]

    def twice(client):
        return [(client.request("GET", "/page"), client.getresponse().read())[1] for _ in range(2)]

    with ThreadPoolExecutor(30) as threads:
        assert list(threads.map(twice, clients)) == [[b"a page"] * 2] * 30
    until(lambda: [row.status for row in server.connections.values()] == ["receiving"] * 30)
    assert {row.messages_in for row in server.connections.values()} == {2}
    report = server.stop()
    assert (report.ended, report.stragglers) == (30, ()) and report.seconds < 2
