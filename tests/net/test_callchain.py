"""The call chain of a connection, as it is recorded: what the tutorial says, step by step; and slow motion."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from functools import partial

import pytest

from nbserver import net
from nbserver.errors import NotHeard
from nbserver.events import Kind
from nbserver.net import steps
from nbserver.states import Activity
from nbserver.teach import order
from nbserver.teach.callchain import CallState, expected

# The tutorial, word for word: 查找属性的顺序, and which class it names for each step. The thread's steps begin with the
# second list.
LOOK_UP = "ThreadingTCPServer->ThreadingMixIn->TCPServer->BaseServer"
TUTORIAL = [
    ("__init__", "TCPServer"),
    ("server_bind", "TCPServer"),
    ("server_activate", "TCPServer"),
    ("serve_forever", "BaseServer"),
    ("_handle_request_noblock", "BaseServer"),
    ("get_request", "TCPServer"),
    ("verify_request", "BaseServer"),
    ("process_request", "ThreadingMixIn"),
]
TUTORIAL_THREAD = [
    ("process_request_thread", "ThreadingMixIn"),
    ("finish_request", "BaseServer"),
    ("__init__", "BaseRequestHandler"),
    ("setup", "BaseRequestHandler"),
    ("handle", "Myserver"),
    ("finish", "BaseRequestHandler"),
    ("shutdown_request", "TCPServer"),
    ("close_request", "TCPServer"),
]


class Myserver(socketserver.BaseRequestHandler):
    """The tutorial's handler, with one message in place of endless ones."""

    def handle(self):
        self.seen = dict(vars(self))
        self.request.sendall(self.request.recv(1024))


class Datagram(socketserver.BaseRequestHandler):
    def handle(self):
        data, sock = self.request
        sock.sendto(data, self.client_address)


def found(chain, column=None):
    """The calls and the classes that they are found in."""
    return [(c.name, c.supplier.__name__) for c in chain.calls if column is None or c.column == column]


def ask(client, data=b"hello"):
    client.send(data)
    return client.recv(100)


def finished(server, connect):
    """The chain of one client that was echoed and has left, when the accept thread has ended its part, too."""
    client = connect(server, 1)
    assert ask(client) == b"hello"
    client.close()
    server[1].wait_closed(5)
    deadline = time.monotonic() + 5
    while any(c.state is CallState.RUNNING for c in server[1].call_chain.calls if c.name != "serve_forever"):
        assert time.monotonic() < deadline, str(server[1].call_chain)
    return server[1].call_chain


def handled(server, connect, count):
    """Clients whose handlers are in recv() all."""
    clients = [connect(server, number) for number in range(1, count + 1)]
    deadline = time.monotonic() + 5
    while any(server[number].activity is not Activity.RECEIVING for number in range(1, count + 1)):
        assert time.monotonic() < deadline
    return clients


@pytest.mark.parametrize("family", ["ipv4", "unix"], indirect=True)
def test_the_chain_of_the_tutorials_server_is_what_the_tutorial_says(serve, connect, family):
    server = serve(Myserver)
    names = {"TCPServer": "UnixStreamServer", "ThreadingTCPServer": "ThreadingUnixStreamServer"}
    chain = finished(server, connect)
    look_up = [cls.__name__ for cls in order(chain.server)]
    if family.name == "unix":
        assert look_up == [
            "ThreadingUnixStreamServer",
            "ThreadingMixIn",
            "UnixStreamServer",
            "TCPServer",
            "BaseServer",
            "object",
        ]
        assert names["TCPServer"] in look_up
    else:
        assert "->".join(look_up) == LOOK_UP + "->object"
    assert found(chain, 0) == TUTORIAL
    assert found(chain, 1) == TUTORIAL_THREAD
    assert [call.state for call in chain.calls if call.name != "serve_forever"] == [CallState.RETURNED] * 15
    assert all(call.seconds >= 0 for call in chain.calls if call.name != "serve_forever")
    assert chain.threads == (server.thread.name, chain.threads[1]) and "worker" in chain.threads[1]


