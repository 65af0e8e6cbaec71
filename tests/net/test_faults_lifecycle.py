"""The fault table (FAULTS.md), life cycle: each test is named after its row, and runs on each family it concerns."""

from __future__ import annotations

import errno
import socket
import socketserver
import threading
import time

import pytest

from nbserver import net
from nbserver.errors import AddressError
from nbserver.events import Kind
from nbserver.net import traffic
from nbserver.net.binding import bind
from nbserver.states import ConnectionState, ServerState

pytestmark = pytest.mark.usefixtures("survives")
every_family = pytest.mark.parametrize("family", ["ipv4", "ipv6", "unix"], indirect=True)


@pytest.mark.parametrize("family", ["ipv4", "ipv6"], indirect=True)
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


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_fault_39_address_of_another_machine(host):
    with pytest.raises(AddressError, match=f"'{host}' is not an address of this machine"):
        net.listen(net.Echo, (host, 0))


@every_family
def test_fault_41_rebinding_with_clients_in_time_wait(serve, connect, is_echoed):
    server = serve(net.Echo)
    client = connect(server, 1)
    server.stop()
    assert client.recv(1) == b""
    client.close()
    again = serve(net.Echo, address=server.address)
    assert is_echoed(again)


@pytest.mark.parametrize("base", [socketserver.TCPServer, socketserver.ThreadingTCPServer, socketserver.UDPServer])
@every_family
def test_fault_42_shutdown_in_every_state(family, until, base):
    server = bind(family.of(base), family.address(), net.Echo)

    def quickly(step):
        began = time.monotonic()
        step()
        assert time.monotonic() - began < 0.3

    quickly(server.shutdown)
    quickly(server.serve_forever)  # told to stop before it began, as the standard library's is
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    assert server.observation.journal is not None
    until(lambda: server._loop.thread is not None)
    with pytest.raises(RuntimeError, match="being served already"):
        server.serve_forever()
    quickly(server.shutdown)
    quickly(server.shutdown)
    thread.join(5)
    quickly(server.server_close)
    quickly(server.shutdown)


SHUTDOWN_AT_THE_END = """
import atexit, gc

def quickly(server, when):
    began = time.monotonic()
    server.shutdown()
    server.server_close()
    print(when, time.monotonic() - began < 0.3, server.socket.fileno(), flush=True)

class Owner:
    def __init__(self, server):
        self.server, self.me = server, self
    def __del__(self):
        quickly(self.server, "in a destructor")

def serving():
    server = net.observed_class(socketserver.ThreadingTCPServer)(("127.0.0.1", 0), net.Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = socket.create_connection(server.server_address)  # a handler that is blocked in recv() holds up neither
    until(lambda: server.observation.live)
    return server, client

server, _ = serving()
Owner(server)
gc.collect()
left = serving()
atexit.register(quickly, left[0], "at exit")
"""
# A cycle that is left over: the interpreter collects it at its very end, when it has frozen the daemon threads.
SHUTDOWN_AFTER_THE_END = SHUTDOWN_AT_THE_END + "gc.disable(); Owner(serving()[0])"


def test_fault_42_shutdown_from_a_destructor_and_at_exit(run_program):
    run_program(SHUTDOWN_AT_THE_END, "in a destructor True -1\nat exit True -1\n")


def test_fault_42_shutdown_from_a_destructor_after_the_threads(run_program):
    run_program(SHUTDOWN_AFTER_THE_END, "in a destructor True -1\nat exit True -1\nin a destructor True -1\n", limit=10)


@every_family
def test_fault_43_200_starts_and_stops(family, connect):
    server_class = family.of(socketserver.ThreadingTCPServer)
    for number in range(200):
        server = net.listen(net.Echo, family.address(), server_class).start()
        if number % 10 == 0:
            connect(server, 1)
        assert not server.stop().stragglers


@every_family
def test_fault_44_server_close_while_serving(serve):
    server = serve(net.Echo)
    server.base.server_close()
    server.thread.join(5)
    assert not server.thread.is_alive()
    assert server.state is ServerState.STOPPED


