"""The threads of a busy server share one core, and have all of them back when it is calm."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading

import pytest

from nbserver import net
from nbserver.net.onecore import _SwitchInterval

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2, reason="no cores to choose from"
)
LOAD = """
import socket, sys
clients = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(int(sys.argv[3]))]
print("connected", flush=True)
sys.stdin.readline()
for _ in range(100_000):
    for client in clients: client.sendall(b"x" * int(sys.argv[2]))
    for client in clients:
        left = int(sys.argv[2])
        while left: left -= len(client.recv(left))
"""


def cores(thread):
    try:
        return os.sched_getaffinity(thread.native_id)
    except OSError:  # it has ended
        return set()


def own_threads(server):
    threads = [server.thread, *vars(server.base)["_nbserver_workers"].threads]
    return [thread for thread in threads if thread.native_id and cores(thread)]  # one may begin or end this moment


@pytest.fixture
def load():
    """Starts a process that keeps a server busy for a while; it waits for a line before it begins."""
    started = []

    def make(server, size, count=20):
        command = [sys.executable, "-c", LOAD, str(server.address[1]), str(size), str(count)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "connected\n"
        server.wait_for_connections(count, 10)
        return process

    yield make
    for process in started:
        process.kill()
        process.communicate()


def test_a_busy_server_keeps_to_one_core_and_leaves_it_when_it_is_calm(serve, until, load):
    everything = os.sched_getaffinity(0)
    server = serve(net.Echo)
    process = load(server, 16)
    assert all(cores(thread) == everything for thread in own_threads(server))
    process.stdin.write("go\n")
    process.stdin.flush()
    until(lambda: all(len(cores(thread)) == 1 for thread in own_threads(server)))
    assert len({tuple(cores(thread)) for thread in own_threads(server)}) == 1
    assert cores(threading.main_thread()) == everything, "nobody else is kept"
    process.kill()
    until(lambda: all(cores(thread) == everything for thread in own_threads(server)))
    with socket.create_connection(server.address) as client:  # one of the threads, or a new one, serves it
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        assert all(cores(thread) == everything for thread in own_threads(server))


def test_large_messages_may_use_every_core(serve, until, load):
    everything = os.sched_getaffinity(0)
    server = serve(net.Echo)
    process = load(server, 100_000)
    process.stdin.write("go\n")
    process.stdin.flush()
    until(lambda: sum(c.bytes_in for c in server.observation.live) > 50_000_000)
    assert all(cores(thread) == everything for thread in own_threads(server))


def test_many_threads_on_one_core_look_after_the_interpreter_lock_less_often(serve, until, load):
    before = sys.getswitchinterval()
    server = serve(net.Echo)
    process = load(server, 16, 300)
    process.stdin.write("go\n")
    process.stdin.flush()
    until(lambda: sys.getswitchinterval() >= 0.015)
    process.kill()
    until(lambda: sys.getswitchinterval() == before)


@pytest.fixture
def interval():
    before = sys.getswitchinterval()
    yield _SwitchInterval()
    sys.setswitchinterval(before)


def test_of_two_busy_servers_the_larger_counts_and_what_the_user_sets_stays(interval):
    interval.ask("one", 0.02)
    interval.ask("other", 0.05)
    assert sys.getswitchinterval() == pytest.approx(0.05)
    interval.release("other")
    assert sys.getswitchinterval() == pytest.approx(0.02)
    sys.setswitchinterval(0.001)  # by somebody else, meanwhile
    interval.ask("one", 0.03)
    assert sys.getswitchinterval() == pytest.approx(0.03)
    interval.release("one")
    assert sys.getswitchinterval() == pytest.approx(0.001)
