"""The fault table (FAULTS.md) inside a real kernel: each test is named after its row.

Rows 27, 48 and 49 are in `test_doctor.py`, `test_interrupts.py` and `test_processes.py`.
"""

from __future__ import annotations

import contextlib
import socket
import time

import pytest

from .conftest import PATIENCE, Kernel, echoed
from .page import Page


@pytest.fixture
def kernel(sound_kernel):
    return sound_kernel


# --- resources ----------------------------------------------------------------------------------------------

CROWD = """
import logging, resource, socket, socketserver

logging.basicConfig()  # on the cell's stderr, which is one stream for all threads
log = logging.getLogger("crowd")

class Talks(socketserver.BaseRequestHandler):
    def handle(self):
        print("serving", self.client_address)
        log.warning("serving %s", self.client_address)
        self.request.sendall(self.request.recv(100))
        self.request.recv(100)

def program():
    with socket.create_connection(server.address) as sock:
        sock.sendall(b"hello")
        print("heard", sock.recv(100).decode())
        log.warning("logged it")
        sock.recv(100)

soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
if 0 < soft < 4096:  # a soft limit of 1 024 is usual: as far as it may be raised
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096) if hard > 0 else 4096, hard))
most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
number = 1500 if most < 0 else min(1500, (most - len(os.listdir("/dev/fd")) - 100) // 2)
server = nbserver.serve(Talks, max_connections=2000)
server
"""


def test_fault_28_1500_client_threads_print_and_log(kernel):
    """No `ZMQError`: of all their threads and their handlers' none has a ZeroMQ socket, the one publisher sends."""
    kernel.must(CROWD)
    number = int(kernel.value("number"))
    assert number >= 400
    page = Page(kernel)
    kernel.must("fleet = [c for n in (number // 2, number - number // 2) for c in nbserver.clients(program, n)]")
    kernel.must("server.wait_for_connections(number, 30)")
    page.wait(lambda: (page.counts["in"], page.counts["out"]) == (number, number))
    assert (page.counts["open"], page.counts["errors"], len(page.rows)) == (number, 0, number)
    page.wait(lambda: "".join(kernel.complaints).count("\n") == 2 * number)  # what was logged, in whichever cell
    logged = {line.split()[0] for line in "".join(kernel.complaints).splitlines()}
    assert logged == {"WARNING:crowd:serving", "WARNING:crowd:logged"}
    kernel.complaints.clear()
    kernel.must("assert wait_for(lambda: all(len(c.transcript) == 2 for c in fleet))")
    said = kernel.value("sorted({e.data.decode().split()[-1] for c in fleet for e in c.transcript})")
    assert said == "['hello', 'it']"
    kernel.must("speakers = [t.name for t in get_ipython().kernel.iopub_thread._event_pipes]")
    assert kernel.value("[n for n in speakers if n.startswith(('nbserver', 'client'))]") == "['nbserver-publisher']"
    assert int(kernel.value("threading.active_count()")) > 2 * number
    kernel.must("server.stop()")
    page.wait(lambda: page.server["state"] == "stopped" and page.counts["closed"] == number)


STORM = """
import socketserver
ran = []

class Storms(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.recv(1)  # all begin together
        began = time.monotonic()
        for n in range(5000):
            self.request.send(b"%04d" % n)
        ran.append((began, time.monotonic()))
        self.request.recv(1)

server = nbserver.serve(Storms)
server
"""


def test_fault_29_20000_events_in_a_second_end_on_the_true_state(kernel):
    kernel.must(STORM)
    page = Page(kernel)
    port = int(kernel.value("server.address[1]"))
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(20)]
        kernel.must("server.wait_for_connections(20, 5)")
        for client in clients:
            client.sendall(b"x")
        page.wait(lambda: page.counts["out"] == 100_000)
        seconds = float(kernel.value("max(end for _, end in ran) - min(began for began, _ in ran)"))
        assert 100_000 / seconds > 20_000
        assert page.gaps == 0 and page.messages < 20 * (seconds + 2)  # of which the Jupyter server drops none
        columns = "c.number, c.messages_in, c.messages_out, c.bytes_in, c.bytes_out, c.preview.decode()"
        told = [(*row[:1], *row[3:7], row[8]) for row in page.rows.values()]
        assert str(told) == kernel.value(f"[({columns}) for c in server.connections.values()]")
        assert [row[8] for row in page.rows.values()] == ["4999"] * 20


