"""The defences that no one module has alone: what is shown of a peer is text, one line, numeric, and never printed.

Each test is named after its row in the list of defences. S1 is in `test_house.py`, S2 in `test_words.py`, S3 in
`lab/test_hostile.py`, S13, S17 and S18 in `widgets/test_requests.py` and `kernel/test_hub.py`.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import ipaddress
import pkgutil
import socket
import socketserver
import struct
import time

import pytest

import nbserver
from nbserver import net
from nbserver.errors import ConnectionEnded, NbserverError
from nbserver.events import Kind
from nbserver.fleet import Client, Fleet
from nbserver.text import safe_text
from nbserver.widgets import target_of
from nbserver.widgets.feed import Feed

EVIL = "GET\r\nX: \x1b[2J\x1b]0;owned\x07\x9b2J\u2028\u2029\x85\u202e</b>\x00"
PATH = EVIL.rstrip("\x00").replace("/", "")  # a name that a file may have
RICH = ("html", "markdown", "latex", "svg", "javascript", "png", "jpeg", "pdf", "json", "mimebundle")


@pytest.fixture(autouse=True)
def clean(nothing_left, tmp_path, monkeypatch):
    """No thread and no descriptor is left, and nothing was printed. Sockets' paths are those of an empty folder."""
    monkeypatch.chdir(tmp_path)
    yield
    net.stop_all(0.5)


class Reckless(socketserver.BaseRequestHandler):
    """Prints what it is sent, asks with it, and fails with it."""

    def handle(self):
        text = self.request.recv(1000).decode("utf-8", "surrogateescape")
        print(text)
        input(text)
        raise ValueError(text)


@contextlib.contextmanager
def hostile_server():
    """A server whose own path is hostile, and a client that waits in it, whose path is, too.

    Begun by the test: after the set-up pytest replaces the stdout that a server routes.
    """
    listening = net.listen(Reckless, f"./{PATH}s", socketserver.ThreadingUnixStreamServer)
    with listening as server, socket.socket(socket.AF_UNIX) as client:
        client.bind(f"./{PATH}c")
        client.connect(server.address)
        client.sendall(EVIL.encode())
        server.wait_for_connections(1, 5)
        assert server[1].wait_waiting(5)
        yield server


def texts_in(message) -> list[str]:
    """Every text in a message to the page."""
    if isinstance(message, dict):
        message = [*message.keys(), *message.values()]
    if isinstance(message, (list, tuple)):
        return [text for part in message for text in texts_in(part)]
    return [message] if isinstance(message, str) else []


def test_s12_whatever_a_field_holds_is_one_line():
    """CR LF, ESC, CSI, U+2028 and NEL in address, message, prompt, note, error and path."""
    with hostile_server() as server:
        all_is_one_line(server)


def all_is_one_line(server):
    connection, feed = server[1], Feed(server, Fleet())
    waiting = feed.snapshot()
    server.reply(1, EVIL)
    connection.wait_closed(5)
    failed = feed.delta()[0]
    with pytest.raises(ConnectionEnded) as ended:
        server.reply(1, "too late")
    with pytest.raises(NbserverError) as in_use:
        net.listen(None, server.address, socketserver.ThreadingUnixStreamServer)
    shown = [*texts_in(waiting), *texts_in(failed), connection.note, server.address_text, str(ended.value)]
    shown += map(repr, [server, connection, *connection.transcript, *server.journal, ended.value])
    shown += [str(in_use.value), str(server.stop()), repr(server.stop())]
    assert [text for text in shown if not text.isprintable()] == []
    assert sum(safe_text(PATH) in text for text in shown) >= 6
    assert [event.data.decode() for event in connection.transcript if event.kind is Kind.PRINTED] == EVIL.split("\n")


def test_s04_nothing_of_ours_has_a_rich_form():
    """But the widgets, whose form is a reference to the widget, and three texts in which everything is escaped."""
    found = []
    for module in pkgutil.walk_packages(nbserver.__path__, "nbserver."):
        if module.name != "nbserver.__main__":
            classes = inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
            own = [cls for _, cls in classes if cls.__module__.startswith("nbserver")]
            found += [(cls.__name__, form) for cls in own for form in RICH if hasattr(cls, f"_repr_{form}_")]
    texts = {("Snapshot", "html"), ("Report", "html"), ("Card", "html")}
    assert set(found) == {("Hub", "mimebundle"), ("View", "mimebundle"), *texts}