def test_a_plain_server_makes_all_calls_in_one_thread(serve, connect):
    chain = finished(serve(Myserver, socketserver.TCPServer), connect)
    plain = [(name, "BaseServer" if name == "process_request" else cls) for name, cls in TUTORIAL]
    assert found(chain) == plain + TUTORIAL_THREAD[1:]
    assert {call.column for call in chain.calls} == {0}
    depths = {call.name: call.depth for call in chain.calls}
    assert depths["process_request"] < depths["finish_request"] < depths["setup"] == depths["handle"]


@pytest.mark.parametrize("family", ["ipv4", "unix"], indirect=True)
@pytest.mark.parametrize("server_class", [socketserver.UDPServer, socketserver.ThreadingUDPServer])
def test_the_chain_of_a_datagram(serve, connect, family, server_class, until):
    server = serve(Datagram, server_class)
    client = connect(server)
    for _ in range(2):  # the second datagram of a peer has a chain of its own
        assert ask(client) == b"hello"
    until(lambda: found(server[1].call_chain)[-1][0] == "close_request")
    until(lambda: server[1].call_chain.calls[-1].state is CallState.RETURNED)
    chain = server[1].call_chain
    threading_udp = server_class is socketserver.ThreadingUDPServer
    names = [name for name, _ in TUTORIAL + TUTORIAL_THREAD if threading_udp or name != "process_request_thread"]
    assert [call.name for call in chain.calls] == names
    suppliers = dict(found(chain))
    assert suppliers["get_request"] == suppliers["server_activate"] == suppliers["shutdown_request"] == "UDPServer"
    assert suppliers["server_bind"] == "TCPServer"
    assert suppliers["process_request"] == ("ThreadingMixIn" if threading_udp else "BaseServer")
    assert max(call.column for call in chain.calls) == int(threading_udp)


class Own(socketserver.ThreadingTCPServer):
    """Overrides every hook; one of them goes its own way with threads."""

    def server_bind(self):
        super().server_bind()

    def get_request(self):
        return super().get_request()

    def verify_request(self, request, client_address):
        return True

    def process_request(self, request, client_address):
        threading.Thread(target=self.process_request_thread, args=(request, client_address), name="my own").start()

    def finish_request(self, request, client_address):
        super().finish_request(request, client_address)

    def shutdown_request(self, request):
        request.shutdown(socket.SHUT_WR)
        self.close_request(request)

    def close_request(self, request):
        request.close()


class OwnInit(Myserver):
    def __init__(self, request, client_address, server):
        self.colour = "blue"
        super().__init__(request, client_address, server)

    def setup(self):
        self.at_setup = set(vars(self))
        super().setup()


def test_hooks_that_are_overridden_are_found_in_the_students_class(serve, connect):
    chain = finished(serve(OwnInit, Own), connect)
    overridden = {name for name, value in vars(Own).items() if callable(value)}
    assert [name for name, _ in found(chain)] == [name for name, _ in TUTORIAL + TUTORIAL_THREAD]
    by_name = {call.name: call.supplier for call in chain.calls if call.of == "server"}
    assert {name for name, cls in by_name.items() if cls is Own} == overridden
    assert {c.name: c.supplier for c in chain.calls if c.of == "handler"} == {
        "__init__": OwnInit,
        "setup": OwnInit,
        "handle": Myserver,
        "finish": socketserver.BaseRequestHandler,
    }
    assert chain.threads[1] == "my own"


@pytest.mark.parametrize("make", [Myserver, OwnInit, partial(OwnInit)], ids=["plain", "own __init__", "partial"])
def test_the_handler_looks_as_if_nobody_had_watched(serve, connect, make, until):
    kept = []

    class Keeps(make.func if isinstance(make, partial) else make):
        def handle(self):
            kept.append(self)
            super().handle()

    server = serve(partial(Keeps) if isinstance(make, partial) else Keeps)
    chain = finished(server, connect)
    (handler,) = kept
    plain = {"request", "client_address", "server"}
    extra = {"colour", "at_setup"} if issubclass(Keeps, OwnInit) else set()
    assert handler.seen.keys() == plain | extra and handler.seen["client_address"] == handler.client_address
    assert vars(handler).keys() == plain | extra | {"seen"}
    if extra:
        assert handler.at_setup == plain | {"colour"}
    assert chain.handler is Keeps
    assert found(chain)[-6:-2] == [
        ("__init__", "OwnInit" if extra else "BaseRequestHandler"),
        ("setup", "OwnInit" if extra else "BaseRequestHandler"),
        ("handle", "Keeps"),
        ("finish", "BaseRequestHandler"),
    ]