# --- faults of the handler ----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["while True: pass", "print('hello', input('name? '))"])
def test_fault_38_while_a_cell_computes_or_asks_the_server_answers(kernel, code):
    kernel.must("server = nbserver.serve()\nserver")
    page = Page(kernel)
    port = int(kernel.value("server.address[1]"))
    cell = kernel.start(code, allow_stdin=True)
    if "input" in code:
        kernel.client.get_stdin_msg(timeout=PATIENCE)
    kernel.wait_running(cell)
    assert echoed(kernel.echo, times=300)
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(5)
        for number in range(1, 4):
            client.sendall(b"are you busy?")
            page.wait(lambda: page.rows.get(("connections", 1), "--")[1] == "waiting")
            row = page.rows["connections", 1]
            assert row[3] == number and row[9] == "reply > "
            page.must("reply", connection=1, text="not for you", ask=row[10])
            assert client.recv(100) == b"not for you"
    page.wait(lambda: page.rows["connections", 1][1] == "closed")
    if "input" in code:
        kernel.client.input("Bob")
        assert kernel.finish(cell).text == "hello Bob\n"
    else:
        kernel.manager.interrupt_kernel()
        assert "KeyboardInterrupt" in kernel.finish(cell).error


# --- life cycle ---------------------------------------------------------------------------------------------


def test_fault_40_a_cell_that_runs_again_has_one_server_on_the_same_port_and_one_board(kernel):
    cell = "server = nbserver.serve(port=globals().get('port', 0))\nport = server.address[1]\nserver"
    kernel.must(cell, "again")
    kernel.must("from ipywidgets.widgets.widget import _instances as widgets\nnumber = len(widgets)")
    port = int(kernel.value("port"))
    for change in ("", "# changed a little\n"):
        with socket.create_connection(("127.0.0.1", port)) as client:
            kernel.must("old = server\nserver.wait_for_connections(1, 5)", "old")
            ran = kernel.must(change + cell, "again")
            client.settimeout(5)
            assert client.recv(1) == b""
        assert kernel.value("old.state.value, old.thread.is_alive()") == "('stopped', False)"
        assert kernel.value("nbserver.servers() == [echo, server], server.address == old.address") == "(True, True)"
        assert kernel.value("len(widgets) - number") == "0"
        shown = ran.data["application/vnd.jupyter.widget-view+json"]["model_id"]
        assert kernel.value("server.panel.model_id, server.state.value") == str((shown, "serving"))
    assert "UsageError: a server is started once, and this one is serving" in kernel.run("server.start()").error


@pytest.fixture
def pairs(python):
    """Three pairs of fresh kernels."""
    kernels = [Kernel(python) for _ in range(6)]
    yield list(zip(kernels[::2], kernels[1::2], strict=True))
    for kernel in kernels:
        if kernel.manager.is_alive():
            kernel.stop()


DEAF = """
import nbserver, socketserver, threading

class Deaf(socketserver.BaseRequestHandler):
    def handle(self):
        threading.Event().wait()

deaf = [nbserver.client(nbserver.serve(Deaf)) for _ in range(5)]
"""


def seconds_to_leave(kernel: Kernel, is_restart: bool) -> float:
    """How long a kernel takes to end; or, to be there again."""
    if not is_restart:
        return kernel.stop()
    started = time.monotonic()
    kernel.manager.restart_kernel()
    kernel.client.wait_for_ready(timeout=PATIENCE)
    return time.monotonic() - started


def test_fault_47_with_clients_a_kernel_ends_as_soon_as_an_empty_one(pairs):
    """At most half a second later, even with handlers that ignore the end.

    The clients read the end, and the port is free, for the restarted kernel, too.
    """
    more = []
    for empty, busy in pairs:
        busy.must(DEAF)
        busy.must("server = nbserver.serve()\nserver")
        busy.must("for client in nbserver.clients(server, 10): client.say('hello')")
        port = int(busy.value("server.address[1]"))
        with socket.create_connection(("127.0.0.1", port)) as outside:
            outside.sendall(b"hello")
            busy.must("server.wait_for_connections(11, 5)")
            assert busy.value("all(server[n].wait_waiting(5) for n in range(1, 12))") == "True"
            is_restart = busy is pairs[-1][1]
            more.append(seconds_to_leave(busy, is_restart) - seconds_to_leave(empty, is_restart))
            outside.settimeout(1)
            with contextlib.suppress(ConnectionResetError):
                assert outside.recv(1) == b""
        with socket.create_server(("127.0.0.1", port)):
            pass
    assert min(more) < 0.5  # what the machine does besides only adds to it
    busy.must(f"import nbserver\nserver = nbserver.serve(port={port})\nserver")
