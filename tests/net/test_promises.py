"""The promises of the design, each a test of that name."""

from __future__ import annotations

import builtins
import contextlib
import getpass
import random
import socketserver
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from nbserver import net
from nbserver.events import Kind
from nbserver.states import ConnectionState, ServerState

ROOT = Path(__file__).resolve().parents[2]
released = threading.Event()


class Receives(socketserver.BaseRequestHandler):
    def handle(self):
        while self.request.recv(100):
            pass


class Asks(socketserver.BaseRequestHandler):
    def handle(self):
        input("what? ")


class SendsForEver(socketserver.BaseRequestHandler):
    def handle(self):
        while True:
            self.request.sendall(b"x" * 1_000_000)


class IgnoresAll(socketserver.BaseRequestHandler):
    def handle(self):
        while not released.is_set():
            with contextlib.suppress(BaseException):
                released.wait(0.01)


class WaitsForALock(socketserver.BaseRequestHandler):
    def handle(self):
        released.wait()


class Raises(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.recv(1)
        raise ValueError("a mistake")


@pytest.fixture(autouse=True)
def handlers_end():
    released.clear()
    yield
    released.set()


def closings(server):
    return Counter(event.connection for event in server.journal if event.kind is Kind.CLOSED)


# --- 1 ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("server_class", [socketserver.ThreadingTCPServer, socketserver.TCPServer])
@pytest.mark.parametrize("handler", [Receives, Raises, net.Echo])
def test_every_accepted_connection_is_closed_exactly_once_in_the_journal(serve, connect, server_class, handler):
    server = serve(handler, server_class)
    for number in range(1, 21):
        client = connect(server, number)
        client.sendall(b"x")
        if number % 3 == 0:
            server[number].close()
        elif number % 3 == 1:
            client.close()
        else:
            server[number].reset()
        server[number].wait_closed(5)
        assert closings(server)[number] == 1  # whoever has waited for the end finds it told
    server.stop()
    assert closings(server) == dict.fromkeys(range(1, 21), 1)


def test_every_accepted_connection_is_closed_once_when_many_end_it_at_the_same_time(serve, connect):
    server = serve(Receives)
    clients = [connect(server) for _ in range(30)]
    server.wait_for_connections(30, 5)
    enders = [threading.Thread(target=c.close) for c in server.observation.live]
    enders += [threading.Thread(target=c.reset) for c in server.observation.live]
    enders += [threading.Thread(target=server.stop), *(threading.Thread(target=client.close) for client in clients)]
    for thread in enders:
        thread.start()
    for thread in enders:
        thread.join(5)
    assert closings(server) == dict.fromkeys(range(1, 31), 1)


# --- 2 ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("server_class", [socketserver.ThreadingTCPServer, socketserver.TCPServer])
@pytest.mark.parametrize(
    ("handler", "ends"),
    [(Receives, True), (Asks, True), (SendsForEver, True), (IgnoresAll, False), (WaitsForALock, False)],
)
def test_stop_returns_within_its_deadline_whatever_the_handlers_do(serve, connect, until, server_class, handler, ends):
    server = serve(handler, server_class)
    connect(server, 1)
    assert server.journal.wait_for(lambda: server[1].state is ConnectionState.OPEN, 5)
    if handler is Asks:
        assert server[1].wait_waiting(5)
    if handler is SendsForEver:
        until(lambda: server[1].status == "sending")
    began = time.monotonic()
    report = server.stop(grace=0.3)
    seconds = time.monotonic() - began
    assert seconds < (0.3 if ends else 0.8), report
    assert server.state is ServerState.STOPPED
    assert report.ended == 1
    assert [c.number for c in report.stragglers] == ([] if ends else [1])
    assert ("still running: #1" in str(report)) is not ends
    released.set()
    server[1].wait_closed(5)
    server.thread.join(5)  # of a TCPServer it is the handler's thread, too


def test_stop_returns_within_its_deadline_with_a_datagram_handler_and_names_it(serve, connect):
    server = serve(WaitsForALock, socketserver.ThreadingUDPServer)
    connect(server).send(b"x")
    assert server.journal.wait_for(lambda: server.observation.live and server[1].state is ConnectionState.OPEN, 5)
    report = server.stop(grace=0.1)
    assert [c.number for c in report.stragglers] == [1]
    released.set()
    server[1].wait_closed(5)


def test_a_straggler_keeps_its_console_until_it_ends(serve, connect, capfd):
    class Prints(socketserver.BaseRequestHandler):
        def handle(self):
            released.wait()
            print("late")
            raise ValueError("late, too")

    server = serve(Prints)
    connect(server, 1)
    assert server.stop(grace=0.05).stragglers
    released.set()
    server[1].wait_closed(5)
    assert b"late" in [e.data for e in server[1].transcript if e.kind is Kind.PRINTED]
    assert capfd.readouterr() == ("", "")


# --- 3 ------------------------------------------------------------------------------------------------------

CLASSES = [socketserver.TCPServer, socketserver.ThreadingTCPServer, socketserver.UDPServer]


@pytest.mark.parametrize("server_class", CLASSES)
def test_stop_twice_is_stop_once_from_the_main_thread(serve, server_class):
    server = serve(net.Echo, server_class)
    assert server.stop() is server.stop()
    assert [e.data for e in server.journal if e.kind is Kind.STATE] == [b"serving", b"stopping", b"stopped"]


@pytest.mark.parametrize("server_class", CLASSES)
def test_stop_before_start(server_class):
    server = net.listen(net.Echo, server_class=server_class)
    assert server.stop() is server.stop()
    assert server.state is ServerState.STOPPED
    with pytest.raises(net.server.UsageError, match="stopped"):
        server.start()


@pytest.mark.parametrize("server_class", CLASSES)
def test_stop_from_a_handler(serve, connect, server_class):
    reports = []

    class Stops(socketserver.BaseRequestHandler):
        def handle(self):
            began = time.monotonic()
            reports.append((server.stop(), server.stop(), time.monotonic() - began))

    server = serve(Stops, server_class)
    connect(server).send(b"x")
    assert server.journal.wait_for(lambda: server.state is ServerState.STOPPED and not server.observation.live, 5)
    server.thread.join(5)
    ((first, second, seconds),) = reports
    assert first is second is server.stop()
    assert not first.stragglers
    assert seconds < 0.5


@pytest.mark.parametrize("server_class", CLASSES)
def test_stop_from_many_threads_at_once(serve, connect, server_class):
    server = serve(net.Echo, server_class)
    connect(server).send(b"x")
    server.wait_for_connections(1, 5)
    reports = []
    stoppers = [threading.Thread(target=lambda: reports.append(server.stop())) for _ in range(10)]
    for thread in stoppers:
        thread.start()
    for thread in stoppers:
        thread.join(5)
    assert len(set(map(id, reports))) == 1 and len(reports) == 10


@pytest.mark.parametrize("server_class", CLASSES)
def test_stop_from_a_hook_of_the_loop(serve, server_class):
    called = threading.Event()

    class Stops(server_class):
        def service_actions(self):
            if not called.is_set() and holder:
                holder[0].stop()
                called.set()

    holder = []
    server = serve(net.Echo, Stops)
    holder.append(server)
    server.base._loop.wake()
    assert called.wait(5)
    assert server.stop().seconds < 1


def test_stop_from_a_destructor_and_at_exit():
    program = """
import atexit, socketserver, gc, nbserver.net as net
class Owner:
    def __init__(self): self.server = net.listen(net.Echo).start(); self.me = self
    def __del__(self): print(self.server.stop())
owner = Owner()
del owner
gc.collect()
left = net.listen(net.Echo).start()
atexit.register(lambda: print(left.stop().stragglers))
"""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=20
    )
    assert time.monotonic() - began < 10
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].startswith("stopped in 0.0")
    assert done.stdout.splitlines()[1:] == ["()"]