class Slotted(socketserver.BaseRequestHandler):
    __slots__ = ("request", "client_address", "server", "count")

    def __init__(self, *args):
        self.count = 0
        super().__init__(*args)

    def __getattr__(self, name):
        raise AttributeError(f"nobody has {name}")

    def handle(self):
        self.count += 1
        if self.count < 3:
            self.handle()  # the student's own call is no step of the chain
        else:
            self.request.sendall(self.request.recv(100))


def test_slots_getattr_and_a_handle_that_calls_itself(serve, connect):
    chain = finished(serve(Slotted), connect)
    assert [name for name, _ in found(chain)] == [name for name, _ in TUTORIAL + TUTORIAL_THREAD]


class Fails(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.readline()
        raise ValueError("on purpose")


def test_what_raised_is_told_and_finish_is_called_all_the_same(serve, connect):
    server = serve(Fails)
    client = connect(server, 1)
    client.sendall(b"x\n")
    server[1].wait_closed(5)
    chain = server[1].call_chain
    states = {(call.name, call.of): call.state for call in chain.calls}
    raised = {name for (name, _), state in states.items() if state is CallState.RAISED}
    assert raised == {"finish_request", "__init__", "handle"}
    assert states["finish", "handler"] is CallState.RETURNED
    assert ("handle_error", "BaseServer") in found(chain)
    assert dict(found(chain))["setup"] == dict(found(chain))["finish"] == "StreamRequestHandler"


def test_who_is_not_let_in_is_shut_down_at_once(serve, connect):
    class Refuses(socketserver.ThreadingTCPServer):
        def verify_request(self, request, client_address):
            return False

    server = serve(Myserver, Refuses)
    assert connect(server).recv(1) == b""
    server.wait_for_connections(1, 5)
    server[1].wait_closed(5)
    names = [name for name, _ in found(server[1].call_chain)]
    assert names[-3:] == ["verify_request", "shutdown_request", "close_request"]


def test_a_chain_is_there_while_the_handler_waits_and_says_what_is_to_come(serve, connect):
    server = serve(Myserver)
    handled(server, connect, 1)
    chain = server[1].call_chain
    assert found(chain, 0) == TUTORIAL
    states = {call.name: call.state for call in chain.calls if call.column}
    assert states["finish"] is states["close_request"] is CallState.TO_COME
    text = str(chain)
    assert "ThreadingMixIn" in text and "to come" in text and "nbserver-serve" in text


def test_a_server_that_was_made_before_it_was_observed_says_so(connect):
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Myserver) as base, net.Server(base) as server:
        server.start() if server.state.value == "new" else None
        chain = finished(server, connect)
        assert found(chain, 0) == TUTORIAL
        assert [call.state for call in chain.calls[:3]] == [CallState.UNSEEN] * 3


def test_our_classes_are_never_named(serve, connect):
    server = serve(Myserver)
    chain = finished(server, connect)
    assert "nbserver" not in {call.supplier.__module__.split(".")[0] for call in chain.calls}
    assert [call.name for call in expected(chain.server)] == [name for name, _ in TUTORIAL[4:] + TUTORIAL_THREAD]


