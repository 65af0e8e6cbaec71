"""Real kernels, without a page: what a notebook's cells do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from jupyter_client.manager import KernelManager
from jupyter_client.session import DELIM

REPOSITORY = Path(__file__).parents[2]
PATIENCE = 60.0  # seconds

TUTORIAL_SERVER = """
import socketserver
class Myserver(socketserver.BaseRequestHandler):
    def handle(self):
        while 1:
            from_client_msg = self.request.recv(1024)
            print(from_client_msg.decode('utf-8'))
            server_msg = input('服务端说>>>')
            self.request.send(server_msg.encode('utf-8'))
if __name__ == '__main__':
    server = socketserver.ThreadingTCPServer(('127.0.0.1', PORT), Myserver)
    server.serve_forever()
"""
TUTORIAL_CLIENT = """
import socket
client = socket.socket()
client.connect(('127.0.0.1', PORT))
while 1:
    client_msg = input('请输入>>>')
    client.send(client_msg.encode('utf-8'))
    from_server_msg = client.recv(1024)
    print(from_server_msg.decode('utf-8'))
    if client_msg == "byebye":
        break
client.close()
"""


class Ran(NamedTuple):
    """What running a cell gave: text of streams, the last bundle of data, the error as shown, and how long it took."""

    text: str
    data: dict
    error: str
    seconds: float


class Kernel:
    """A kernel and the one client that speaks to it."""

    def __init__(self, python: str) -> None:
        self.manager = KernelManager()
        self.manager.kernel_spec.argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        self.manager.start_kernel(env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, stderr=subprocess.DEVNULL)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)

    def run(self, code: str, cell: str | None = None, typed: Sequence[str] = (), subshell: str | None = None) -> Ran:
        """Run a cell as JupyterLab does: with the cell's name, which is the same in every run.

        Args:
            code: The cell's text.
            cell: Its name.
            typed: What is typed when it asks, one after the other.
            subshell: The subshell to run it in.
        """
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
        content |= {"allow_stdin": bool(typed), "stop_on_error": False}
        message = self.client.session.msg("execute_request", content, metadata={"cellId": cell or code[:40]})
        if subshell:
            message["header"]["subshell_id"] = subshell
        started = time.monotonic()
        self.client.shell_channel.send(message)
        for text in typed:
            self.client.get_stdin_msg(timeout=PATIENCE)
            self.client.input(text)
        text, data, error = "", {}, ""
        while True:
            said = self.client.get_iopub_msg(timeout=PATIENCE)
            if said["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            content = said["content"]
            if said["msg_type"] == "stream":
                text += content["text"]
            elif said["msg_type"] in ("execute_result", "display_data"):
                data = content["data"]
            elif said["msg_type"] == "error":
                error = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(content["traceback"]))
            elif said["msg_type"] == "status" and content["execution_state"] == "idle":
                self.client.get_shell_msg(timeout=PATIENCE)
                return Ran(text, data, error, time.monotonic() - started)

    def must(self, code: str, cell: str | None = None) -> Ran:
        """Run a cell that raises nothing."""
        ran = self.run(code, cell)
        assert not ran.error, ran.error
        return ran

    def value(self, expression: str) -> str:
        """The ``str`` of an expression."""
        return self.must(f"print(({expression}))", "value").text.rstrip("\n")

    def send_raw(self, channel: str, kind: str, content: str) -> None:
        """Send a message of a type on the ``control`` or ``shell`` channel; `content` as it is, JSON or not."""
        session = self.client.session
        parts = [*map(session.pack, (session.msg_header(kind), {}, {})), content.encode()]
        getattr(self.client, f"{channel}_channel").socket.send_multipart([DELIM, session.sign(parts), *parts])

    def stop(self) -> float:
        """Shut the kernel down as JupyterLab does; returns how long it took, in seconds."""
        self.client.stop_channels()
        started = time.monotonic()
        self.manager.shutdown_kernel()
        return time.monotonic() - started


@pytest.fixture(params=["newest", "oldest"])
def python(request) -> str:
    """The Python of the newest ipykernel, and that of the oldest supported."""
    return sys.executable if request.param == "newest" else request.getfixturevalue("old_python")


@pytest.fixture
def kernel(python):
    kernel = Kernel(python)
    yield kernel
    kernel.stop()


@pytest.fixture(scope="module")
def nbserver_kernel():
    """A kernel with nbserver and a server, for tests that leave it as it was."""
    kernel = Kernel(sys.executable)
    kernel.must("%load_ext nbserver")
    kernel.must("import nbserver\nserver = nbserver.serve()")
    yield kernel
    kernel.stop()


@pytest.fixture
def tutorial(kernel):
    """A kernel with the tutorial's server and three clients, on a port of their own."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    kernel.server = "%%server\n" + TUTORIAL_SERVER.replace("PORT", port)
    kernel.clients = "%%client --count 3\n" + TUTORIAL_CLIENT.replace("PORT", port)
    kernel.must("%load_ext nbserver")
    kernel.must("import nbserver\nfrom nbserver.fleet import live_clients")
    kernel.must(kernel.server, "the server's cell")
    kernel.must(kernel.clients, "the clients' cell")
    return kernel
