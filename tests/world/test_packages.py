"""Packages that build on socketserver, as they come: made as their documents say, observed, asked by their clients."""

from __future__ import annotations

import logging
import socket
import socketserver
import subprocess
import sys
import urllib.request
import wsgiref.simple_server

import dns.message
import dns.query
import dnslib.server
import httpx
import jsonrpclib
import jsonrpclib.SimpleJSONRPCServer
import prometheus_client
import prometheus_client.exposition
import pynetdicom
import pynetdicom.transport
import pytest
import pythonosc.dispatcher
import pythonosc.osc_server
import pythonosc.osc_tcp_server
import pythonosc.tcp_client
import pythonosc.udp_client
import redis
import umodbus.client.tcp
import umodbus.exceptions
import umodbus.server.tcp
import websocket
import websocket_server
import werkzeug
import werkzeug.serving
from django.core.servers import basehttp
from fakeredis import TcpFakeServer

import nbserver
from nbserver.events import Kind
from nbserver.states import ConnectionState

from .conftest import told

# ── werkzeug ──


@werkzeug.Request.application
def application(request):
    print("asked for", request.path)
    return werkzeug.Response(f"{12 // int(request.path[1:])} and {request.get_data(as_text=True)}")


@pytest.fixture
def logged():
    """Makes the handler that werkzeug makes at its first log, where nobody (here pytest) has set up logging before."""
    logger, made = logging.getLogger("werkzeug"), []

    def make():
        made.append(logging.StreamHandler())
        logger.addHandler(made[0])

    yield make
    logger.removeHandler(made[0])


@pytest.mark.parametrize("is_threaded", [True, False])
def test_werkzeug(observe, logged, capfd, is_threaded):
    server = observe(werkzeug.serving.make_server("127.0.0.1", 0, application, threaded=is_threaded))
    logged()
    with httpx.Client(base_url=f"http://{server.address_text}", timeout=5) as client:
        assert client.get("/4").text == "3 and "
        assert client.post("/6", content="more").text == "2 and more"
        assert client.get("/0").status_code == 500
    for number, asked, status in [(1, "GET /4", "200 OK"), (2, "POST /6", "200 OK"), (3, "GET /0", "500 INTERNAL")]:
        row = server[number]
        row.wait_closed(5)
        assert row.state is ConnectionState.CLOSED
        assert told(row, Kind.RECEIVED)[0].startswith(f"{asked} HTTP/1.1\r\n")
        assert told(row, Kind.SENT)[0].startswith(f"HTTP/1.1 {status}")
        assert told(row, Kind.PRINTED)[0] == f"asked for {asked.split()[1]}"
        assert f"{asked} HTTP/1.1" in told(row, Kind.PRINTED)[1]
    assert told(server[3], Kind.PRINTED)[-1] == "ZeroDivisionError: integer division or modulo by zero"
    assert "GET /4 HTTP/1.1" in capfd.readouterr().err, "its own handler hears it as ever"


# ── Django ──