def test_of_too_many_at_once_the_calls_are_not_noted_and_that_is_said(serve, connect, monkeypatch):
    monkeypatch.setattr(steps, "NOTED_A_SECOND", 2)
    monkeypatch.setattr(steps, "now", lambda: 5.0)  # they all come in one second
    server = serve(Myserver)
    clients = handled(server, connect, 4)
    assert [server[n].call_chain.is_noted for n in (1, 2, 3, 4)] == [True, True, False, False]
    assert "its own calls were not noted" in str(server[3].call_chain)
    names = [call.name for call in server[3].call_chain.calls]
    assert names == ["__init__", "server_bind", "server_activate", "serve_forever"]
    server[3].slow_motion()
    assert all(ask(client) == b"hello" for client in clients)
    assert server[3].wait_held(5) == "shutdown_request" and server[3].call_chain.is_noted
    assert stepped(server, 3, 2) == ["shutdown_request", "close_request"]
    server[3].wait_closed(5)
    server.slow_motion()  # whoever comes is noted, then, or could not be held
    late = connect(server)
    assert stepped(server, 0, 2) == ["_handle_request_noblock", "get_request"]
    assert server.wait_held(5, 5) == {5: "verify_request"}
    server.slow_motion(False)
    assert ask(late) == b"hello"


def test_who_is_not_noted_is_refused_like_anybody(serve, connect, monkeypatch):
    class Choosy(socketserver.ThreadingTCPServer):
        def verify_request(self, request, client_address):
            return False

    monkeypatch.setattr(steps, "NOTED_A_SECOND", 1)
    monkeypatch.setattr(steps, "now", lambda: 5.0)  # they all come in one second
    server = serve(Myserver, Choosy)
    for number in (1, 2):
        assert connect(server, number).recv(1) == b""
        server[number].wait_closed(5)
        assert server[number].note == "refused by verify_request()"
    assert not server[2].call_chain.is_noted and server.observation.errors == 0


@pytest.mark.parametrize("number", [1, 2], ids=["noted", "not noted"])
def test_a_process_request_that_raises_when_the_thread_has_begun_is_told(serve, connect, monkeypatch, number):
    class Late(socketserver.ThreadingTCPServer):
        def process_request(self, request, client_address):
            super().process_request(request, client_address)
            raise ValueError("too late")

    monkeypatch.setattr(steps, "NOTED_A_SECOND", 1)
    monkeypatch.setattr(steps, "now", lambda: 5.0)
    server = serve(Myserver, Late)
    for one in range(1, number + 1):
        connect(server, one)
        server[one].wait_closed(5)
        # Its own thread may have met the closed socket first, and said so, too.
        told = partial(lambda one: [event.data for event in server[one].transcript if event.kind is Kind.ERROR], one)
        assert server.journal.wait_for(lambda told=told: any(b"too late" in text for text in told()), 5)
    chain = server[number].call_chain
    assert chain.is_noted is (number == 1)
    assert ("process_request" in [call.name for call in chain.calls]) is chain.is_noted


def test_datagrams_that_are_not_noted_are_answered(serve, connect, monkeypatch):
    monkeypatch.setattr(steps, "NOTED_A_SECOND", 1)
    monkeypatch.setattr(steps, "now", lambda: 5.0)

    class Shout(socketserver.BaseRequestHandler):
        def handle(self):
            self.request[1].sendto(self.request[0].upper(), self.client_address)

    server = serve(Shout, socketserver.ThreadingUDPServer, ("127.0.0.1", 0))
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        for word in (b"one", b"two", b"three"):
            client.sendto(word, server.address)
            assert client.recv(100) == word.upper()
    assert not server[1].call_chain.is_noted and server.observation.errors == 0


# ── slow motion ──


def stepped(server, number, times):
    return [server.next(number, timeout=5)[number] for _ in range(times)]


def test_each_step_waits_for_next_and_others_wait_in_the_backlog(serve, connect):
    server = serve(Myserver)
    server.slow_motion()
    client, other = connect(server), connect(server)
    assert server.wait_held(5) == {0: "_handle_request_noblock"}
    assert stepped(server, 0, 2) == ["_handle_request_noblock", "get_request"]
    assert server.wait_held(5, 1) == {1: "verify_request"}
    if server.backlog is not None:
        assert server.backlog == 1
    client.send(b"hello")
    assert [server[1].next(5) for _ in range(2)] == ["verify_request", "process_request"]
    server.wait_held(
        5, 0
    )  # the accept loop is before the next client, the first one's thread before its own first step
    assert server[1].wait_held(5) == "process_request_thread" and server.held[0] == "_handle_request_noblock"
    assert server[1].status == "held" and "held" in server[1].title
    rest = [name for name, _ in TUTORIAL_THREAD]
    assert [server[1].next(5) for _ in rest] == rest
    server[1].wait_closed(5)
    assert client.recv(10) == b"hello"
    assert found(server[1].call_chain) == TUTORIAL + TUTORIAL_THREAD
    server.slow_motion(False)
    assert ask(other) == b"hello"


