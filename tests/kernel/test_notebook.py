"""What cells do: the tutorial's programs, run and run again, and what bad input gets."""

from __future__ import annotations

import json
import os
import re

import pytest

from .conftest import FILES

EXCHANGE = """
clients = live_clients()
server = nbserver.servers()[0]
server.wait_for_connections(3, 5)
for client in clients:
    assert client.wait_waiting(5)
    client.answer(f"hello from {client.number}")
for connection in server.connections.values():
    assert connection.wait_waiting(5)
for number in sorted(server.connections, reverse=True):
    asked = [e.data.decode() for e in server[number].transcript if e.kind == "received"][-1]
    server.reply(number, "answer to " + asked)
for client in clients:
    assert client.wait_waiting(5)
heard = [[e.data.decode() for e in c.transcript if e.kind == "printed"] for c in clients]
"""


def test_three_clients_of_the_tutorial_each_receive_their_own_answer(tutorial):
    tutorial.must(EXCHANGE)
    assert tutorial.value("heard") == str([[f"answer to hello from {n}"] for n in (1, 2, 3)])
    assert tutorial.value("server[1].prompt, server[1].status") == "(None, 'receiving')"


def test_promise_04_running_the_cell_again_leaves_one_server(tutorial):
    """Fifty times, with ten clients connected: no error, one server on the same port, each time under a second."""
    tutorial.must("address = nbserver.servers()[0].address")
    ten = tutorial.clients.replace("--count 3", "--count 10")
    tutorial.must(ten, "the clients' cell")
    slowest = 0.0
    for _ in range(50):
        tutorial.must("nbserver.servers()[0].wait_for_connections(10, 5)", "wait")
        slowest = max(slowest, tutorial.must(tutorial.server, "the server's cell").seconds)
        tutorial.must(ten, "the clients' cell")
    assert slowest < 1.0
    assert tutorial.value("[s.address == address for s in nbserver.servers()]") == "[True]"
    assert tutorial.value("[c.number for c in live_clients()]") == str(list(range(1, 11)))


def test_serve_in_a_cell_that_runs_again_takes_over_its_port(kernel):
    cell = "import nbserver\nserver = nbserver.serve(port=globals().get('port', 0))\nport = server.address[1]\nserver"
    kernel.must(cell)
    ran = kernel.must(cell)
    assert "application/vnd.jupyter.widget-view+json" in ran.data
    assert kernel.value("nbserver.servers() == [server], server.address[1] == port") == "(True, True)"


def test_two_servers_of_one_cell_both_stay(kernel):
    kernel.must("import nbserver\na = nbserver.serve()\nb = nbserver.serve(nbserver.Echo)")
    assert kernel.value("nbserver.servers() == [a, b]") == "True"


def test_an_error_in_the_program_is_that_cells_error(tutorial):
    ran = tutorial.run("%%server\nimport socketserver\n\nwrong(here)\n")
    assert "NameError: name 'wrong' is not defined" in ran.error
    assert "wrong(here)" in ran.error and "nbserver" not in ran.error
    assert "SyntaxError" in tutorial.run("%%server\nclass :\n").error


def test_what_the_server_program_defines_is_the_notebooks(tutorial):
    assert tutorial.value("Myserver.__name__, type(server).__name__") == "('Myserver', 'ThreadingTCPServer')"


def test_asyncio_run_works_in_a_server_cell(kernel):
    program = """%%server
import asyncio

async def answer(reader, writer):
    print("asked", (await reader.read(100)).decode())
    writer.write(b"from asyncio")
    writer.close()

async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print("listening on", port)
    globals()["port"] = port
    async with server:
        await server.serve_forever()

asyncio.run(main())
"""
    kernel.must("%load_ext nbserver")
    first = kernel.must(program, "asyncio")
    assert "application/vnd.jupyter.widget-view+json" in first.data
    kernel.must("import gc, nbserver\nfrom nbserver.kernel import ServerProgram\n")
    kernel.must("running = lambda: [o for o in gc.get_objects() if isinstance(o, ServerProgram) and not o.has_ended]")
    kernel.must("p = running()[0]\np._journal.wait_for(lambda: 'port' in p.variables, 5)")
    kernel.must("c = nbserver.client(('127.0.0.1', p.variables['port']))\nc.say('hello')\nheard = c.hear(5)")
    assert kernel.value("heard") == "from asyncio"
    assert "asked hello" in kernel.value("p.take_printed()")
    kernel.must(program, "asyncio")
    assert kernel.value("p.has_ended, len(running())") == "(True, 1)"


def test_a_program_with_two_servers_replaces_both(kernel):
    program = """%%server
import socketserver, threading
one = socketserver.ThreadingTCPServer(("127.0.0.1", PORTS[0]), socketserver.BaseRequestHandler)
two = socketserver.ThreadingTCPServer(("127.0.0.1", PORTS[1]), socketserver.BaseRequestHandler)
threading.Thread(target=one.serve_forever, daemon=True).start()
two.serve_forever()
"""
    kernel.must("%load_ext nbserver")
    kernel.must(
        "import nbserver, threading, time\n"
        "def both(end):\n"
        "    while len(nbserver.servers()) < 2 and time.monotonic() < end: threading.Event().wait(0.01)\n"
        "    return sorted(server.address[1] for server in nbserver.servers())\n"
        "PORTS = [0, 0]"
    )
    kernel.must(program, "two servers")
    kernel.must("PORTS = both(time.monotonic() + 5)")
    for _ in range(2):
        kernel.must(program, "two servers")
        assert kernel.value("both(time.monotonic() + 5) == PORTS and len(PORTS)") == "2"


