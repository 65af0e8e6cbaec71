"""What else a handler, or a cell, starts: threads that log, other programs, forks of this process."""

from __future__ import annotations

import logging
import os
import queue
import signal
import socketserver
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from nbserver import net
from nbserver.errors import UsageError
from nbserver.events import Kind

ROOT = Path(__file__).resolve().parents[2]


def printed(connection):
    return [e.data.decode() for e in connection.transcript if e.kind is Kind.PRINTED]


# --- logging and warnings: the rest is in tests/console/test_logs.py ----------------------------------------


def test_each_connection_has_what_its_handler_logs_and_is_warned_of(serve, connect, caplog):
    class Speaks(socketserver.BaseRequestHandler):
        def handle(self):
            name = self.request.recv(10).decode()
            logging.getLogger("mine").warning("log of %s", name)
            warnings.warn(f"warning of {name}", stacklevel=1)
            self.request.sendall(b"done")

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        server = serve(Speaks)
        for number, name in enumerate((b"a", b"b"), 1):
            client = connect(server, number)
            client.sendall(name)
            assert client.recv(10) == b"done"
    for number, name in enumerate("ab", 1):
        logged, warned = printed(server[number])[:2]
        assert logged == f"WARNING mine: log of {name}"
        assert warned.endswith(f"UserWarning: warning of {name}")
    assert [record.getMessage() for record in caplog.records] == ["log of a", "log of b"]
    assert [str(warning.message) for warning in caught] == ["warning of a", "warning of b"]


# --- other programs -----------------------------------------------------------------------------------------


def sockets_of(process="self"):
    """The sockets and epolls that a process has, as the system names them, without its standard streams."""
    folder, found = Path(f"/proc/{process}/fd"), set()
    for number in os.listdir(folder) if folder.is_dir() else ():
        name = os.path.realpath(folder / number).rpartition("/")[2]
        if int(number) > 2 and ("socket:" in name or "eventpoll" in name):
            found.add(name)
    return found


def by_system(folder):
    os.system(f"sleep 60 & echo $! > {folder}/pid")
    return int((folder / "pid").read_text())


