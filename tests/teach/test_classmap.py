"""The class map: the standard library's classes and the student's, in the order in which Python asks them."""

from __future__ import annotations

import http.server
import json
import socketserver

import pytest

from nbserver import net, teach
from nbserver.errors import UsageError
from nbserver.teach import explain

HIDDEN = ("Observed", "Resilient", "Accepting", "Datagrams", "Pooled")


class Handler(socketserver.StreamRequestHandler):
    greeting = "hello"

    def handle(self):
        self.wfile.write(self.rfile.readline())


class Polite(socketserver.ThreadingTCPServer):
    def verify_request(self, request, client_address):
        return super().verify_request(request, client_address)


class Wrong(socketserver.TCPServer, socketserver.ThreadingMixIn):
    pass


@pytest.fixture
def server():
    """A server that nbserver observes, not started."""
    made = net.observed_class(Polite)(("127.0.0.1", 0), Handler)
    yield made
    made.server_close()


def test_the_order_is_the_tutorials():
    found = explain(socketserver.ThreadingTCPServer).server
    assert [level.name for level in found.levels] == [
        *("ThreadingTCPServer", "ThreadingMixIn", "TCPServer", "BaseServer", "object")
    ]
    assert [level.origin for level in found.levels] == ["socketserver"] * 4 + ["python"]


@pytest.mark.parametrize(
    ("name", "holder", "hidden"),
    [
        ("__init__", "TCPServer", ("BaseServer", "object")),
        ("serve_forever", "BaseServer", ()),
        ("_handle_request_noblock", "BaseServer", ()),
        ("get_request", "TCPServer", ()),
        ("process_request", "ThreadingMixIn", ("BaseServer",)),
        ("finish_request", "BaseServer", ()),
        ("recv", None, ()),
    ],
)
def test_each_name_of_the_tutorial_is_found_where_it_says(name, holder, hidden):
    found = explain(socketserver.ThreadingTCPServer).lookup(name)
    assert (found.found, found.hidden) == (holder, hidden)


@pytest.mark.parametrize("cls", [Polite, Wrong, Handler, http.server.ThreadingHTTPServer, socketserver.UDPServer])
def test_the_map_finds_what_python_finds(cls):
    found = explain(cls)
    for name in dir(cls):
        if not name.startswith("__") or callable(getattr(cls, name)):  # and not what Python writes into every class
            holder = next(one for one in cls.__mro__ if name in vars(one))
            assert found.lookup(name).found == holder.__name__, name


def test_a_look_up_is_said_in_a_sentence_and_gives_the_source():
    found = explain(socketserver.ThreadingTCPServer).lookup("get_request")
    assert str(found).startswith("get_request: not in ThreadingTCPServer, not in ThreadingMixIn, found in TCPServer (")
    assert "return self.socket.accept()" in found.source
    assert "AttributeError" in str(explain(Handler).lookup("recv"))
    assert explain(Handler).lookup("greeting").definition.value == "'hello'"
    assert explain(Handler).lookup("handle").source == (
        "def handle(self):\n    self.wfile.write(self.rfile.readline())\n"
    )


def test_a_server_shows_both_classes_what_it_holds_itself_and_none_of_ours(server):
    found = explain(server)
    assert (found.server.name, found.handler.name, found.name) == ("Polite", "Handler", "Polite")
    assert found.lookup("verify_request").hidden == ("BaseServer",)
    assert found.handler.lookup("__init__").found == "BaseRequestHandler"
    assert found.lookup("socket").found == "self"
    said = str(found) + json.dumps(found.to_json()) + found.mermaid()
    assert not [name for name in HIDDEN if name in said]


def test_a_hook_on_the_object_comes_before_every_class(server):
    server.verify_request = lambda request, client_address: True
    found = explain(server).lookup("verify_request")
    assert (found.found, found.hidden) == ("self", ("Polite", "BaseServer"))
    assert "found in the object itself" in str(found)


def test_a_mix_in_that_stands_too_late_does_nothing():
    found = explain(Wrong)
    assert found.lookup("process_request").found == "BaseServer"
    assert [(level.name, level.late) for level in found.server.late] == [
        ("ThreadingMixIn", ("process_request", "server_close"))
    ]
    assert "ThreadingMixIn stands too late in the brackets of Wrong" in str(found)
    assert explain(socketserver.ThreadingTCPServer).server.late == ()


def test_udp_and_unix_servers_stand_beside_tcp():
    family = {one.name: one for one in explain(Polite).server.family}
    assert family["BaseServer"].depth == 0
    assert family["UDPServer"].depth == family["UnixStreamServer"].depth == family["ThreadingTCPServer"].depth == 2
    assert family["ThreadingUDPServer"].bases == ("ThreadingMixIn", "UDPServer")
    assert {name: one.place for name, one in family.items() if one.place} == {
        "Polite": "this",
        "ThreadingTCPServer": "ancestor",
        "TCPServer": "ancestor",
        "BaseServer": "ancestor",
    }
    assert [one.name for one in explain(Handler).handler.family] == [
        *("BaseRequestHandler", "StreamRequestHandler", "Handler", "DatagramRequestHandler")
    ]


def test_it_is_drawn_as_text():
    text = str(explain(Polite))
    assert "process_request()*" in text and "(process_request())" in text
    assert "└── Polite(ThreadingTCPServer)   <== this one" in text
    assert max(map(len, text.splitlines())) <= 112
    assert repr(explain(Polite)) == text


def test_the_diagram_cannot_be_broken_by_a_name():
    hostile = type('x"] { }\nclick a call evil()', (socketserver.TCPServer,), {'b"]\n': 1, "ok": 2})
    lines = explain(hostile).mermaid().splitlines()
    assert lines[0] == "classDiagram"
    assert '    class server0["x_______nclick_a_call_evil__"] {' in lines
    assert not any("evil()" in line or 'b"]' in line for line in lines)
    assert "    server0 --|> server1" in lines


@pytest.mark.parametrize("thing", [3, int, print, socketserver, socketserver.ThreadingMixIn])
def test_what_is_no_class_of_socketserver_is_refused(thing):
    with pytest.raises(UsageError, match=r"^explain\(\) takes a server class of socketserver"):
        explain(thing)


def test_who_is_hidden_is_known_by_identity():
    @teach.hide
    class Ours(socketserver.TCPServer):
        pass

    assert teach.is_hidden(Ours) and not teach.is_hidden(socketserver.TCPServer)
    assert teach.order(Ours)[0] is socketserver.TCPServer
    assert teach.supplier(Ours, "get_request") is socketserver.TCPServer
