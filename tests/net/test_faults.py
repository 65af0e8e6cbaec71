"""The fault table (FAULTS.md): each test is named after its row."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import socket
import socketserver
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from nbserver import net
from nbserver.errors import AddressError, ConnectionEnded, InputClosed, NotReading
from nbserver.events import Kind
from nbserver.states import ConnectionState, ServerState
from nbserver.text import Decoder, safe_text

ROOT = Path(__file__).resolve().parents[2]
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def reset(client):
    """Close so that the server gets RST."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    client.close()


def is_echoed(server):
    """The invariant after every fault: a new client is echoed within a second."""
    with socket.create_connection(server.address, 1) as client:
        client.settimeout(1)
        client.sendall(b"are you there?")
        return client.recv(100) == b"are you there?"


def states(server):
    return [connection.state for connection in server.connections.values()]


@pytest.fixture
def echo(serve):
    server = serve(net.Echo)
    yield server
    assert is_echoed(server)
    assert server.thread.is_alive()


class Asks(socketserver.BaseRequestHandler):
    def handle(self):
        while self.request.recv(100):
            self.request.sendall(input("> ").encode())


# --- peer misbehaviour --------------------------------------------------------------------------------------


def test_fault_01_reset_before_accept(echo, connect):
    for _ in range(20):
        reset(connect(echo))
    assert is_echoed(echo)
    echo.wait_connections(1, 5)
    assert echo.observation.errors == 0 and not echo.observation.trouble


def test_fault_02_reset_while_receiving(echo, connect, until):
    client = connect(echo, 1)
    until(lambda: echo[1].status == "receiving")
    reset(client)
    echo[1].wait_closed(5)
    assert echo[1].state is ConnectionState.RESET
    assert echo[1].note == "the peer vanished while waiting for it (ConnectionResetError)"
    assert echo.observation.errors == 0
    assert Kind.ERROR not in [e.kind for e in echo[1].transcript]


def test_fault_03_reset_while_sending(serve, connect, until):
    class Floods(socketserver.BaseRequestHandler):
        def handle(self):
            while True:
                self.request.sendall(b"x" * 300_000)

    server = serve(Floods)
    client = connect(server, 1)
    until(lambda: server[1].messages_out > 2 and server[1].status == "sending")
    reset(client)
    server[1].wait_closed(5)
    assert server[1].state is ConnectionState.RESET
    assert "vanished while sending" in server[1].note
    assert server[1].bytes_out == server[1].messages_out * 300_000 > 0


def test_fault_04_300_resets_in_a_row(echo, connect):
    for _ in range(300):
        reset(connect(echo))
    assert is_echoed(echo)
    assert echo.journal.wait_for(lambda: not echo.observation.live, 5)
    assert len(threading.enumerate()) < 320
    assert set(states(echo)) <= {ConnectionState.RESET, ConnectionState.CLOSED}


def test_fault_05_half_close(serve, connect):
    server = serve(Asks)
    client = connect(server, 1)
    client.sendall(b"one")
    client.shutdown(socket.SHUT_WR)
    assert server.journal.wait_for(lambda: server[1].is_waiting and server[1].state is ConnectionState.HALF_CLOSED, 5)
    assert server[1].status == "waiting"
    time.sleep(0.6)  # longer than the watch takes to look again: it must find that the client still reads
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
    leave(client)
    server[1].wait_closed(5)
    assert not server[1].is_waiting
    assert server[1].state is (ConnectionState.RESET if leave is reset else ConnectionState.CLOSED)
    with pytest.raises(ConnectionEnded, match="connection 1 has ended"):
        server[1].reply("too late")
    with pytest.raises(ConnectionEnded):
        server.reply(1, "too late", ask=1)
    assert server.observation.errors == 0


