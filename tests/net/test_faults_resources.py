"""The fault table (FAULTS.md), resources: each test is named after its row, and runs on each family it concerns."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import select
import socket
import socketserver
import threading
from pathlib import Path

import pytest

from nbserver import net
from nbserver.errors import ConnectionEnded, NotReading
from nbserver.events import Kind
from nbserver.states import ServerState

pytestmark = pytest.mark.usefixtures("survives")
every_family = pytest.mark.parametrize("family", ["ipv4", "ipv6", "unix"], indirect=True)
MIB = 2**20


class Asks(socketserver.BaseRequestHandler):
    def handle(self):
        while self.request.recv(100):
            self.request.sendall(input("> ").encode())


# --- memory -------------------------------------------------------------------------------------------------


def resident():
    """How much memory this process holds, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class ShowsAll(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65_536):
            print(data.decode("latin-1"))
        self.request.sendall(b"shown")


@pytest.mark.parametrize(
    ("piece", "size"), [(b"x" * MIB, 1_000_000_000), (b"a line\n" * 1000, 3_000_000)], ids=["1 GB", "lines"]
)
def test_fault_14_a_gigabyte_to_a_handler_that_shows_everything(serve, connect, until, piece, size):
    server = serve(ShowsAll)
    client = connect(server, 1)
    half = size // len(piece) // 2
    send(client, piece, half)
    until(lambda: server[1].bytes_in == half * len(piece))
    before = resident()  # by then the journal holds as much as it ever does
    send(client, piece, size // len(piece) - half)
    client.shutdown(socket.SHUT_WR)
    assert client.recv(10) == b"shown"
    assert resident() - before < 10 * MIB
    server[1].wait_closed(5)
    kept = [event for event in server[1].transcript if event.kind in (Kind.RECEIVED, Kind.PRINTED)]
    assert 0 < sum(len(event.data) for event in kept) <= server.limits.transcript_bytes
    assert server[1].bytes_in == size // len(piece) * len(piece)


def send(client, piece, times):
    for _ in range(times):
        client.sendall(piece)


# --- descriptors --------------------------------------------------------------------------------------------

NO_DESCRIPTORS = """
server = listening().start()
client = connected(server)
server.wait_for_connections(1, 5)
waiting = [plain(server) for _ in range(3)]
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
    one.sendall(b"y")
    assert one.recv(1) == b"y"
assert time.monotonic() - began < 1.5
assert not server.stop().stragglers
print("recovered")
"""


@every_family
def test_fault_21_no_descriptors_left(run_program):
    run_program(NO_DESCRIPTORS, "recovered\n")


# Tries each thing with no descriptor left, with one, with two, ... until it can be done. Before that it raises an error
# that has a name and says why, and leaves as many descriptors in use as there were.
FEW_DESCRIPTORS = """
from nbserver.errors import UsageError
from nbserver.fleet import Client
from nbserver.fleet.client import Target

limit = 100
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

def in_use():
    return sum(os.path.exists(f"/proc/self/fd/{number}") for number in range(limit))

def attempt(free, action, *args):
    spare = [os.open("/dev/null", os.O_RDONLY) for _ in range(limit - in_use() - free)]
    try:
        return action(*args)
    except (OSError, UsageError) as error:
        assert "Too many open files" in str(error), repr(error)
    finally:
        for fd in spare: os.close(fd)

def until_it_works(what, prepare, action, undo):
    before = in_use()
    for free in range(10):
        prepared = prepare()
        made = attempt(free, action, *prepared)
        undo(*prepared, made)
        until(lambda: in_use() == before)
        if made is not None:
            break
    print(what, free > 0, made is not None)

def check_not_started(server, started):
    if started is None:
        assert (server.state, server.base.fileno()) == (ServerState.STOPPED, -1), server
        assert not net.servers() and threading.active_count() == 1
    server.stop()

listening().start().stop()  # whatever Python opens once and keeps
until_it_works("listen", tuple, listening, lambda made: made and made.stop())
until_it_works("start", lambda: (listening(),), net.Server.start, check_not_started)
server = net.listen(net.Echo).start()
target = Target(server.address)
def check_not_connected(client):
    if client is None:
        assert server.accepted == 0
    else:
        client.start()
        client.say("hello")
        assert client.hear() == "hello"
        client.close()
        until(lambda: not server.observation.live)
until_it_works("client", tuple, lambda: Client(1, target), check_not_connected)
server.stop()
"""


@every_family
def test_fault_22_no_descriptors_elsewhere(run_program):
    run_program(FEW_DESCRIPTORS, "listen True True\nstart True True\nclient True True\n")


# A handler that asks while there is no descriptor for the watch, and one that opens a file itself.
NONE_FOR_HANDLERS = """
class Asks(socketserver.BaseRequestHandler):
    def handle(self):
        if self.request.recv(100) == b"open":
            open("/dev/null")
        self.request.sendall(input("> ").encode())

server = listening(Asks).start()
asking, opening = connected(server), connected(server)
server.wait_for_connections(2, 5)
spare = []
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
try:
    while True: spare.append(os.open("/dev/null", os.O_RDONLY))
except OSError: pass
opening.sendall(b"open")
server[2].wait_closed(5)
assert (server[2].state, server[2].note[:7]) == (ConnectionState.FAILED, "OSError"), server[2].note
assert "Too many open files" in server[2].note
def has_gone():  # the descriptor that connection 2 had: taken, so that there is none for the watch
    try:
        spare.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        return False
    return True
until(has_gone)
asking.sendall(b"ask")
assert server[1].wait_waiting(5)
server[1].reply("unwatched")
assert asking.recv(100) == b"unwatched"
server[1].wait_closed(5)
for fd in spare: os.close(fd)
assert not server.stop().stragglers
until(lambda: threading.active_count() == 1)
"""


@every_family
def test_fault_22_no_descriptors_for_a_handler(run_program):
    run_program(NONE_FOR_HANDLERS, "")


@pytest.fixture(params=[1024, 2048])
def high(request):
    """New descriptors have numbers above 1 024, or 2 048, which `select.select` cannot take."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(4096, limits[0]), limits[1]))
    with contextlib.ExitStack() as stack:
        while (fd := os.open("/dev/null", os.O_RDONLY)) <= request.param:
            stack.callback(os.close, fd)
        os.close(fd)
        yield request.param
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@every_family
def test_fault_24_descriptors_with_high_numbers(high, serve, connect, monkeypatch):
    monkeypatch.setattr(select, "select", lambda *_: pytest.fail("select() was called"))
    server = serve(Asks)
    client, slow, leaving = connect(server, 1), connect(server, 2), connect(server, 3)
    assert all(c.socket.fileno() > high for c in server.connections.values())
    client.sendall(b"x")
    assert server[1].wait_waiting(5)
    server[1].reply("an answer")
    assert client.recv(100) == b"an answer"
    server[1].reply("past the handler")
    assert client.recv(100) == b"past the handler"
    with pytest.raises(NotReading):
        server[2].send(b"x" * 50_000_000, timeout=0.1)
    slow.close()
    server[2].wait_closed(5)
    leaving.sendall(b"x")
    assert server[3].wait_waiting(5)
    leaving.close()  # which the watch must notice
    server[3].wait_closed(5)
    with pytest.raises(ConnectionEnded):
        server[3].reply("too late")
    assert server.stop().ended == 1


@pytest.mark.parametrize("code", [errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
@every_family
def test_fault_23_lack_of_resources_by_fault_injection(serve, family, is_echoed, code):
    class Fails(family.of(socketserver.ThreadingTCPServer)):
        failures = 3

        def get_request(self):
            if self.failures:
                self.failures -= 1
                raise OSError(code, os.strerror(code))
            return super().get_request()

    server = serve(net.Echo, Fails)
    assert is_echoed(server)
    assert "trying again in" in server.observation.trouble


# --- threads ------------------------------------------------------------------------------------------------


@pytest.fixture
def no_thread(monkeypatch):
    """Lets threads with a word in their name fail to start."""
    start = threading.Thread.start

    def fail(word, error):
        def no_start(thread):
            if word in thread.name:
                raise error
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", no_start)

    return fail


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), MemoryError()], ids=repr)
@every_family
def test_fault_25_and_26_no_thread_to_be_had(serve, connect, no_thread, monkeypatch, error):
    server = serve(net.Echo)
    no_thread("worker", error)
    client = connect(server, 1)
    assert client.recv(1) == b""
    server[1].wait_closed(5)
    monkeypatch.undo()
    troubles = [e.data for e in server.journal if e.kind is Kind.TROUBLE]
    assert len(troubles) == 1 and b"no thread for a connection" in troubles[0]


@every_family
def test_fault_25_no_thread_for_the_accept_loop(family, no_thread):
    server = net.listen(net.Echo, family.address(), family.of(socketserver.ThreadingTCPServer))
    no_thread("serve", RuntimeError("can't start new thread"))
    with pytest.raises(OSError, match="no thread for the accept loop"):
        server.start()
    assert server.state is ServerState.STOPPED
    assert server.base.fileno() == -1


@every_family
def test_fault_25_no_thread_for_the_watch(serve, connect, no_thread):
    server = serve(Asks)
    no_thread("watch", RuntimeError("can't start new thread"))
    client = connect(server, 1)
    client.sendall(b"x")
    assert server[1].wait_waiting(5)
    server[1].reply("all the same")
    assert client.recv(100) == b"all the same"


# The system's own limit, which does not hold for the administrator. Nobody's limit is that of everybody's processes
# together, so it is set below what is in use already: then not one more is to be had.
NO_THREADS = """
import tempfile
if os.getuid() == 0:
    os.setuid(65534)
sys.argv[2] = tempfile.mkdtemp()
server = listening().start()
served = connected(server)
served.sendall(b"x")
assert served.recv(1) == b"x"
_, most = resource.getrlimit(resource.RLIMIT_NPROC)
resource.setrlimit(resource.RLIMIT_NPROC, (1, most))
refused = [connected(server) for _ in range(20)]
assert {client.recv(1) for client in refused} == {b""}
server.wait_for_connections(21, 5)
until(lambda: len(server.observation.live) == 1)
served.sendall(b"still")
assert served.recv(10) == b"still"
reports = [e.data for e in server.journal if e.kind is Kind.TROUBLE]
assert len(reports) == 20 and set(reports) == {b"no thread for a connection: can't start new thread"}, reports
try:
    net.listen(net.Echo).start()
except OSError as error:
    print(error.strerror)
resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
again = connected(server)
again.sendall(b"y")
assert again.recv(1) == b"y"
served.close()
again.close()
until(lambda: not server.observation.live)
assert not server.stop().stragglers and threading.active_count() == 1
os.rmdir(sys.argv[2])
"""


@every_family
def test_fault_27_the_limit_of_processes_and_threads(run_program):
    run_program(NO_THREADS, "no thread for the accept loop: can't start new thread\n")
