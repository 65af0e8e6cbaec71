"""Real kernels, without a page: what a notebook's cells do."""

from __future__ import annotations

import os
import re
import socket
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from jupyter_client.manager import KernelManager
from jupyter_client.session import DELIM

import tests.kernel_ports  # noqa: F401
from tests.conftest import a_free_port

from .page import Page

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
# What a kernel has open, by name, apart from where IPython writes its history now and then.
FILES = """
import os

def files():
    for name in os.listdir("/dev/fd"):
        try:
            path = os.readlink("/dev/fd/" + name)
        except FileNotFoundError:
            continue  # the one that listed them
        except OSError:
            path = "a file"  # not Linux, which alone names them
        if "profile_default" not in path:
            yield path
"""


class Ran(NamedTuple):
    """What running a cell gave: text of streams, the last bundle of data, the error as shown, and how long it took."""

    text: str
    data: dict
    error: str
    seconds: float


class Started(NamedTuple):
    """A cell that runs, or waits for the one before it."""

    id: str
    at: float


class Kernel:
    """A kernel and the one client that speaks to it.

    Attributes:
        listeners: Each is given everything that the kernel publishes.
        complaints: What it has written to stderr, from whichever thread.
    """

    def __init__(self, python: str) -> None:
        self.manager = KernelManager()
        self.manager.kernel_spec.argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        # Without pytest's mark: with it, ipykernel does not show what is written past Python's own streams.
        env = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._stderr = Path(self._folder.name, "stderr").open("a")  # noqa: SIM115 - closed in stop()
        env |= {"PYTHONPATH": str(REPOSITORY), "IPYTHONDIR": self._folder.name}
        self.manager.start_kernel(env=env, stderr=self._stderr)
        self.client = self.manager.client()
        self.client.start_channels()
        self.listeners: list[Callable[[dict], None]] = []
        self.complaints: list[str] = []
        self._said: dict[str, deque[dict]] = {}  # what belongs to the cells that run, by their requests
        try:
            self.client.wait_for_ready(timeout=PATIENCE)
        except RuntimeError as error:
            written = self.written()
            self.stop()
            raise AssertionError(f"the kernel did not start; it wrote:\n{written}") from error

    def start(
        self, code: str, cell: str | None = None, allow_stdin: bool = False, subshell: str | None = None
    ) -> Started:
        """Send a cell as JupyterLab does, with the cell's name, which is the same in every run; do not wait for it."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
        content |= {"allow_stdin": allow_stdin, "stop_on_error": False}
        message = self.client.session.msg("execute_request", content, metadata={"cellId": cell or code[:40]})
        if subshell:
            message["header"]["subshell_id"] = subshell
        started = Started(message["header"]["msg_id"], time.monotonic())
        self._said[started.id] = deque()
        self.client.shell_channel.send(message)
        return started

    def finish(self, started: Started) -> Ran:
        """Wait for a cell's end."""
        text, data, error = "", {}, ""
        while True:
            self.pump_until(lambda: self._said[started.id])
            said = self._said[started.id].popleft()
            content = said["content"]
            if said["msg_type"] == "stream":
                text += content["text"]
            elif said["msg_type"] in ("execute_result", "display_data"):
                data = content["data"]
            elif said["msg_type"] == "error":
                error = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(content["traceback"]))
            elif said["msg_type"] == "status" and content["execution_state"] == "idle":
                self.client.get_shell_msg(timeout=PATIENCE)
                del self._said[started.id]
                return Ran(text, data, error, time.monotonic() - started.at)

    def pump_until(self, condition: Callable[[], object], patience: float = PATIENCE) -> None:
        """Take in what the kernel publishes until something is so; `patience` in seconds."""
        deadline = time.monotonic() + patience
        while not condition():
            said = self.client.get_iopub_msg(timeout=max(0.0, deadline - time.monotonic()))
            if said["msg_type"] == "stream" and said["content"]["name"] == "stderr":
                self.complaints.append(said["content"]["text"])
            for listener in self.listeners:
                listener(said)
            if (parent := said["parent_header"].get("msg_id")) in self._said:
                self._said[parent].append(said)

    def wait_running(self, started: Started) -> None:
        """Wait until the kernel has begun with a cell."""
        self.pump_until(lambda: any(said["msg_type"] == "execute_input" for said in self._said[started.id]))

    def run(self, code: str, cell: str | None = None, typed: Sequence[str] = (), subshell: str | None = None) -> Ran:
        """Run a cell to its end.

        Args:
            code: The cell's text.
            cell: Its name.
            typed: What is typed when it asks, one after the other.
            subshell: The subshell to run it in.
        """
        started = self.start(code, cell, bool(typed), subshell)
        for text in typed:
            self.client.get_stdin_msg(timeout=PATIENCE)
            self.client.input(text)
        return self.finish(started)

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

    def written(self) -> str:
        """What it has written to its process's stderr, past all that is published."""
        return Path(self._stderr.name).read_text()

    def stop(self) -> float:
        """Shut the kernel down as JupyterLab does; returns how long it took, in seconds."""
        self.client.stop_channels()
        started = time.monotonic()
        self.manager.shutdown_kernel()
        seconds = time.monotonic() - started
        self._stderr.close()
        self._folder.cleanup()
        return seconds


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
    port = str(a_free_port())
    kernel.server = "%%server\n" + TUTORIAL_SERVER.replace("PORT", port)
    kernel.clients = "%%client --count 3\n" + TUTORIAL_CLIENT.replace("PORT", port)
    kernel.must("%load_ext nbserver")
    kernel.must("import nbserver\nfrom nbserver.fleet import live_clients")
    kernel.must(kernel.server, "the server's cell")
    kernel.must(kernel.clients, "the clients' cell")
    return kernel


