"""The fault table (FAULTS.md), faults of the handler: each test is named after its row, and runs on each family."""

from __future__ import annotations

import contextlib
import socketserver
import threading
import time

import pytest

from nbserver import net
from nbserver.errors import InputClosed
from nbserver.events import Kind
from nbserver.states import ConnectionState, ServerState

pytestmark = [
    pytest.mark.usefixtures("survives"),
    pytest.mark.parametrize("family", ["ipv4", "ipv6", "unix"], indirect=True),
]
both_classes = pytest.mark.parametrize("server_class", [socketserver.TCPServer, socketserver.ThreadingTCPServer])


class OwnError(BaseException):
    pass


def reports(connection):
    return [e.data.decode() for e in connection.transcript if e.kind is Kind.ERROR]


def test_fault_31_exception_in_handle(serve, connect):
    class Fails(socketserver.BaseRequestHandler):
        def handle(self):
            if self.request.recv(10) == b"fail":
                raise ValueError("\x1b[2Jboom")

    server = serve(Fails)
    healthy = connect(server, 1)
    connect(server, 2).sendall(b"fail")
    server[2].wait_closed(5)
    assert server[2].state is ConnectionState.FAILED
    assert server[2].note == r"ValueError: \x1b[2Jboom"
    (report,) = reports(server[2])
    assert "in handle" in report and "nbserver/net" not in report
    assert server.observation.errors == 1
    assert not server[1].is_over
    healthy.sendall(b"x")
    server[1].wait_closed(5)
    assert server[1].state is ConnectionState.CLOSED


@both_classes
@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), OwnError("own")], ids=repr)
def test_fault_32_base_exceptions(serve, connect, server_class, error):
    class Fails(socketserver.BaseRequestHandler):
        def handle(self):
            if self.request.recv(10) == b"fail":
                raise error
            self.request.sendall(b"fine")

    server = serve(Fails, server_class)
    connect(server, 1).sendall(b"fail")
    server[1].wait_closed(5)
    is_exit = isinstance(error, SystemExit)
    assert server[1].state is (ConnectionState.CLOSED if is_exit else ConnectionState.FAILED)
    assert ("exit()" if is_exit else type(error).__name__) in server[1].note
    client = connect(server, 2)
    client.sendall(b"x")
    assert client.recv(10) == b"fine"


@pytest.mark.parametrize("places", [["setup"], ["finish"], ["handle", "finish"]])
def test_fault_33_exceptions_in_setup_and_finish(serve, connect, places):
    class Fails(socketserver.StreamRequestHandler):
        def setup(self):
            super().setup()
            self.fail("setup")

        def handle(self):
            self.fail("handle")

        def finish(self):
            super().finish()
            self.fail("finish")

        def fail(self, place):
            if place in places:
                raise ValueError(f"in {place}()")

    server = serve(Fails)
    client = connect(server, 1)
    assert client.recv(1) == b""
    server[1].wait_closed(5)
    (report,) = reports(server[1])
    assert all(f"ValueError: in {place}()" in report for place in places)
    assert server.observation.errors == 1


@both_classes
@pytest.mark.parametrize(
    "hook", ["verify_request", "get_request", "process_request", "service_actions", "handle_error"]
)
def test_fault_34_exceptions_in_hooks(serve, connect, family, server_class, hook):
    def fails(self, *args):
        if self.failures:
            self.failures -= 1
            raise ValueError("a hook's mistake")
        return getattr(super(Hooked, self), hook)(*args)

    class Fails(socketserver.BaseRequestHandler):
        def handle(self):
            if hook == "handle_error" and self.request.recv(10) == b"fail":
                raise ValueError("the handler's mistake")
            self.request.sendall(b"x")

    Hooked = type("Hooked", (family.of(server_class),), {hook: fails, "failures": 0})  # noqa: N806
    server = serve(Fails, Hooked)
    server.base.failures = 2
    client = connect(server)
    with contextlib.suppress(BrokenPipeError):  # the server was faster
        client.sendall(b"fail")
    if hook in ("get_request", "service_actions"):
        assert client.recv(1) == b"x"
        assert server.journal.wait_for(lambda: "a hook's mistake" in server.observation.trouble, 5)
    else:
        with contextlib.suppress(ConnectionResetError):  # it was not read before it was closed
            assert client.recv(1) == b""
        server[1].wait_closed(5)
        assert server[1].state is ConnectionState.FAILED
        assert "mistake" in "".join(reports(server[1]))
        if hook == "handle_error":
            assert server.journal.wait_for(lambda: "a hook's mistake" in server.observation.trouble, 5)
    server.base.failures = 0
    client = connect(server)
    with contextlib.suppress(BrokenPipeError):
        client.sendall(b"fine")
    assert client.recv(1) == b"x"


def test_fault_34_a_hook_that_always_fails_does_not_spin(serve, connect, family):
    class Fails(family.of(socketserver.ThreadingTCPServer)):
        calls = 0
        has_failed_enough = False

        def get_request(self):
            if self.has_failed_enough:
                return super().get_request()
            self.calls += 1
            raise ValueError("never accepts")

    server = serve(net.Echo, Fails)
    connect(server)
    assert server.journal.wait_for(lambda: server.base.calls >= 3, 5)
    calls, began = server.base.calls, time.monotonic()
    server.journal.wait_for(lambda: False, 0.3)
    assert server.base.calls - calls <= 1 + (time.monotonic() - began) / 0.05
    server.base.has_failed_enough = True


def test_fault_35_handler_never_returns(serve, connect):
    release = threading.Event()

    class Ignores(socketserver.BaseRequestHandler):
        def handle(self):
            release.wait()

    server = serve(Ignores)
    connect(server, 1)
    report = server.stop(grace=0.1)
    assert [c.number for c in report.stragglers] == [1] and report.seconds < 0.5
    release.set()
    server[1].wait_closed(5)


@both_classes
@pytest.mark.parametrize("name", ["shutdown", "server_close"])
def test_fault_36_handler_ends_its_own_server(serve, connect, server_class, name):
    seconds = []

    class Ends(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(1)
            began = time.monotonic()
            getattr(self.server, name)()
            seconds.append(time.monotonic() - began)

    server = serve(Ends, server_class)
    connect(server, 1).sendall(b"x")
    assert server.journal.wait_for(lambda: server.state is ServerState.STOPPED, 5)
    server[1].wait_closed(5)
    assert seconds[0] < 0.3


def test_an_input_in_a_handler_ends_with_the_named_error(serve, connect):
    caught = []

    class Catches(socketserver.BaseRequestHandler):
        def handle(self):
            try:
                input()
            except EOFError as error:
                caught.append(error)

    server = serve(Catches)
    connect(server, 1)
    assert server[1].wait_waiting(5)
    server[1].close()
    server[1].wait_closed(5)
    assert [type(error) for error in caught] == [InputClosed]