URLS = """
from django.http import HttpResponse
from django.urls import path

def divided(request, number):
    print("asked for", number)
    return HttpResponse(12 // number)

urlpatterns = [path("<int:number>", divided)]
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """What ``django-admin startproject`` makes, with one view."""
    command = [sys.executable, "-m", "django", "startproject", "world_site", tmp_path]
    subprocess.run(command, check=True, timeout=60)  # in a process of its own: it would settle the settings of this one
    (tmp_path / "world_site" / "urls.py").write_text(URLS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "world_site.settings")


def test_django(observe, project, capfd):
    """Made as runserver makes its server."""
    threading_class = type("WSGIServer", (socketserver.ThreadingMixIn, basehttp.WSGIServer), {"daemon_threads": True})
    base = threading_class(("127.0.0.1", 0), basehttp.WSGIRequestHandler, ipv6=False)
    base.set_app(basehttp.get_internal_wsgi_application())  # sets up logging, too
    server = observe(base)
    with httpx.Client(base_url=f"http://{server.address_text}", timeout=5) as client:
        assert [client.get(path).text for path in ("/4", "/6")] == ["3", "2"]
        assert client.get("/none").status_code == 404
        assert client.get("/0").status_code == 500
        report = server.stop()  # the client keeps its connection
    assert (report.ended, server.accepted) == (1, 1)
    asked = [text.split("\r\n")[0] for text in told(server[1], Kind.RECEIVED)]
    assert asked == [f"GET /{path} HTTP/1.1" for path in ("4", "6", "none", "0")]
    printed = told(server[1], Kind.PRINTED)
    assert printed[:1] == ["asked for 4"] and '"GET /4 HTTP/1.1" 200 1' in printed[1]
    assert "ZeroDivisionError: integer division or modulo by zero" in printed
    assert '"GET /4 HTTP/1.1" 200 1' in capfd.readouterr().err, "its own handler hears it as ever"


# ── prometheus_client ──


def started_by_itself(registry):
    """As its documents say; it serves in a thread of its own, and may be taken over when that has ended."""
    base, thread = prometheus_client.start_http_server(0, "127.0.0.1", registry)
    base.shutdown()
    thread.join(5)
    return base


def made_with_wsgiref(registry):
    app = prometheus_client.make_wsgi_app(registry)
    server_class = prometheus_client.exposition.ThreadingWSGIServer
    return wsgiref.simple_server.make_server("127.0.0.1", 0, app, server_class)


@pytest.mark.parametrize("make", [started_by_itself, made_with_wsgiref])
def test_prometheus_client(observe, make):
    registry = prometheus_client.CollectorRegistry()
    prometheus_client.Gauge("temperature", "In degrees.", registry=registry).set(21.5)
    server = observe(make(registry))
    with urllib.request.urlopen(f"http://{server.address_text}/metrics", timeout=5) as answer:
        assert "temperature 21.5\n" in answer.read().decode()
    server[1].wait_closed(5)
    assert told(server[1], Kind.RECEIVED)[0].startswith("GET /metrics HTTP/1.1\r\n")
    assert told(server[1], Kind.SENT)[0].startswith("HTTP/1.0 200 OK\r\n")
    assert "temperature 21.5\n" in told(server[1], Kind.SENT)[-1]


# ── dnslib ──


class Resolver(dnslib.server.BaseResolver):
    def resolve(self, request, handler):
        reply = request.reply()
        reply.add_answer(*dnslib.RR.fromZone(f"{request.q.qname} 60 A 192.0.2.7"))
        return reply


@pytest.mark.parametrize(("is_tcp", "ask"), [(False, dns.query.udp), (True, dns.query.tcp)])
def test_dnslib(observe, is_tcp, ask):
    server = observe(dnslib.server.DNSServer(Resolver(), address="127.0.0.1", port=0, tcp=is_tcp).server)
    for name in ("one.example", "two.example"):
        answer = ask(dns.message.make_query(name, "A"), "127.0.0.1", port=server.address[1], timeout=5)
        assert [str(record) for record in answer.answer[0]] == ["192.0.2.7"]
    server.stop()
    for number, name in [(1, "one"), (2, "two")]:  # each question came from a port of its own
        row = server[number]
        assert (row.messages_in, row.messages_out) == (1, 1)
        assert row.bytes_out == row.bytes_in + 16  # the question, and one record
        request, reply = told(row, Kind.PRINTED)
        assert f"'{name}.example.' (A)" in request and "RRs: A" in reply


def test_dnslib_by_its_server_class():
    with nbserver.serve(dnslib.server.DNSHandler, server_class=dnslib.server.UDPServer) as server:
        server.base.resolver, server.base.logger = Resolver(), dnslib.server.DNSLogger("-request,-reply")
        query = dns.message.make_query("one.example", "A")
        assert dns.query.udp(query, "127.0.0.1", port=server.address[1], timeout=5).answer
    assert (server[1].messages_in, server[1].messages_out, told(server[1], Kind.PRINTED)) == (1, 1, [])


# ── python-osc ──

OSC = [
    (pythonosc.osc_server.ThreadingOSCUDPServer, pythonosc.udp_client.SimpleUDPClient),
    (pythonosc.osc_server.BlockingOSCUDPServer, pythonosc.udp_client.SimpleUDPClient),
    (pythonosc.osc_tcp_server.ThreadingOSCTCPServer, pythonosc.tcp_client.SimpleTCPClient),
    (pythonosc.osc_tcp_server.BlockingOSCTCPServer, pythonosc.tcp_client.SimpleTCPClient),
]


def louder(address, volume):
    print(address, "was", volume)
    return "/volume/now", volume + 1


@pytest.mark.parametrize(("server_class", "client_class"), OSC)
def test_python_osc(observe, server_class, client_class):
    dispatcher = pythonosc.dispatcher.Dispatcher()
    dispatcher.map("/volume", louder)
    server = observe(server_class(("127.0.0.1", 0), dispatcher))
    with client_class(*server.address) as client:
        client.send_message("/volume", 10)
        answer = next(client.get_messages(5))
        assert (answer.address, answer.params) == ("/volume/now", [11])
        server.stop()
    assert (server[1].messages_in, server[1].messages_out) == (1, 1)
    assert told(server[1], Kind.PRINTED) == ["/volume was 10"]


def test_python_osc_refuses_what_is_no_message(observe):
    server = observe(pythonosc.osc_server.ThreadingOSCUDPServer(("127.0.0.1", 0), pythonosc.dispatcher.Dispatcher()))
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.sendto(b"no OSC", server.address)
        server.wait_for_connections(1, 5)
        assert server.journal.wait_for(lambda: server[1].note == "refused by verify_request()", 5)


# ── fakeredis ──


def test_fakeredis(observe):
    server = observe(TcpFakeServer(("127.0.0.1", 0)))
    with redis.Redis(*server.address, decode_responses=True) as one, redis.Redis(*server.address) as other:
        assert one.set("fruit", "apple") and other.get("fruit") == b"apple"
        with one.pipeline() as pipeline:
            assert pipeline.incr("count").incr("count").execute() == [1, 2]
        with pytest.raises(redis.ResponseError, match="not an integer"):
            other.incr("fruit")
        with one.pubsub() as heard:
            heard.subscribe("news")
            assert heard.get_message(timeout=5)["data"] == 1  # only what is published after that is heard
            assert other.publish("news", "it rains") == 1
            assert heard.get_message(timeout=5)["data"] == "it rains"
            report = server.stop()  # both clients are connected, and one of them listens
    assert (report.ended, report.stragglers) == (2, ())
    talk = [(told(row, Kind.RECEIVED), told(row, Kind.SENT)) for row in server.connections.values()]
    assert any("*3\r\n$3\r\nSET\r\n$5\r\nfruit\r\n$5\r\napple\r\n" in asked for asked, _ in talk)
    assert any("+apple\r\n" in answered for _, answered in talk)
    assert any("it rains" in answered[-1] for _, answered in talk)


# ── pynetdicom ──

ECHO = "1.2.840.10008.1.1"


def associate(server):
    client = pynetdicom.AE()
    client.add_requested_context(ECHO)
    return client.associate(*server.address)


@pytest.mark.parametrize(
    "server_class", [pynetdicom.transport.ThreadedAssociationServer, pynetdicom.transport.AssociationServer]
)
def test_pynetdicom(observe, server_class):
    """Each association is served by a thread that the package starts in the handler: the row lives as long as that."""
    echoed = []
    handlers = [(pynetdicom.evt.EVT_C_ECHO, lambda event: echoed.append(event.assoc.name) or 0x0000)]
    entity = pynetdicom.AE()
    entity.add_supported_context(ECHO)
    server = observe(entity.make_server(("127.0.0.1", 0), evt_handlers=handlers, server_class=server_class))
    first, second = associate(server), associate(server)
    for association in (first, second):
        assert association.send_c_echo().Status == 0x0000
    assert len(server.observation.live) == 2
    first.release()
    server[1].wait_closed(5)
    assert (server[1].state, second.is_established) == (ConnectionState.CLOSED, True)
    report = server.stop()  # the second is still associated
    second.join(5)
    assert (report.ended, report.stragglers, second.is_aborted) == (1, (), True)
    assert len(echoed) == 2
    assert (server[1].bytes_in, server[1].bytes_out) == (377, 294)
    assert any("ANY-SCP         PYNETDICOM" in text for text in told(server[1], Kind.RECEIVED))


# ── jsonrpclib-pelix ──


@pytest.mark.parametrize(
    "server_class",
    [jsonrpclib.SimpleJSONRPCServer.SimpleJSONRPCServer, jsonrpclib.SimpleJSONRPCServer.PooledJSONRPCServer],
)
@pytest.mark.timeout(30)
def test_jsonrpclib(observe, server_class):
    """The second has threads of its own, and its server_close() calls BaseServer.shutdown() by name."""
    server = observe(server_class(("127.0.0.1", 0)))
    server.base.register_function(pow)
    proxy = jsonrpclib.ServerProxy(f"http://{server.address_text}")
    assert proxy.pow(2, 10) == 1024
    with pytest.raises(jsonrpclib.ProtocolError, match="not supported"):
        proxy.none()
    proxy("close")()
    for row in server.connections.values():
        row.wait_closed(5)
        assert told(row, Kind.RECEIVED)[0].startswith("POST / HTTP/1.1\r\n")
        assert '"POST / HTTP/1.1" 200 -' in told(row, Kind.PRINTED)[-1]
    assert '"result": 1024' in told(server[1], Kind.SENT)[-1]


# ── uModbus ──


@pytest.mark.parametrize("server_class", [socketserver.TCPServer, socketserver.ThreadingTCPServer])
def test_umodbus(observe, server_class):
    base = umodbus.server.tcp.get_server(server_class, ("127.0.0.1", 0), umodbus.server.tcp.RequestHandler)

    @base.route(slave_ids=[1], function_codes=[3], addresses=[10, 11])
    def read(slave_id, function_code, address):
        return int(input(f"register {address}? "))

    server = observe(base)
    with socket.create_connection(server.address, 5) as client:
        client.sendall(umodbus.client.tcp.read_holding_registers(slave_id=1, starting_address=10, quantity=2))
        for address, value in [(10, "7"), (11, "8")]:
            server.wait_for_connections(1, 5)
            prompt = f"register {address}? "
            assert server.journal.wait_for(lambda prompt=prompt: server[1].prompt == prompt, 5)
            server[1].reply(value)
        assert client.recv(100)[-4:] == b"\0\7\0\10"
        request = umodbus.client.tcp.read_holding_registers(slave_id=1, starting_address=99, quantity=1)
        with pytest.raises(umodbus.exceptions.IllegalDataAddressError):
            umodbus.client.tcp.send_message(request, client)
    server[1].wait_closed(5)
    assert (server[1].bytes_in, server[1].bytes_out) == (24, 13 + 9)


# ── websocket-server ──


def test_websocket_server(observe):
    base = websocket_server.WebsocketServer(port=0)
    base.set_fn_message_received(lambda client, server, message: server.send_message_to_all(input(message)))
    server = observe(base)
    clients = [websocket.create_connection(f"ws://{server.address_text}", timeout=5) for _ in range(2)]
    clients[0].send("what shall all hear? ")
    assert server[1].wait_waiting(5) and server[1].prompt == "what shall all hear? "
    server[1].reply("good morning")
    assert [client.recv() for client in clients] == ["good morning"] * 2
    # It is noted by the thread that has sent it, to both: perhaps only after they have it.
    assert server.journal.wait_for(lambda: all(len(told(server[n], Kind.SENT)) == 2 for n in (1, 2)), 5)
    clients[1].close()
    server[2].wait_closed(5)
    report = server.stop()
    assert (report.ended, report.stragglers) == (1, ())
    clients[0].shutdown()
    assert told(server[1], Kind.RECEIVED)[0].startswith("GET / HTTP/1.1\r\n")
    assert told(server[1], Kind.SENT)[0].startswith("HTTP/1.1 101 Switching Protocols\r\n")
    assert told(server[2], Kind.SENT)[1].endswith("good morning")
