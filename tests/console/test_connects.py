"""Where a program connects to is noticed, whatever way it goes, and the way is as before when it has ended."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys

import pytest

from nbserver.console import Program

pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def ask():
    return input()  # looked up when it runs: then it is the console's


def by_connect(address):
    with socket.socket() as sock:
        sock.connect(address)
        return sock.getsockname()


def by_connect_ex(address):
    with socket.socket() as sock:
        sock.setblocking(False)
        sock.connect_ex(address)
        return sock.getsockname()


def by_create_connection(address):
    with socket.create_connection(address) as sock:
        return sock.getsockname()


def by_asyncio(address):
    async def main():
        _, writer = await asyncio.open_connection(*address)
        local = writer.get_extra_info("sockname")
        writer.close()
        await writer.wait_closed()
        return local

    return asyncio.run(main())


def by_datagrams(address):
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.connect(address)
        return sock.getsockname()


@pytest.mark.parametrize("way", [by_connect, by_connect_ex, by_create_connection, by_asyncio, by_datagrams])
def test_both_ends_are_known(listener, way):
    found = []
    program = Program(1, lambda: found.append(way(listener.getsockname())), "a program")
    program.start()
    program.wait_ended(5)
    assert program.error is None
    assert program.ends == (found[0], listener.getsockname())
    assert program.ends.local[1] != 0


def test_one_that_was_refused_has_no_ends():
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = free.getsockname()
    program = Program(1, lambda: by_connect(address), "a program")
    program.start()
    program.wait_ended(5)
    assert isinstance(program.error, ConnectionRefusedError) and program.ends is None


def test_another_thread_beside_it_connects_unnoticed(listener):
    program = Program(1, ask, "a program")
    program.start()
    by_connect(listener.getsockname())
    assert "connect" in vars(socket.socket) and program.ends is None
    program.close()
    program.wait_ended(5)


def test_nothing_stays_when_the_last_has_ended():
    programs = [Program(number, ask, "a program") for number in (1, 2)]
    for program in programs:
        program.start()
    for program in programs:
        assert {"connect", "connect_ex"} <= vars(socket.socket).keys()
        program.close()
        program.wait_ended(5)
    assert not {"connect", "connect_ex"} & vars(socket.socket).keys()


FORK = """
import os, socket
from nbserver.console import Program
program = Program(1, lambda: input(), "a program")
program.start()
assert program.wait_waiting(5)
child = os.fork()
if not child:
    os._exit("connect" in vars(socket.socket))
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, "it is still there in the child"
assert "connect" in vars(socket.socket), "it is gone in the parent"
"""


def test_nothing_stays_in_a_forked_child():
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FORK], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
