"""What the tests of the network core share: a server, its clients, and a look at what is left."""

from __future__ import annotations

import builtins
import contextlib
import getpass
import socket
import socketserver
import sys
import time

import pytest

from nbserver import net


def still_replaced():
    """What nbserver replaces while it serves, as far as it is not put back."""
    places = [builtins.input, getpass.getpass, sys.stdout, sys.stderr, sys.stdin]
    return [thing for thing in places if "nbserver" in f"{type(thing).__module__} {getattr(thing, '__module__', '')}"]


@pytest.fixture
def until():
    """Waits until something is so: for what nobody announces, such as a byte. Fails after 5 s."""

    def wait(condition):
        deadline = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < deadline, "it did not happen within 5 s"
            time.sleep(0.002)  # between two looks; the condition, not the time, ends the wait

    return wait


@pytest.fixture(autouse=True)
def clean(nothing_left, until):
    """After each test no server, thread, descriptor or patch is left, and nothing was printed."""
    yield
    net.stop_all(0.5)
    until(lambda: not still_replaced())  # a server that was stopped by its own handler lets go when that has ended


@pytest.fixture
def serve():
    """Makes servers that serve, and stops them after the test."""
    with contextlib.ExitStack() as stack:

        def make(handler=None, server_class=socketserver.ThreadingTCPServer, address=("127.0.0.1", 0), **options):
            server = net.listen(handler, address, server_class, **options).start()
            stack.callback(server.stop, 0.5)
            return server

        yield make


@pytest.fixture
def connect():
    """Makes clients of a server, with a time limit of 5 s on all that they do, and closes them after the test."""
    with contextlib.ExitStack() as stack:

        def make(server, number=None):
            family = server.base.address_family
            client = stack.enter_context(socket.socket(family, server.base.socket_type))
            client.settimeout(5)
            client.connect(server.address)
            if number is not None:
                server.wait_connections(number, 5)
            return client

        yield make