def test_fault_08_slow_reader(echo, connect, until):
    class Floods(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.sendall(b"x" * 50_000_000)

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
    assert server.journal.wait_for(lambda: b"".join(e.data for e in printed(server[1])).endswith(b" end"), 5)
    assert server.observation.errors == 0


def printed(connection):
    return [e for e in connection.transcript if e.kind is Kind.PRINTED]


def test_fault_20_beyond_max_connections(serve, connect):
    server = serve(net.Echo, limits=net.Limits(max_connections=3))
    clients = [connect(server) for _ in range(5)]
    server.wait_connections(3, 5)
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


# --- resources ----------------------------------------------------------------------------------------------

NO_DESCRIPTORS = """
import resource, socket, time, os
import nbserver.net as net
from nbserver.events import Kind
server = net.listen(net.Echo).start()
client = socket.create_connection(server.address)
client.settimeout(5)
server.wait_connections(1, 5)
waiting = [socket.socket() for _ in range(3)]
resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
spare = []
try:
    while True: spare.append(os.open("/dev/null", os.O_RDONLY))
except OSError: pass
for one in waiting: one.connect(server.address)
began, cpu = time.monotonic(), time.process_time()
while time.monotonic() < began + 1:
    client.sendall(b"x")
    assert client.recv(1) == b"x"
    time.sleep(0.02)
cpu = time.process_time() - cpu
reports = [e.data for e in server.journal if e.kind is Kind.TROUBLE]
assert 1 <= len(reports) <= 10, reports
assert reports[0].startswith(b"cannot accept: Too many open files"), reports
assert cpu < 0.1, cpu
for fd in spare: os.close(fd)
began = time.monotonic()
for one in waiting:
    one.settimeout(5)
    one.sendall(b"y")
    assert one.recv(1) == b"y"
assert time.monotonic() - began < 1.5
assert not server.stop().stragglers
print("recovered")
"""


def test_fault_21_no_descriptors_left():
    done = subprocess.run(
        [sys.executable, "-c", NO_DESCRIPTORS],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.stdout, done.stderr) == ("recovered\n", "")


@pytest.mark.parametrize("code", [errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
def test_fault_23_lack_of_resources_by_fault_injection(serve, code):
    class Fails(socketserver.ThreadingTCPServer):
        failures = 3

        def get_request(self):
            if self.failures:
                self.failures -= 1
                raise OSError(code, os.strerror(code))
            return super().get_request()

    server = serve(net.Echo, Fails)
    assert is_echoed(server)
    assert "trying again in" in server.observation.trouble


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), MemoryError()])
def test_fault_25_and_26_no_thread_to_be_had(echo, connect, monkeypatch, error):
    def no_start(thread):
        if "worker" in thread.name:
            raise error
        start(thread)

    start = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", no_start)
    client = connect(echo, 1)
    assert client.recv(1) == b""
    echo[1].wait_closed(5)
    monkeypatch.undo()
    troubles = [e.data for e in echo.journal if e.kind is Kind.TROUBLE]
    assert len(troubles) == 1 and b"no thread for a connection" in troubles[0]


def test_fault_25_no_thread_for_the_accept_loop(monkeypatch):
    def no_start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_start)
    server = net.listen(net.Echo)
    with pytest.raises(OSError, match="no thread for the accept loop"):
        server.start()
    assert server.state is ServerState.STOPPED
    assert server.base.fileno() == -1


def test_fault_25_no_thread_for_the_watch(serve, connect, monkeypatch):
    def no_start(thread):
        if "watch" in thread.name:
            raise RuntimeError("can't start new thread")
        start(thread)

    start = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", no_start)
    server = serve(Asks)
    client = connect(server, 1)
    client.sendall(b"x")
    assert server[1].wait_waiting(5)
    server[1].reply("all the same")
    assert client.recv(100) == b"all the same"


# --- faults of the handler ----------------------------------------------------------------------------------


class OwnError(BaseException):
    pass


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
    (report,) = [e.data.decode() for e in server[2].transcript if e.kind is Kind.ERROR]
    assert "in handle" in report and "nbserver/net" not in report
    assert server.observation.errors == 1
    assert not server[1].is_over
    healthy.sendall(b"x")
    server[1].wait_closed(5)
    assert server[1].state is ConnectionState.CLOSED


@pytest.mark.parametrize("server_class", [socketserver.TCPServer, socketserver.ThreadingTCPServer])
@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), OwnError("own")])
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
    (report,) = [e.data.decode() for e in server[1].transcript if e.kind is Kind.ERROR]
    assert all(f"ValueError: in {place}()" in report for place in places)
    assert server.observation.errors == 1