# --- a kernel that must be sound after a fault ----------------------------------------------------------------

HELP = """
import nbserver, threading, time
from nbserver.fleet import live_clients

def things():
    # A worker that waits for its next connection goes when it likes, and so does what saves IPython's history.
    passing = f"{echo.address[1]}-worker", "HistorySaving"
    return sorted([*files(), *(t.name for t in threading.enumerate() if not any(p in t.name for p in passing))])

def is_as_before():
    if wait_for(lambda: things() == before):
        return True
    return [n for n in {*things(), *before} if things().count(n) != before.count(n)]

def wait_for(condition, seconds=5):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)  # between two looks
    return condition()

def end_all():
    for server in nbserver.servers():
        if server is not echo:
            server.stop()
    for client in live_clients():
        client.close()

echo = nbserver.serve(nbserver.Echo)
echo
"""
WARM = "warm = nbserver.serve()\nnbserver.client(warm, ['x'])\nwarm[1].wait_waiting(5)\nend_all()"


def echoed(port: int, text: bytes = b"are you there?", times: int = 1) -> bool:
    """Whether a new client is echoed, each time within a second."""
    with socket.create_connection(("127.0.0.1", port), 1) as client:
        client.settimeout(1)
        for _ in range(times):
            client.sendall(text)
            if client.recv(100) != text:
                return False
    return True


@pytest.fixture
def sound_kernel(python):
    """A kernel with an echo server and somebody who looks at its board; after the fault all is as it was before."""
    kernel = Kernel(python)
    try:
        kernel.must(FILES)
        kernel.must(HELP, "help")
        kernel.echo = int(kernel.value("echo.address[1]"))
        Page(kernel, "echo")
        assert echoed(kernel.echo)
        kernel.must(WARM)
        kernel.must("wait_for(lambda: not {'nbserver-watch', 'client 1'} & {*things()})\nbefore = things()")
        written = kernel.written()
        yield kernel
        assert kernel.manager.is_alive()
        assert echoed(kernel.echo)
        kernel.must("end_all()")
        assert kernel.value("is_as_before()") == "True"
        assert (kernel.complaints, kernel.written()) == ([], written)
    finally:
        kernel.stop()
