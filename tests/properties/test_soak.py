"""100 000 connections: threads, descriptors, memory and objects end where they began.

`pytest -m "not soak"` leaves it out.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from nbserver import net
from nbserver.states import ConnectionState

pytestmark = pytest.mark.soak
FIRST, ALL = 10_000, 100_000
AT_ONCE = 20
MIB = 2**20
# Connects, is echoed and leaves, in one of three ways, again and again and in several threads. From many addresses of
# the loopback, since a port that was used cannot be used again for a minute.
LOAD = """
import itertools, socket, struct, sys, threading
host, port, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

def meet(number):
    with socket.socket() as client:
        client.settimeout(20)
        if sys.platform == "linux":
            client.bind((f"127.0.0.{1 + number % 50}", 0))
        client.connect((host, port))
        said = b"%d" % number
        client.sendall(said)
        assert client.recv(100) == said
        if number % 3 == 0:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif number % 3 == 1:
            client.shutdown(socket.SHUT_WR)
            assert client.recv(1) == b""

def work(numbers, failed):
    try:
        for number in numbers:
            meet(number)
    except BaseException as error:
        failed.append(error)

for count in map(int, sys.stdin):
    failed = []
    workers = [threading.Thread(target=work, args=(range(i, count, threads), failed)) for i in range(threads)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()
    print(failed or count, flush=True)
"""


def resident():
    """How much memory this process holds, in bytes."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors():
    return len(os.listdir("/dev/fd"))


@pytest.fixture
def load():
    """Gives a server so many connections, from another process."""
    made = []

    def give(server, count):
        if not made:
            command = [sys.executable, "-c", LOAD, *map(str, server.address), str(AT_ONCE)]
            made.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        made[0].stdin.write(f"{count}\n")
        made[0].stdin.flush()
        assert made[0].stdout.readline() == f"{count}\n"

    yield give
    for process in made:
        process.communicate(timeout=10)


@pytest.mark.timeout(180)
def test_100_000_connections_leave_nothing(nothing_left, load, capfd):
    with net.listen(net.Echo) as server:

        def give(count):
            began, before = time.monotonic(), server.accepted
            load(server, count)
            assert server.accepted == before + count
            assert server.journal.wait_for(lambda: not server.observation.live, 10)
            with capfd.disabled():
                rate = count / (time.monotonic() - began)
                print(f"\n{server.accepted} connections, {rate:.0f}/s, {resident() / MIB:.0f} MiB ", end="")

        give(FIRST)
        memory, objects = resident(), sys.getallocatedblocks()
        files = descriptors()
        for _ in range(3):
            give((ALL - FIRST) // 3)
        assert server.accepted == ALL and server.observation.errors == 0 and not server.observation.trouble
        assert resident() - memory < 5 * MIB
        assert sys.getallocatedblocks() - objects < (ALL - FIRST) // 10  # not one more object for ten connections
        assert threading.active_count() < 5 * AT_ONCE  # those of the pool; after the stop there are none
        assert descriptors() <= files
        assert len(server.connections) == 1000
        assert server.observation.forgotten[0] == ALL - 1000
        last = server[ALL]
        assert last.state in (ConnectionState.CLOSED, ConnectionState.RESET) and last.bytes_in == last.bytes_out > 0
