"""Processes that a cell starts: they have no part in what the kernel serves."""

from __future__ import annotations

import socket
import time

import pytest

from .conftest import Kernel, echoed

SERVER = """
server = nbserver.serve(nbserver.Echo, port=globals().get("port", 0))
port = server.address[1]
client = nbserver.client(server)
"""
CHILDREN = {
    "fork": """
import atexit
reader, writer = os.pipe()
def live(end=atexit._run_exitfuncs, leave=os._exit):  # as arguments: at its end IPython forgets all names
    try:
        os.read(reader, 1)
        end()
    finally:
        leave(0)
pid = os.fork()
if pid == 0:
    live()
def end():
    os.write(writer, b"x")
    os.waitpid(pid, 0)
    os.close(reader)
    os.close(writer)
""",
    "subprocess": """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
def end():
    child.communicate(b"x")
""",
    "multiprocessing": """
import multiprocessing
method = multiprocessing.get_context("METHOD")
over = method.Event()
child = method.Process(target=over.wait)
child.start()
def end():
    over.set()
    child.join()
    child.close()
""",
}


@pytest.fixture
def kernel(sound_kernel):
    return sound_kernel


def until_refused(port: int) -> None:
    """A child that was forked this moment closes its copies first of all, but it has to be given a core for that."""
    deadline = time.monotonic() + 5
    with pytest.raises(ConnectionRefusedError):
        while time.monotonic() < deadline:
            socket.create_connection(("127.0.0.1", port), 5).close()


def live_through_children(kernel: Kernel, start: str) -> None:
    """The normal end of a child leaves its parent's clients alone; while one lives, its parent's server may end."""
    kernel.must(SERVER)
    port = int(kernel.value("port"))
    with socket.create_connection(("127.0.0.1", port)) as outside:
        outside.settimeout(1)

        def is_served(text: str) -> bool:
            outside.sendall(text.encode())
            kernel.must(f"client.say({text!r})")
            return outside.recv(100).decode() == kernel.value("client.hear(1)") == text and echoed(port)

        assert is_served("before")
        kernel.must(start)
        assert is_served("while it lives")
        kernel.must("end()")
        assert is_served("after its end")
        kernel.must(start)
        kernel.must("server.stop()")
        assert outside.recv(1) == b""
    until_refused(port)
    kernel.must(SERVER)
    assert echoed(port)
    kernel.must("end()")
    assert echoed(port)
    kernel.must("server.stop()")


@pytest.mark.parametrize("kind", ["fork", "subprocess"])
def test_fault_49_a_child_neither_serves_nor_hangs_up(kernel, kind):
    live_through_children(kernel, CHILDREN[kind])


def test_fault_49_a_child_of_multiprocessing_neither_serves_nor_hangs_up(kernel):
    starts = [CHILDREN["multiprocessing"].replace("METHOD", name) for name in ("fork", "spawn", "forkserver")]
    for start in starts:
        kernel.must(start)
        kernel.must("end()")
    kernel.must("before = things()")  # multiprocessing keeps helpers of its own, and pipes to them
    for start in starts:
        live_through_children(kernel, start)