@pytest.mark.parametrize("server_class", [socketserver.TCPServer, socketserver.ThreadingTCPServer])
@pytest.mark.parametrize(
    "hook", ["verify_request", "get_request", "process_request", "service_actions", "handle_error"]
)
def test_fault_34_exceptions_in_hooks(serve, connect, server_class, hook):
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

    Hooked = type("Hooked", (server_class,), {hook: fails, "failures": 0})  # noqa: N806
    server = serve(Fails, Hooked)
    server.base.failures = 2
    client = connect(server)
    client.sendall(b"fail")
    if hook in ("get_request", "service_actions"):
        assert client.recv(1) == b"x"
        assert server.journal.wait_for(lambda: "a hook's mistake" in server.observation.trouble, 5)
    else:
        with contextlib.suppress(ConnectionResetError):  # it was not read before it was closed
            assert client.recv(1) == b""
        server[1].wait_closed(5)
        assert server[1].state is ConnectionState.FAILED
        assert b"mistake" in b"".join(e.data for e in server[1].transcript if e.kind is Kind.ERROR)
        if hook == "handle_error":
            assert server.journal.wait_for(lambda: "a hook's mistake" in server.observation.trouble, 5)
    server.base.failures = 0
    client = connect(server)
    client.sendall(b"fine")
    assert client.recv(1) == b"x"


def test_fault_34_a_hook_that_always_fails_does_not_spin(serve, connect):
    class Fails(socketserver.ThreadingTCPServer):
        calls = 0

        def get_request(self):
            self.calls += 1
            raise ValueError("never accepts")

    server = serve(net.Echo, Fails)
    connect(server)
    assert server.journal.wait_for(lambda: server.base.calls >= 3, 5)
    calls, began = server.base.calls, time.monotonic()
    server.journal.wait_for(lambda: False, 0.3)
    assert server.base.calls - calls <= 1 + (time.monotonic() - began) / 0.05


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


@pytest.mark.parametrize("server_class", [socketserver.TCPServer, socketserver.ThreadingTCPServer])
@pytest.mark.parametrize("name", ["shutdown", "server_close"])
def test_fault_36_handler_ends_its_own_server(serve, connect, server_class, name):
    class Ends(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(1)
            getattr(self.server, name)()

    server = serve(Ends, server_class)
    connect(server, 1).sendall(b"x")
    assert server.journal.wait_for(lambda: server.state is ServerState.STOPPED, 5)
    server[1].wait_closed(5)


# --- life cycle ---------------------------------------------------------------------------------------------


def test_fault_39_port_in_use_by_our_own_server(serve):
    server = serve()
    server.cell = "cell [3]"
    words = r"in use: this notebook's server .* \(made in cell \[3\]\) holds it"
    with pytest.raises(AddressError, match=words) as caught:
        net.listen(net.Echo, server.address)
    assert caught.value.errno == errno.EADDRINUSE
    assert caught.value._render_traceback_() == [f"AddressError: {caught.value}"]


def test_fault_39_port_in_use_by_another(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(AddressError, match="is in use: this process"):
        net.listen(net.Echo, other.getsockname())
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "s"))
        with pytest.raises(AddressError, match="another server, or a file of an earlier one"):
            net.listen(net.Echo, str(tmp_path / "s"), socketserver.UnixStreamServer)
    with pytest.raises(AddressError, match="cannot be bound: .*No such file"):
        net.listen(net.Echo, str(tmp_path / "missing" / "s"), socketserver.UnixStreamServer)


@pytest.mark.parametrize(
    ("address", "words"), [(("127.0.0.1", 80), "administrators"), (("127.0.0.1", 8080), "may not")]
)
def test_fault_39_privileged_port(address, words):
    error = net.address_error(PermissionError(errno.EACCES, "Permission denied"), address)
    assert words in str(error) and "above 1023" in str(error)
    assert isinstance(error, OSError) and error.errno == errno.EACCES


def test_fault_39_address_of_another_machine():
    with pytest.raises(AddressError, match="'192.0.2.1' is not an address of this machine"):
        net.listen(net.Echo, ("192.0.2.1", 0))


def test_fault_41_rebinding_with_clients_in_time_wait(serve, connect):
    server = serve(net.Echo)
    client = connect(server, 1)
    server.stop()
    assert client.recv(1) == b""
    client.close()
    again = serve(net.Echo, address=server.address)
    assert is_echoed(again)


