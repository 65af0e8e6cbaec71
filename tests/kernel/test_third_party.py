"""Logging and warnings of a handler in a real kernel: in its transcript, and in a cell only if it asks for it."""

from __future__ import annotations

import ast

import pytest

PREPARE = """
import logging, os, socket, socketserver, threading, warnings
import nbserver, nbserver.net
named, quiet = logging.getLogger("named"), logging.getLogger("quiet")
"""
SERVE = """
class Speaks(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.recv(10)
        quiet.warning("nobody listens")
        named.warning("a cell listens")
        warnings.warn("careful")
        logging.warning("sets logging up")
        self.request.sendall(b"done")

class Logs(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.recv(10)
        named.warning("one of many")
        self.request.sendall(b"done")
        self.request.recv(10)

def exchange(server, count):
    clients = [socket.create_connection(server.address, timeout=20) for _ in range(count)]
    for client in clients:
        client.sendall(b"x")
    for client in clients:
        assert client.recv(10) == b"done"
    return clients

def printed(connection):
    return [e.data.decode() for e in connection.transcript if e.kind == "printed"]
"""


@pytest.fixture
def streamed(kernel):
    """What the kernel sends to pages, whatever cell it is for."""
    texts, receive = [], kernel.client.get_iopub_msg

    def get_iopub_msg(**options):
        message = receive(**options)
        if message["msg_type"] == "stream":
            texts.append(message["content"]["text"])
        return message

    kernel.client.get_iopub_msg = get_iopub_msg
    return texts


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_a_handler_says_is_in_its_transcript_and_in_no_cell(kernel, streamed, when):
    listen = "named.addHandler(logging.StreamHandler())"
    kernel.must(PREPARE)
    if when == "before":
        kernel.must(listen)
    kernel.must(SERVE)
    kernel.must("server = nbserver.serve(Speaks)")
    if when == "after":
        kernel.must(listen)
    kernel.must("exchange(server, 1)[0].close(); server[1].wait_closed(5)")
    kernel.must("server.stop(); print('last')")
    shown = "".join(streamed)
    assert shown.replace("a cell listens\n", "", 1) == "last\n"  # by the handler that the cell has set up
    said = [line for line in ast.literal_eval(kernel.value("printed(server[1])")) if not line.startswith(" ")]
    assert said[:2] == ["WARNING quiet: nobody listens", "WARNING named: a cell listens"]
    assert said[2].endswith("UserWarning: careful")
    assert said[3:] == ["WARNING:root:sets logging up"]


def test_a_handlers_thread_that_logs_opens_no_socket_of_the_kernels(kernel, streamed):
    """Each thread that printed would open one, and at about a thousand the kernel has no more, for anybody."""
    kernel.must(PREPARE + "named.addHandler(logging.StreamHandler())")
    kernel.must(SERVE)
    kernel.must("schedule = get_ipython().kernel.iopub_thread.schedule\nserver = nbserver.serve(Logs)")
    count = "len([fd for fd in os.listdir('/proc/self/fd') if 'eventfd' in os.path.realpath(f'/proc/self/fd/{fd}')])"
    before = int(kernel.value(count))
    kernel.must("clients = exchange(server, 60)")
    assert kernel.value("threading.active_count() > 60") == "True"
    assert int(kernel.value(count)) < before + 20
    kernel.must("[client.close() for client in clients]; server.stop(); print('last')")
    assert "".join(streamed).count("one of many\n") == 60
    assert kernel.value("get_ipython().kernel.iopub_thread.schedule == schedule") == "True"


def test_a_program_that_sets_logging_up_has_its_own_lines_once_and_no_cell_has_them(kernel, streamed):
    program = """
import logging, socketserver
logging.basicConfig(level=logging.DEBUG, format="%(name)s: %(message)s")
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        logging.getLogger("Echo").debug("handle")
        self.request.sendall(b"done")
logging.getLogger("main").debug("begins")
server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo)
server.serve_forever()
"""
    kernel.must("%load_ext nbserver")
    assert kernel.must("%%server" + program).text == "main: begins\n"
    kernel.must(PREPARE + SERVE + "server = nbserver.servers()[0]\nexchange(server, 1)[0].close()")
    kernel.must("server[1].wait_closed(5); server.stop()")
    assert "".join(streamed) == "main: begins\n"
    assert kernel.value("printed(server[1])") == "['Echo: handle']"


def test_a_process_that_a_cell_forks_serves_nobody(kernel):
    kernel.must(
        PREPARE + "import builtins, multiprocessing, sys\nfrom nbserver import net\nserver = nbserver.serve(net.Echo)"
    )
    kernel.must("""
def echo(text):
    client.sendall(text)
    return client.recv(100)

def work(queue):
    routed = "nbserver" in f"{builtins.input.__module__} {type(sys.stdout).__module__}"
    queue.put((nbserver.servers(), server.state.value, server.base.fileno(), routed))

client = socket.create_connection(server.address, timeout=20)
first = echo(b"first")
context = multiprocessing.get_context("fork")
queue = context.SimpleQueue()
process = context.Process(target=work, args=(queue,))
process.start()
told = queue.get()
process.join(20)
""")
    assert kernel.value("told") == "([], 'stopped', -1, False)"
    assert kernel.value("process.exitcode, first, echo(b'second')") == "(0, b'first', b'second')"
    assert kernel.value("nbserver.servers() == [server], server[1].bytes_in") == "(True, 11)"
