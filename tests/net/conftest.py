"""What the tests of the network core share: a server of any family, its clients, and a look at what is left."""

from __future__ import annotations

import builtins
import contextlib
import getpass
import os
import socket
import socketserver
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import pytest

from nbserver import net
from nbserver.net import watch
from nbserver.states import ServerState

ROOT = Path(__file__).resolve().parents[2]
HOSTS = {"ipv4": "127.0.0.1", "ipv6": "::1"}
# What a program in another Python begins with; the fixture `run_program` gives it the family's name and a folder.
PRELUDE = """
import os, resource, signal, socket, socketserver, sys, threading, time
import nbserver.net as net
from nbserver.events import Kind
from nbserver.states import ConnectionState, ServerState

def listening(handler=net.Echo):
    if sys.argv[1] == "unix":
        return net.listen(handler, sys.argv[2] + "/s", socketserver.ThreadingUnixStreamServer)
    return net.listen(handler, ({"ipv4": "127.0.0.1", "ipv6": "::1"}[sys.argv[1]], 0))

def plain(server):
    client = socket.socket(server.base.address_family)
    client.settimeout(5)
    return client

def connected(server):
    client = plain(server)
    client.connect(server.address)
    return client

def until(condition):
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 5 s"
        time.sleep(0.002)
"""


def still_replaced():
    """What nbserver replaces while it serves, as far as it is not put back."""
    places = [builtins.input, getpass.getpass, sys.stdout, sys.stderr, sys.stdin]
    return [thing for thing in places if "nbserver" in f"{type(thing).__module__} {getattr(thing, '__module__', '')}"]


class Family:
    """A kind of address, and how the standard library's servers are had on it."""

    def __init__(self, name, folder):
        self.name = name
        self.folder = folder
        self._paths = (str(folder / f"{number}.sock") for number in count(1))

    def address(self):
        """Where a server may listen: any free port, or a path that nobody has."""
        return next(self._paths) if self.name == "unix" else (HOSTS[self.name], 0)

    def of(self, server_class):
        """The class of this family that corresponds to the standard library's `server_class`."""
        name = server_class.__name__.replace("TCP", "UnixStream").replace("UDP", "UnixDatagram")
        is_own = getattr(socketserver, server_class.__name__, None) is server_class
        return getattr(socketserver, name) if is_own and self.name == "unix" else server_class

    def client(self, server):
        """A socket that may speak to a server: where it has no address of its own, it takes one to be answered at."""
        client = socket.socket(server.base.address_family, server.base.socket_type)
        client.settimeout(5)
        if server.is_datagram and client.family == socket.AF_UNIX:
            client.bind(next(self._paths))
        return client


@pytest.fixture
def family(request, tmp_path):
    """The kind of address that servers have: "ipv4", unless the test is parametrized (indirectly) with others."""
    return Family(getattr(request, "param", "ipv4"), tmp_path)


@pytest.fixture
def until():
    """Waits until something is so: for what nobody announces, such as a byte. Fails after 5 s."""

    def wait(condition):
        deadline = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < deadline, "it did not happen within 5 s"
            time.sleep(0.002)  # between two looks; the condition, not the time, ends the wait

    return wait


@pytest.fixture
def piecemeal(until):
    """Sends pieces so that each is received by itself: the next goes when the server has the one before."""

    def send(connection, client, pieces):
        for piece in pieces:
            already = connection.bytes_in
            client.sendall(piece)
            until(lambda already=already, piece=piece: connection.bytes_in == already + len(piece))

    return send


@pytest.fixture
def brief_watch(monkeypatch):
    """The watch's thread ends 20 ms after its last connection, not half a second: each test waits for its end."""
    monkeypatch.setattr(watch, "_IDLE", 0.02)
    monkeypatch.setattr(watch, "_LOOK_AGAIN", 0.02)


@pytest.fixture(autouse=True)
def clean(brief_watch, nothing_left, until):
    """After each test no server, thread, descriptor or patch is left, and nothing was printed."""
    yield
    net.stop_all(0.5)
    until(lambda: not still_replaced())  # a server that was stopped by its own handler lets go when that has ended


@pytest.fixture
def serve(family):
    """Makes servers that serve, and stops them after the test."""
    with contextlib.ExitStack() as stack:

        def make(handler=None, server_class=socketserver.ThreadingTCPServer, address=None, **options):
            address = family.address() if address is None else address
            server = net.listen(handler, address, family.of(server_class), **options).start()
            stack.callback(server.stop, 0.5)
            return server

        yield make


@pytest.fixture
def connect(family):
    """Makes clients of a server, with a time limit of 5 s on all that they do, and closes them after the test."""
    with contextlib.ExitStack() as stack:

        def make(server, number=None):
            client = stack.enter_context(family.client(server))
            client.connect(server.address)
            if number is not None:
                server.wait_for_connections(number, 5)
            return client

        yield make


@pytest.fixture
def is_echoed(family):
    """Asks a server whether a new client is echoed within a second."""

    def ask(server):
        with family.client(server) as client:
            client.settimeout(1)
            client.connect(server.address)
            client.send(b"are you there?")
            return client.recv(100) == b"are you there?"

    return ask


@pytest.fixture
def survives(serve, is_echoed, until):
    """What holds after every fault: for each server that still serves the loop lives, the table of connections empties,
    and a new client is echoed within a second. (Threads, descriptors and output: see `nothing_left`.)
    """
    yield
    for server in net.servers():
        assert server.state is ServerState.SERVING and server.thread.is_alive()
        until(lambda server=server: server.is_datagram or not server.observation.live)
        server.base.RequestHandlerClass = net.Echo  # the same loop and the same workers, with a handler that answers
        assert is_echoed(server)
        until(lambda server=server: server.is_datagram or not server.observation.live)


@pytest.fixture
def run_program(family):
    """Runs a program in a Python of its own: it may spoil its process, and must write what is expected, no more."""

    def run(text, expected, limit=60):
        command = [sys.executable, "-c", PRELUDE + text, family.name, str(family.folder)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=limit)
        assert (done.stdout, done.stderr) == (expected, "")

    return run