@every_family
def test_fault_44_listener_closed_behind_our_back(serve):
    server = serve(net.Echo)
    server.base.socket.shutdown(socket.SHUT_RDWR)
    server.thread.join(5)
    assert server.state is ServerState.STOPPED
    assert "listening socket is gone" in server.observation.trouble


@every_family
def test_fault_45_close_with_100_clients_blocked_in_recv(serve, connect, until):
    server = serve(net.Echo)
    clients = [connect(server) for _ in range(100)]
    server.wait_for_connections(100, 5)
    until(lambda: {c.status for c in server.observation.live} == {"receiving"})
    report = server.stop()
    assert (report.ended, report.stragglers) == (100, ())
    assert report.seconds < 1
    assert {client.recv(1) for client in clients} == {b""}
    assert {c.note for c in server.connections.values()} == {"the server was stopped"}
    assert {c.state for c in server.connections.values()} == {ConnectionState.CLOSED}
    assert Kind.EOF not in [e.kind for e in server.journal]  # it was not the clients that closed


@every_family
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


INTERRUPTED = """
def tick(*_):
    ticks[0] += 1

def pelt():  # the alarm goes to whichever thread the system likes; this sends it to each of ours
    while not done.is_set():
        for thread in threading.enumerate():
            if thread.ident and thread.name.startswith("nbserver"):
                signal.pthread_kill(thread.ident, signal.SIGALRM)
        done.wait(0.01)

ticks, done, size = [0], threading.Event(), 20_000_000
server = listening().start()
client = connected(server)
client.setblocking(True)
signal.signal(signal.SIGALRM, tick)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
threading.Thread(target=pelt, daemon=True).start()
data = bytes(range(256)) * (size // 256)
def speak():
    client.sendall(data)
    client.shutdown(socket.SHUT_WR)
speaker = threading.Thread(target=speak)
speaker.start()
heard = bytearray()
while piece := client.recv(1_000_000):
    heard += piece
    time.sleep(0.005)  # a slow reader, so that the handler is interrupted in send() as well
speaker.join()
done.set()
signal.setitimer(signal.ITIMER_REAL, 0)
server[1].wait_closed(5)
assert heard == data, len(heard)
assert (server[1].bytes_in, server[1].bytes_out) == (len(data), len(data))
assert ticks[0] > 10, ticks
assert not server.observation.errors and not server.observation.trouble, server.observation.trouble
assert not server.stop().stragglers
print("whole")
"""


@every_family
def test_fault_50_an_alarm_100_times_a_second_loses_no_byte(run_program):
    run_program(INTERRUPTED, "whole\n")


class Asks(socketserver.BaseRequestHandler):
    def handle(self):
        while self.request.recv(100):
            self.request.sendall(input("> ").encode())


@pytest.mark.parametrize("hours", [1, -1])
@every_family
def test_fault_51_the_wall_clock_jumps(serve, connect, is_echoed, monkeypatch, hours):
    wall = time.time

    def jumped():
        return wall() + 3600 * hours

    limits = {name: 60.0 for name in vars(net.Limits()) if name.endswith("_seconds")}
    asks, echo = serve(Asks, limits=net.Limits(**limits)), serve(net.Echo, limits=net.Limits(**limits))
    asking, idle = connect(asks, 1), connect(echo, 1)
    asking.sendall(b"x")
    assert asks[1].wait_waiting(5)
    monkeypatch.setattr(time, "time", jumped)
    monkeypatch.setattr(traffic, "_time", jumped)
    began = time.monotonic()
    assert is_echoed(echo)
    asks[1].reply("after the jump")
    assert asking.recv(100) == b"after the jump"
    asks[1].send(b"past the handler")
    assert asking.recv(100) == b"past the handler"
    idle.sendall(b"still here")
    assert idle.recv(100) == b"still here"
    assert not asks.journal.wait_for(lambda: asks[1].is_over or echo[1].is_over, 0.05)
    report = echo.stop()
    assert (report.ended, report.stragglers) == (1, ()) and report.seconds < 1
    assert time.monotonic() - began < 3