def test_what_the_program_prints_later_is_shown_with_its_board(kernel):
    program = """%%server
import socketserver
class Counting(socketserver.ThreadingTCPServer):
    def verify_request(self, request, client_address):
        print("verifying")
        return True
with Counting(("127.0.0.1", 0), socketserver.BaseRequestHandler) as server:
    print("about to serve")
    server.serve_forever()
"""
    kernel.must("%load_ext nbserver")
    assert kernel.must(program).text == "about to serve\n"
    kernel.must("import nbserver\nfrom nbserver.fleet import Fleet\nfrom nbserver.widgets.feed import Feed")
    kernel.must("server = nbserver.servers()[0]\nclient = nbserver.client(server)\nclient.wait_ended(5)")
    kernel.must("feed = Feed(server, Fleet())\nsnapshot = feed.snapshot()\ntold = feed.watch('clients', 0)[1]")
    assert kernel.value("[row[0] for row in snapshot['clients']], b'verifying' in told") == "([0], True)"


def test_promise_05_unload_ext_leaves_no_patch_no_thread_and_no_descriptor(kernel):
    kernel.must("%load_ext nbserver")
    kernel.must("import nbserver\nnbserver.client(nbserver.serve())")
    kernel.must("%unload_ext nbserver")
    kernel.must(
        "import builtins, getpass, socket, socketserver, sys, threading\n"
        "def state():\n"
        "    k = get_ipython().kernel\n"
        "    return (builtins.input, getpass.getpass, sys.stdout, sys.stderr, sys.stdin, k.raw_input, k.getpass,\n"
        "        socketserver.BaseServer.__init__, 'listen' in vars(socket.socket), sorted(k.control_handlers),\n"
        "        sorted(get_ipython().magics_manager.magics['cell']),\n"
        "        list(get_ipython().display_formatter.mimebundle_formatter.type_printers))\n"
        "before = state()"
    )
    kernel.must(FILES)
    # Without what wakes ipykernel for a thread that prints: it closes that within ten seconds after the thread's end.
    kernel.must("opened = lambda: sorted(f for f in files() if 'eventfd' not in f)\nbefore_files = opened()")
    kernel.must("%load_ext nbserver")
    program = "%%server\nimport socketserver\nsocketserver.TCPServer(('127.0.0.1', 0), print).serve_forever()"
    kernel.must(program)
    kernel.must("other = nbserver.serve()\nnbserver.clients(other, 2, ['waits'])[1]")
    kernel.must("assert other[1].wait_waiting(5)")
    assert kernel.value("state() == before or opened() == before_files") == "False"
    kernel.must("%unload_ext nbserver")
    kernel.must("for t in threading.enumerate():\n    if t.name.startswith(('nbserver', 'client')): t.join(5)")
    assert kernel.value("[a for a, b in zip(state(), before) if a != b]") == "[]"
    assert kernel.value("{*opened()} ^ {*before_files} or len(opened()) - len(before_files)") == "0"
    names = kernel.value("[t.name for t in threading.enumerate()]")
    assert "nbserver" not in names and "client" not in names
    assert "Cell magic `%%server` not found" in kernel.run(program).text


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("%%server --port 8\n1", ["UsageError", "'--port 8' is not an option", "%%server takes --lan"]),
        ("%%client --cuont 3\n1", ["UsageError", "did you mean --count?"]),
        ("%%client --count many\n1", ["UsageError", "'--count many'"]),
        ("%%client --count 0\n1", ["UsageError", "between 1 and 200"]),
        ("nbserver.serve(42)", ["UsageError", "handle()", "not 42"]),
        ("nbserver.serve(host='192.0.2.1')", ["UsageError", "lan=True"]),
        ("nbserver.serve(host='192.0.2.1', lan=True)", ["AddressError", "'192.0.2.1' is not an address of this"]),
        ("nbserver.serve(port=99999)", ["AddressError", "0 to 65535"]),
        ("nbserver.serve(server_class=int)", ["UsageError", "server_class"]),
        ("nbserver.serve(port='8008')", ["UsageError", "'8008'"]),
        ("nbserver.serve(host=None)", ["UsageError", "host is a text"]),
        ("nbserver.serve(host='/tmp/socket')", ["UsageError", "ThreadingUnixStreamServer"]),
        ("nbserver.client(('no..host', 1))", ["UsageError", "no..host"]),
        ("nbserver.client(('127.0.0.1', 1))", ["NotListening", "nothing listens on 127.0.0.1:1"]),
        ("nbserver.client('nowhere')", ["UsageError", "'nowhere'"]),
        ("nbserver.observe(object())", ["UsageError", "socketserver"]),
        ("nbserver.servers()[0][77]", ["UsageError", "#77"]),
        ("nbserver.serve(port=nbserver.servers()[0].address[1])", ["AddressError", "this notebook's server", "cell ["]),
    ],
)
def test_bad_input_gets_one_sentence(nbserver_kernel, code, words):
    error = nbserver_kernel.run(code).error
    for word in words:
        assert word in error, error
    assert len(error.splitlines()) == 1