STARTS = {
    "Popen": lambda folder: subprocess.Popen(["sleep", "60"]).pid,
    "Popen, close_fds=False": lambda folder: subprocess.Popen(["sleep", "60"], close_fds=False).pid,
    "posix_spawn": lambda folder: os.posix_spawn("/bin/sh", ["sh", "-c", "exec sleep 60"], os.environ),
    "system": by_system,
}


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
def test_a_program_that_a_handler_starts_inherits_nothing(serve, connect, tmp_path, start):
    class Starts(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(10)
            pids.put(STARTS[start](tmp_path))
            self.request.recv(10)
            self.request.close()  # and no shutdown(): the client reads the end once nobody has the socket any more

    pids = queue.Queue()
    asks = serve()
    connect(asks, 1).sendall(b"hello")
    assert asks[1].wait_waiting(5)  # so that the watch, with its epoll, is there as well
    server = serve(Starts)
    client = connect(server)
    client.sendall(b"x")
    pid = pids.get(timeout=5)
    try:
        assert sockets_of(pid) & sockets_of() == set()
        client.sendall(b"x")
        assert client.recv(10) == b""
        os.kill(pid, 0)  # it is still there
    finally:
        os.kill(pid, signal.SIGKILL)
        if start != "system":
            os.waitpid(pid, 0)


# --- forks of this process ----------------------------------------------------------------------------------

PRELUDE = """
import builtins, multiprocessing, os, signal, socket, socketserver, subprocess, sys, threading
import nbserver.net as net
from nbserver.net import watch
from nbserver.errors import ConnectionEnded, NotHeard, UsageError
signal.alarm(60)
originals = builtins.input, sys.stdout, sys.stderr

class Closes(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(10):
            if data == b"close":
                return self.request.close()
            self.request.sendall(data)

def connect(server):
    client = socket.create_connection(server.address, timeout=10)
    assert echo(client, b"begin")
    return client

def echo(client, data):
    client.sendall(data)
    return client.recv(10) == data

def sockets():
    found = []
    for number in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else ():
        name = os.path.realpath(f"/proc/self/fd/{number}").rpartition("/")[2]
        if "socket:" in name or "eventpoll" in name:
            found.append(name)
    return sorted(found)

def refused(call, error):
    try:
        call()
    except error:
        return True

def looks_stopped():
    "In the child: nothing of the server is here."
    for sock in (client, asker):
        sock.close()
    assert net.servers() == []
    assert [server.state.value, asks.state.value] == ["stopped", "stopped"]
    assert threading.active_count() == 1, threading.enumerate()
    assert (builtins.input, sys.stdout, sys.stderr) == originals
    assert sockets() == at_first, sockets()

at_first = sockets()
server, asks = net.listen(Closes).start(), net.listen(net.Conversation).start()
client = connect(server)
asker = socket.create_connection(asks.address, timeout=10)
asker.sendall(b"hello")
assert asks.wait_for_connections(1, 10)[0].wait_waiting(10)
while not watch.peer_watch._thread:  # its epoll is being made: a fork in that moment is not what is tested
    asks.journal.wait_for(lambda: False, 0.01)
"""
STILL_SERVED = """
assert echo(client, b"after") and echo(connect(server), b"new")
asks.reply(1, "answer")
assert asker.recv(10) == b"answer"
assert str(server.stop()).startswith("stopped in")
print("served")
"""


def ran(program):
    """Runs a program that forks, and gives what it said; that forks and threads do not mix is known."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore:This process:DeprecationWarning", "-c", PRELUDE + program],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=80,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout.split()


def test_a_forked_child_serves_nobody_and_its_end_ends_nothing():
    program = """
if not (pid := os.fork()):
    looks_stopped()
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
"""
    assert ran(program + STILL_SERVED) == ["served"]


def test_a_child_of_multiprocessing_serves_nobody():
    program = """
def work(queue):
    looks_stopped()
    queue.put("worked")

context = multiprocessing.get_context("fork")
queue = context.SimpleQueue()
at_first = sockets()[:len(at_first)]
process = context.Process(target=work, args=(queue,))
process.start()
print(queue.get())
process.join()
assert process.exitcode == 0
"""
    assert ran(program + STILL_SERVED) == ["worked", "served"]


def test_while_a_child_lives_clients_see_the_end_and_the_port_is_free():
    program = """
second = connect(server)
reader, writer = os.pipe()
if not (pid := os.fork()):
    os.close(writer)
    os.read(reader, 1)  # lives until the parent says so
    os._exit(0)
client.sendall(b"close")
assert client.recv(10) == b""
server[2].close()
assert second.recv(10) == b""
third, address = connect(server), server.address
server.stop()
assert third.recv(10) == b""
bind = f"import socket; socket.create_server({address}).close(); print('bound', flush=True)"
subprocess.run([sys.executable, "-c", bind], check=True)
assert os.waitpid(pid, os.WNOHANG) == (0, 0)
os.close(writer)
assert os.waitpid(pid, 0)[1] == 0
asks.stop()
"""
    assert ran(program) == ["bound"]


def test_in_the_child_calls_end_though_other_threads_held_every_lock():
    program = """
import contextlib
from nbserver import journal
from nbserver.console import routing
from nbserver.net import registry

def locks():
    yield from (journal._forgetting, routing._lock, registry._lock, watch.peer_watch._changed)
    for each in (server, asks):
        connection = each[1]
        yield from (each._lock, each._loop.lock, each.base._workers._lock, each.journal._changed)
        yield from (each.observation._lock, each.observation._peers_lock)
        yield from (connection._asking, connection.descriptor_lock, connection._sending_past)

def hold():
    with contextlib.ExitStack() as stack:
        for lock in locks():
            stack.enter_context(lock)
        held.set()
        done.wait()

held, done = threading.Event(), threading.Event()
holder = threading.Thread(target=hold, daemon=True)
holder.start()
held.wait()
if not (pid := os.fork()):
    signal.alarm(20)
    for lock in locks():
        assert lock.acquire(timeout=0)
        lock.release()
    looks_stopped()
    for each in (server, asks):
        assert refused(each.start, UsageError)
        assert refused(lambda: each.reply(1, "x"), ConnectionEnded)
        assert refused(lambda: each[1].send(b"x"), ConnectionEnded)
        assert refused(lambda: each.wait_for_connections(2, 5), NotHeard)
        assert (each.broadcast("x"), each[1].wait_waiting()) == ({}, False)
        each[1].wait_closed(), each.wait_stopped()
        each[1].close(), each[1].reset(), repr(each), repr(each[1]), list(each.journal), each[1].transcript.read()
        each.stop(), each.base.shutdown(), each.base.server_close()
        assert refused(each.base.serve_forever, OSError)
    assert net.stop_all() == []
    with net.listen(net.Echo).start() as own:
        assert echo(connect(own), b"mine")
    assert (builtins.input, sys.stdout, sys.stderr) == originals
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
done.set()
holder.join()
"""
    assert ran(program + STILL_SERVED) == ["served"]


def test_a_handler_that_forks_goes_on_and_its_child_ends():
    program = """
class Forks(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(10):  # which the child cannot
            if data == b"fork":
                pid = os.fork()
                if not pid:
                    print("child", flush=True)  # its own stdout, not a transcript
                    continue
                data = b"%d" % os.waitpid(pid, 0)[1]
            self.request.sendall(data)

forks = net.listen(Forks).start()
forker = connect(forks)
forker.sendall(b"fork")
assert forker.recv(10) == b"0"
assert echo(forker, b"goes on")
assert forks[1].state.value == "open" and forks.observation.errors == 0
"""
    assert ran(program + STILL_SERVED) == ["child", "served"]


@pytest.mark.skipif(not hasattr(socketserver, "ForkingTCPServer"), reason="a system without fork")
def test_a_server_that_forks_the_kernel_is_refused():
    with pytest.raises(UsageError, match="would fork the kernel.*use the Threading class of the same name"):
        net.listen(net.Echo, server_class=socketserver.ForkingTCPServer)
    with socketserver.ForkingTCPServer(("127.0.0.1", 0), net.Echo) as base:
        with pytest.raises(UsageError, match="would fork the kernel.*use the Threading class of the same name"):
            net.Server(base)
        assert type(base) is socketserver.ForkingTCPServer