def test_s04_a_widgets_state_holds_nothing_of_a_peer():
    """It is what a notebook is saved with."""
    with hostile_server() as server:
        view = nbserver.panel(server)
        view.mirror.receive({"do": "hello", "rid": "hello"}, "comm")
        view.mirror.tick()
        for widget in (view, view.mirror, view.mirror.layout):
            state = {name: value for name, value in widget.get_state().items() if name not in ("_esm", "_css")}
            assert "owned" not in repr(state) and "X: " not in repr(state)


@pytest.mark.parametrize("handler", [Reckless, net.Conversation, net.Echo, net.ChatRoom, None])
def test_s05_nothing_of_a_peer_is_printed_or_logged(handler, capfd, caplog):
    """Not what it sends, not the error that it causes, not that it is turned away."""
    with net.listen(handler, limits=net.Limits(max_per_peer=2)) as server:
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(socket.create_connection(server.address, 5)) for _ in range(3)]
            assert server.journal.wait_for(lambda: server.observation.turned_away, 5)
            for client in clients[:2]:
                client.sendall(EVIL.encode() + b"\xff\xfe")
            deadline = time.monotonic() + 5
            while not all(connection.bytes_in for connection in server.connections.values()):
                assert time.monotonic() < deadline
                time.sleep(0.002)  # between two looks: bytes do not announce themselves
            clients[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # its close is a reset
        server.broadcast(EVIL)
    assert len(server.connections) == 2
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


LOOK_UPS = ("getfqdn", "gethostbyaddr", "gethostbyname", "gethostbyname_ex", "getnameinfo")
SERVERS = [
    (socketserver.ThreadingTCPServer, ("127.0.0.1", 0)),
    (socketserver.ThreadingTCPServer, ("::1", 0)),
    (socketserver.ThreadingUDPServer, ("127.0.0.1", 0)),
    (socketserver.ThreadingUnixStreamServer, "./s"),
]


@pytest.mark.parametrize(("server_class", "address"), SERVERS)
def test_s16_no_name_is_looked_up(server_class, address, monkeypatch):
    """A peer's name is asked of a name server, which may be slow, and tells its owner that somebody asked."""
    asked = []
    for name in LOOK_UPS:
        monkeypatch.setattr(socket, name, lambda *args, name=name: asked.append((name, args)))
    with net.listen(net.Echo, address, server_class) as server:
        client = Client(1, target_of(server))
        client.start()
        client.say("hello")
        assert client.hear(5) == "hello"
        peer = texts_in(Feed(server, Fleet([client])).snapshot()["connections"])[1]
        assert repr(server[1]).count(peer) == 1
        host = peer.rpartition(":")[0].strip("[]")
        assert str(ipaddress.ip_address(host)) == host if isinstance(address, tuple) else peer == "(unnamed)"
        client.close()
        client.wait_ended(5)
    assert asked == []


class Narrow(socketserver.ThreadingUnixDatagramServer):
    """Cuts what is longer than ten bytes, and says from whom it came."""

    max_packet_size = 10


def test_s12_what_troubles_a_server_is_told_in_one_line():
    with net.listen(net.Echo, "./server", Narrow) as server:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.bind(f"./{PATH}")
            client.sendto(EVIL.encode(), server.address)
            assert server.journal.wait_for(lambda: server.observation.trouble, 5)
        told = [event.data.decode() for event in server.journal if event.kind is Kind.TROUBLE]
    assert told == [server.observation.trouble] and "owned" in told[0]
    assert told[0].isprintable()


def test_s12_a_client_is_shown_in_one_line_whatever_its_target_is_called():
    with hostile_server() as server:
        client = Client(1, target_of(server))
        client.start()
        client.close()
        client.wait_ended(5)
    told = [event.data.decode() for event in client.transcript if event.kind is Kind.OPENED]
    assert len(told) == 1
    for shown in (repr(client), str(client.target), *told):
        assert shown.isprintable() and "owned" in shown