@pytest.mark.parametrize("base", [socketserver.TCPServer, socketserver.ThreadingTCPServer, socketserver.UDPServer])
def test_fault_42_shutdown_in_every_state(base):
    server = net.observed_class(base)(("127.0.0.1", 0), net.Echo)

    def quickly(step):
        began = time.monotonic()
        step()
        assert time.monotonic() - began < 0.3

    quickly(server.shutdown)
    quickly(server.serve_forever)  # told to stop before it began, as the standard library's is
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    assert server.observation.journal is not None
    while server._loop.thread is None:
        time.sleep(0.001)  # until it has begun
    with pytest.raises(RuntimeError, match="being served already"):
        server.serve_forever()
    quickly(server.shutdown)
    quickly(server.shutdown)
    thread.join(5)
    quickly(server.server_close)
    quickly(server.shutdown)


def test_fault_43_200_starts_and_stops(connect):
    for number in range(200):
        server = net.listen(net.Echo).start()
        if number % 10 == 0:
            connect(server, 1)
        assert not server.stop().stragglers


def test_fault_44_server_close_while_serving(serve):
    server = serve(net.Echo)
    server.base.server_close()
    server.thread.join(5)
    assert not server.thread.is_alive()
    assert server.state is ServerState.STOPPED


def test_fault_44_listener_closed_behind_our_back(serve):
    server = serve(net.Echo)
    server.base.socket.shutdown(socket.SHUT_RDWR)
    server.thread.join(5)
    assert server.state is ServerState.STOPPED
    assert "listening socket is gone" in server.observation.trouble


def test_fault_45_close_with_100_clients_blocked_in_recv(serve, connect, until):
    server = serve(net.Echo)
    clients = [connect(server) for _ in range(100)]
    server.wait_connections(100, 5)
    until(lambda: {c.status for c in server.observation.live} == {"receiving"})
    report = server.stop()
    assert (report.ended, report.stragglers) == (100, ())
    assert report.seconds < 1
    assert {client.recv(1) for client in clients} == {b""}
    assert {c.note for c in server.connections.values()} == {"the server was stopped"}
    assert {c.state for c in server.connections.values()} == {ConnectionState.CLOSED}
    assert Kind.EOF not in [e.kind for e in server.journal]  # it was not the clients that closed


def test_fault_46_close_while_makefile_objects_live(serve, connect):
    kept = []

    class Keeps(socketserver.BaseRequestHandler):
        def handle(self):
            kept.append(self.request.makefile("rb"))
            self.request.recv(1)

    server = serve(Keeps)
    client = connect(server, 1)
    client.sendall(b"x")
    assert client.recv(1) == b""
    server[1].wait_closed(5)
    kept.pop().close()


def test_fault_52_datagrams_larger_than_the_buffer_or_empty(serve, connect, until):
    class Small(socketserver.ThreadingUDPServer):
        max_packet_size = 1000

    class Notes(socketserver.BaseRequestHandler):
        def handle(self):
            sizes.append(len(self.request[0]))

    sizes = []
    server = serve(Notes, Small)
    client = connect(server)
    client.send(b"x" * 20_000)
    until(lambda: sizes == [1000])
    assert "was cut to max_packet_size, 1000 bytes" in server.observation.trouble
    client.send(b"")
    until(lambda: sizes == [1000, 0])
    assert server[1].messages_in == 2
    whole = serve(Notes, socketserver.ThreadingUDPServer)
    connect(whole).send(b"x" * 20_000)
    until(lambda: sizes[-1] == 20_000)
    assert not whole.observation.trouble
    with pytest.raises(net.connection.NbserverError, match="could not be sent: Message too long"):
        whole[1].send(b"x" * 65_508)


def test_fault_54_the_table_of_peers_is_bounded(serve):
    server = serve(net.Echo, socketserver.UDPServer, limits=net.Limits(max_connections=5))
    for number in range(1, 21):
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            client.sendto(b"x", server.address)
            server.wait_connections(number, 5)
    assert len(server.observation.live) == 5
    assert server[1].note.startswith("not heard for longest")


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