def test_three_connections_in_any_order_one_stopped_in_the_middle(serve, connect):
    server = serve(Myserver)
    clients = handled(server, connect, 3)
    server.slow_motion()
    for number, client in enumerate(clients, 1):
        client.send(b"%d" % number)
        assert server[number].wait_held(5) == "finish"
    assert server.held == {1: "finish", 2: "finish", 3: "finish"}
    assert server[3].next(5) == "finish"
    assert server[3].wait_held(5) == "shutdown_request"
    server[2].close()  # its steps are made at once
    server[2].wait_closed(5)
    assert server[1].held == "finish"
    assert stepped(server, 1, 3) == ["finish", "shutdown_request", "close_request"]
    server[1].wait_closed(5)
    server[3].reset()
    server[3].wait_closed(5)
    assert server.held == {} and server.is_slow
    with pytest.raises(NotHeard):
        server.next(timeout=0)


def test_one_connection_alone_is_slow(serve, connect):
    server = serve(Myserver)
    slow, quick = handled(server, connect, 2)
    server[1].slow_motion()
    assert server[1].is_slow and not server[2].is_slow and not server.is_slow
    for client in (slow, quick):
        assert ask(client) == b"hello"
    server[2].wait_closed(5)
    assert server[1].wait_held(5) == "finish"
    slow.close()  # it has left: nothing hangs, and nothing is forgotten
    server[1].slow_motion(False)
    server[1].wait_closed(5)


@pytest.mark.parametrize("end", ["stop", "shutdown", "server_close"])
def test_the_end_of_the_server_is_the_end_of_slow_motion(serve, connect, end):
    server = serve(Myserver)
    (client,) = handled(server, connect, 1)
    server.slow_motion()
    assert ask(client) == b"hello"
    connect(server)
    server.wait_held(5, 0)
    server.wait_held(5, 1)
    report = server.stop() if end == "stop" else getattr(server.base, end)() or server.stop()
    assert report.seconds < 1 and not report.stragglers
    server.slow_motion()  # it is over
    assert not server.is_slow and server.held == {}


def test_a_limit_of_time_does_not_bite_while_it_is_held(serve, connect, until):
    server = serve(Myserver, limits=net.Limits(first_byte_seconds=0.2))
    server.slow_motion()
    connect(server)
    assert stepped(server, 0, 2) == ["_handle_request_noblock", "get_request"]
    assert stepped(server, 1, 6)[-1] == "setup"
    assert server[1].wait_held(5) == "handle"
    looked = threading.Event()
    seen = []
    server.observation.call_regularly(
        type("Ticks", (), {"tick": lambda self: seen.append(1) or len(seen) < 5 or looked.set()})()
    )
    assert looked.wait(5)  # the clock has looked five times, half a second has gone by
    assert not server[1].is_over and server[1].held == "handle"
    server[1].next(5)
    server[1].wait_closed(5)
    assert "sent nothing for 0.2 s" in server[1].note


def test_the_journal_has_it(serve, connect):
    server = serve(Myserver)
    server.slow_motion()
    connect(server)
    server.wait_held(5)
    server.slow_motion(False)
    told = [(event.connection, event.data.decode()) for event in server.journal if event.kind is Kind.STEP]
    assert told == [
        (0, "slow motion: each step waits for next()"),
        (0, "held before _handle_request_noblock()"),
        (0, "slow motion has ended"),
    ]


def test_a_plain_server_is_held_with_its_accept_loop(serve, connect):
    server = serve(Myserver, socketserver.TCPServer)
    server.slow_motion()
    client = connect(server)
    names = [name for name, _ in TUTORIAL[4:] + TUTORIAL_THREAD[1:]]
    client.send(b"hello")
    assert [next(iter(server.next(timeout=5).values())) for _ in names] == names
    server[1].wait_closed(5)