def test_start_and_stop_race(serve):
    for _ in range(100):
        server = net.listen(net.Echo)
        stopper = threading.Thread(target=server.stop)
        stopper.start()
        with contextlib.suppress(net.server.UsageError):
            server.start()
        stopper.join(5)
        server.stop()
        assert server.state is ServerState.STOPPED


# --- 5 and 6 ------------------------------------------------------------------------------------------------


def test_no_thread_no_descriptor_and_no_patch_outlives_its_owner(serve, connect):
    # Threads, descriptors and the identity of each patched object are looked at after every test here (see conftest).
    originals = builtins.input, sys.stdout, getpass.getpass
    first, second = serve(Asks), serve(Asks)
    connect(first, 1)
    assert builtins.input is not originals[0]
    first.stop()
    assert builtins.input is not originals[0]
    second.stop()
    assert (builtins.input, sys.stdout, getpass.getpass) == originals
    assert type(first.base) is first._own_class


def test_what_the_user_typed_is_in_the_journal_like_anything_received(serve, connect):
    class Talks(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.sendall(input(self.request.recv(100).decode()).encode())
            self.request.recv(100)

    server = serve(Talks)
    client = connect(server, 1)
    client.sendall("谁?".encode())
    assert server[1].wait_waiting(5)
    server[1].reply("我")
    assert client.recv(100).decode() == "我"
    server[1].reply("past the handler")
    assert client.recv(100) == b"past the handler"
    told = [(e.kind, e.data.decode()) for e in server.journal if e.connection == 1 and e.kind is not Kind.OPENED]
    assert told == [
        (Kind.RECEIVED, "谁?"),
        (Kind.ASKED, "谁?"),
        (Kind.ANSWERED, "我"),
        (Kind.SENT, "我"),
        (Kind.ANSWERED, "past the handler"),
        (Kind.SENT, "past the handler"),
    ]
    assert told == [(e.kind, e.data.decode()) for e in server[1].transcript][1:]


# --- 10 -----------------------------------------------------------------------------------------------------


def test_an_answer_never_reaches_another_connection_than_the_one_that_asked(serve, connect):
    count, rounds = 50, 5

    class Asks(socketserver.StreamRequestHandler):
        def handle(self):
            name = self.rfile.readline().strip().decode()
            for turn in range(rounds):
                self.wfile.write(f"{input(f'{name}.{turn}')}\n".encode())

    server = serve(Asks)
    clients = {number: connect(server, number) for number in range(1, count + 1)}
    names = {client.getsockname()[:2]: number for number, client in clients.items()}
    for number, client in clients.items():
        client.sendall(f"client {number}\n".encode())

    def answer(numbers):
        for number in numbers:
            connection = server[number]
            assert connection.wait_waiting(10)
            connection.reply(f"to {names[connection.peer[:2]]}: {connection.prompt}")

    repliers = []
    for _ in range(rounds):
        numbers = list(clients)
        random.shuffle(numbers)
        repliers = [threading.Thread(target=answer, args=(numbers[i::5],)) for i in range(5)]
        for thread in repliers:
            thread.start()
        for thread in repliers:
            thread.join(20)
    for number, client in clients.items():
        heard = client.makefile().read().splitlines()
        assert heard == [f"to {number}: client {number}.{turn}" for turn in range(rounds)]
