"""The kernel is interrupted while a cell waits in a call of ours: the interrupt is that cell's, and nothing else's."""

from __future__ import annotations

import re
import socket
import time

import pytest

from .conftest import PATIENCE, Kernel

BLOCKED = """
import math
import sys

def mark(path, function):
    "Make a file at the moment when the main thread waits in a function of that name."
    def is_blocked():
        frame, names = sys._current_frames()[threading.main_thread().ident], []
        while frame:
            names.append(frame.f_code.co_name)
            frame = frame.f_back
        return names[0] == "wait" and function in names
    threading.Thread(target=lambda: wait_for(is_blocked, 30) and open(path, "x").close()).start()
"""
IGNORES = """
import socketserver
held = threading.Event()

class Ignores(socketserver.BaseRequestHandler):
    def handle(self):
        held.wait()
"""
WAITS = """server.wait_stopped()
server.wait_for_connections(99, math.inf)
server[1].wait_waiting()
server[1].wait_closed()
client.hear(None)
client.wait_ended()"""


@pytest.fixture
def kernel(sound_kernel):
    return sound_kernel


def interrupted(kernel: Kernel, tmp_path, code: str, function: str, name: str = "") -> str:
    """What a cell shows that was interrupted while it was blocked in a function."""
    path = tmp_path / function
    kernel.must(f"mark({str(path)!r}, {function!r})", "mark")
    cell = kernel.start(code, name)
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)  # between two looks
    kernel.manager.interrupt_kernel()
    return kernel.finish(cell).error


def test_fault_48_an_interrupt_of_a_blocked_call_is_the_cells_alone(kernel, tmp_path):
    kernel.must(BLOCKED)
    kernel.must("server = nbserver.serve(nbserver.Echo)\nclient = nbserver.client(server)\nserver")
    with socket.create_connection(("127.0.0.1", int(kernel.value("server.address[1]")))) as outside:
        outside.settimeout(1)
        for call in WAITS.splitlines():
            error = interrupted(kernel, tmp_path, call, re.search(r"\.(\w+)\(", call)[1])
            assert error.endswith("KeyboardInterrupt: "), error
            outside.sendall(b"still here")
            assert outside.recv(100) == b"still here"
            kernel.must("client.say('I too')")
            assert kernel.value("client.hear(1), server.observation.trouble") == "('I too', '')"
            assert kernel.value("server.thread.is_alive(), server.state.value") == "(True, 'serving')"
    kernel.must("server[2].wait_closed(5)")
    assert kernel.value("[e.kind.value for s in nbserver.servers() for e in s.journal].count('error')") == "0"


def test_fault_48_a_cell_interrupted_while_it_ends_its_earlier_run_is_done_by_the_next(kernel, tmp_path):
    kernel.must(BLOCKED)
    kernel.must(IGNORES)
    cell = "ignored, other = nbserver.serve(Ignores), nbserver.serve(port=globals().get('port', 0))"
    kernel.must(f"{cell}\nport = other.address[1]", "again")
    kernel.must("client = nbserver.client(ignored)")
    assert interrupted(kernel, tmp_path, cell, "stop", "again").endswith("KeyboardInterrupt: ")
    kernel.must("held.set()")
    kernel.must(cell, "again")
    assert kernel.value("other.address[1] == port, other in nbserver.servers()") == "(True, True)"


def test_fault_48_an_interrupt_before_a_program_listens_leaves_it_to_the_next_run(kernel, tmp_path):
    kernel.must("%load_ext nbserver")
    kernel.must(BLOCKED)
    listens = "%%server\nimport socket, time\nsocket.create_server(('127.0.0.1', 0)).close()"
    kernel.must(listens, "program")
    kernel.must("before = things()")
    never = "%%server\nimport time\nwhile True:\n    time.sleep(0.01)"
    assert interrupted(kernel, tmp_path, never, "wait_listening", "program").endswith("KeyboardInterrupt: ")
    assert "nbserver-program" in kernel.value("things()")
    kernel.must(listens, "program")
    assert kernel.value("is_as_before()") == "True"


def test_fault_48_an_interrupted_stop_has_stopped(kernel, tmp_path):
    """A handler that ignores its socket is waited for no longer, and named."""
    kernel.must(BLOCKED)
    kernel.must(IGNORES)
    kernel.must("server = nbserver.serve(Ignores)\nclient = nbserver.client(server)")
    error = interrupted(kernel, tmp_path, "server.stop(60)", "stop")
    assert error.endswith("KeyboardInterrupt: "), error
    assert kernel.value("server.state.value, nbserver.servers() == [echo]") == "('stopped', True)"
    assert kernel.value("[c.number for c in server.stop().stragglers]") == "[1]"
    kernel.must("client.wait_ended(5)\nheld.set()\nserver[1].wait_closed(5)")