def test_a_foreign_holder_of_the_port_is_named(nbserver_kernel):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as holder:
        error = nbserver_kernel.run(f"nbserver.serve(port={holder.getsockname()[1]})").error
    assert "AddressError" in error and f"process {os.getpid()} (" in error


def test_input_print_and_capture_in_other_cells_are_as_they_were(tutorial):
    assert tutorial.must("print('to the cell')").text == "to the cell\n"
    captured = tutorial.must("%%capture caught\nprint('kept')")
    assert captured.text == "" and tutorial.value("caught.stdout") == "kept"
    assert "from a shell" in tutorial.must("!echo from a shell").text
    assert "StdinNotImplementedError" in tutorial.run("input('?')").error


def test_input_and_the_debugger_of_a_cell_ask_the_notebook(tutorial):
    assert tutorial.run("print('hello', input('name? '))", typed=["Bob"]).text == "hello Bob\n"
    assert tutorial.run("import getpass\nprint(len(getpass.getpass()))", typed=["secret"]).text == "6\n"
    assert "ZeroDivisionError" in tutorial.run("numerator = 6\nnumerator / 0").error
    assert "42" in tutorial.run("%debug", typed=["p numerator * 7", "q"]).text


def test_a_subshell_prints_where_it_printed(nbserver_kernel):
    nbserver_kernel.client.control_channel.send(nbserver_kernel.client.session.msg("create_subshell_request", {}))
    subshell = nbserver_kernel.client.get_control_msg(timeout=10)["content"]["subshell_id"]
    assert nbserver_kernel.run("print('from a subshell')", subshell=subshell).text == "from a subshell\n"


def test_what_clients_send_is_never_html(tutorial):
    """Promise 9, in what a cell shows: the widget and plain text, nothing that a page would parse."""
    data = tutorial.must("nbserver.servers()[0]").data
    assert set(data) == {"application/vnd.jupyter.widget-view+json", "text/plain"}
    assert json.dumps(data)


SHOWN = """server
server.panel
server.panel.mirror
server[1]
server[1].transcript
list(server[1].transcript)
server[1].prompt
server.connections
server.journal.read()
server.observation
server.limits
fleet
fleet[0]
fleet[0].target
list(fleet[0].transcript)
nbserver.servers()
nbserver.doctor()
server.snapshot()
server[1].snapshot()
fleet.snapshot()
nbserver.UsageError(server[1].preview)
server.stop()
server[1].note"""
MARKUP = "</pre><img src=x onerror=alert(1)>\x1b[2J\x1b]0;owned\x07\u202e"


def test_s04_every_object_is_shown_as_plain_text_or_as_a_widget(nbserver_kernel):
    """With a peer that sends markup; what a cell shows of it is text of printable lines."""
    kernel = nbserver_kernel
    kernel.must(
        "import socketserver\n"
        "class Reckless(socketserver.BaseRequestHandler):\n"
        "    def handle(self):\n"
        "        text = self.request.recv(1000).decode()\n"
        "        self.request.sendall(text.encode())\n"
        "        input(text)\n"
        "        raise ValueError(text)\n"
        f"server = nbserver.serve(Reckless)\nfleet = nbserver.clients(server, 1, [{MARKUP!r}])\n"
        "server[1].wait_waiting(5), fleet[0].hear(5)"
    )
    for expression in SHOWN.splitlines():
        data = kernel.must(expression).data
        tags = re.findall(r"<(\w+)", data.pop("text/html", ""))  # of our own, around text that is escaped
        assert set(tags) <= {"details", "summary", "pre", "b"}, expression
        assert set(data) <= {"application/vnd.jupyter.widget-view+json", "text/plain"}, expression
        assert all(line.isprintable() for line in data["text/plain"].splitlines()), expression
        assert "\u202e" not in data["text/plain"] and "\x85" not in data["text/plain"]


def test_300_handlers_alive_that_print_and_wait(kernel):
    kernel.must(
        "import nbserver, socketserver\n"
        "class Asks(socketserver.BaseRequestHandler):\n"
        "    def handle(self):\n"
        "        print('served', self.client_address)\n"
        "        self.request.sendall(input('what? ').encode())\n"
        "server = nbserver.serve(Asks)\nserver"
    )
    kernel.must("fleet = nbserver.clients(server, 300)")
    kernel.must("server.wait_for_connections(300, 20)")
    kernel.must("waiting = [server[n].wait_waiting(20) for n in range(1, 301)]")
    kernel.must("for n in range(1, 301): server.reply(n, f'for {n}')")
    kernel.must("heard = sorted(client.hear(20) for client in fleet)")
    assert kernel.value("all(waiting), heard == sorted(f'for {n}' for n in range(1, 301))") == "(True, True)"
