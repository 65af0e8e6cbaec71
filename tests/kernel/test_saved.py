"""What a notebook keeps of a conversation, by what a kernel publishes and what nbclient and nbconvert make of it."""

from __future__ import annotations

import re
import socket

import nbconvert
import nbformat
import pytest
from nbclient import NotebookClient

from .page import Page

SERVE = "import nbserver\nserver = nbserver.serve(nbserver.Echo)\nserver"
TALK = (
    "fleet = nbserver.clients(server, 2, ['<b>hello</b> $x$\\n'])\nheard = [client.hear() for client in fleet]\nfleet"
)
PLAIN_SERVER = """%%server
import socketserver
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(self.request.recv(100))
server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo)
server.serve_forever()"""
PLAIN_CLIENT = """%%client
import socket
with socket.create_connection(server.server_address) as peer:
    peer.sendall(b"hello")
    print(peer.recv(100).decode())"""

UNSAVED = "server = nbserver.serve(snapshot=False)\nserver"
OBSERVED = """import socketserver
base = socketserver.TCPServer(("127.0.0.1", 0), nbserver.Echo)
nbserver.observe(base, snapshot=False)"""


class Told:
    """What a page is told about the saved parts that it has been shown: by name, the newest bundle."""

    def __init__(self, kernel) -> None:
        self.bundles: dict[str, dict] = {}
        kernel.listeners.append(self._hear)

    def _hear(self, said: dict) -> None:
        name = said["content"].get("transient", {}).get("display_id", "")
        if name.startswith("nbserver-") and (name in self.bundles or said["msg_type"] == "display_data"):
            self.bundles[name] = said["content"]["data"]

    def texts(self) -> list[str]:
        return [data["text/plain"] for data in self.bundles.values()]


@pytest.fixture
def told(kernel):
    return Told(kernel)


def test_it_is_empty_at_first_and_refreshed_by_a_snapshot_and_by_the_stop(kernel, told):
    kernel.must(SERVE)
    assert told.texts() == [""]
    with socket.create_connection(("127.0.0.1", int(kernel.value("server.address[1]")))) as peer:
        peer.sendall(b"hello")
        peer.recv(100)
        shown = kernel.must("server.snapshot()").data
    (text,) = told.texts()
    assert ", serving\n" in text and "← hello" in text and shown["text/plain"] == text
    kernel.must("server.stop()")
    (text,) = told.texts()
    assert ", stopped\n" in text and " closed" in text
    assert set(*told.bundles.values()) == {"text/plain", "text/html"}


def test_shown_twice_it_is_one(kernel, told):
    kernel.must(SERVE)
    kernel.must("fleet = nbserver.clients(server, 1, ['hello'])\nfleet[0].hear()")
    kernel.must("server")
    (text,) = told.texts()
    assert "← hello" in text


def test_what_is_said_is_there_without_being_asked_for_and_only_the_publisher_sends(kernel, told):
    """A handler that stops its own server: its thread sends nothing, which would take a ZeroMQ socket."""
    kernel.must("import nbserver.widgets.saved as saved, socketserver, threading\nsaved._PERIOD = 0.2")
    kernel.must(
        "import nbserver\n"
        "class Stops(socketserver.StreamRequestHandler):\n"
        "    def handle(self):\n"
        "        for line in self.rfile:\n"
        "            if line == b'stop\\n':\n"
        "                server.snapshot(), server.stop()\n"
        "server = nbserver.serve(Stops)\nserver"
    )
    kernel.must(
        "senders, publish = set(), get_ipython().display_pub.publish\n"
        "def noted(*args, **options):\n"
        "    senders.add(threading.current_thread().name)\n"
        "    publish(*args, **options)\n"
        "get_ipython().display_pub.publish = noted"
    )
    with socket.create_connection(("127.0.0.1", int(kernel.value("server.address[1]")))) as peer:
        peer.sendall(b"hello\n")
        kernel.pump_until(lambda: "← hello" in told.texts()[0])
        peer.sendall(b"stop\n")
        kernel.pump_until(lambda: ", stopped" in told.texts()[0])
    assert kernel.value("senders") == "{'nbserver-publisher'}"


def test_clients_are_kept_when_the_last_has_ended(kernel, told):
    kernel.must("%load_ext nbserver")
    kernel.must(PLAIN_SERVER)
    kernel.must(PLAIN_CLIENT)
    kernel.pump_until(lambda: len(told.texts()) == 2 and "| hello" in told.texts()[1])
    assert re.search(r"\nclient 1: program, ended\n(  .*\n)*  .* closed: ended after .*$", told.texts()[1])


def test_clients_that_are_run_again_are_kept_to_their_new_end(kernel, told):
    kernel.must("import nbserver, types\nfleet = nbserver.clients(lambda: print('done'), 1)\nfleet")
    kernel.pump_until(lambda: "closed: ended" in told.texts()[0])
    Page(kernel, "types.SimpleNamespace(panel=nbserver.panel(fleet))").must("run_clients")
    kernel.pump_until(lambda: told.texts()[0].count("closed: ended") == 2)
    assert "opened: run 2\n" in told.texts()[0]


@pytest.mark.parametrize(
    ("cells", "kept"),
    [
        ([PLAIN_SERVER, PLAIN_CLIENT], 2),
        ([PLAIN_SERVER.replace("%%server", "%%server --no-snapshot")], 0),
        ([PLAIN_SERVER.replace("%%server", "%%server --no-snapshot --lan"), PLAIN_CLIENT], 1),
        ([PLAIN_SERVER, PLAIN_CLIENT.replace("%%client", "%%client --count 2 --no-snapshot")], 1),
        ([UNSAVED, "nbserver.clients(server, 1)", "nbserver.client(server)", "server.snapshot().title"], 0),
        ([OBSERVED], 0),
        (["server = nbserver.serve()\nserver", "nbserver.clients(server, 1, snapshot=False)[0]"], 1),
    ],
)
def test_s15_left_out_on_request(nbserver_kernel, cells, kept):
    told = Told(nbserver_kernel)
    for cell in cells:
        nbserver_kernel.must(cell)
    nbserver_kernel.must("nbserver.stop_all()")
    nbserver_kernel.listeners.remove(told._hear)
    assert len(told.bundles) == kept


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A notebook that nbclient has run, without a page, and saved."""
    cells = [SERVE, TALK, "server[1].snapshot()", "report = server.stop()\nfleet.close()\nresult = fleet.snapshot()"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    file = tmp_path_factory.mktemp("executed") / "notebook.ipynb"
    nbformat.write(notebook, file)
    nbformat.validate(nbformat.read(file, 4))
    return file


def test_a_notebook_run_without_a_page_keeps_it(executed):
    cells = nbformat.read(executed, 4).cells
    server, fleet = (cells[n].outputs[0]["data"]["text/plain"] for n in (0, 1))
    assert ", stopped\n" in server and server.count(r"← <b>hello</b> $x$\n") == 2
    assert ", ended\n" in fleet and fleet.count(r"← <b>hello</b> $x$\n") == 2
    assert r"← <b>hello</b> $x$\n" in cells[2].outputs[0]["data"]["text/plain"]


@pytest.mark.parametrize("exporter", [nbconvert.HTMLExporter, nbconvert.MarkdownExporter])
def test_exports_show_it(executed, exporter):
    text, _ = exporter().from_filename(str(executed))
    assert text.count(r"← &lt;b&gt;hello&lt;/b&gt; $x$\n") == 5 and "← <b>" not in text
