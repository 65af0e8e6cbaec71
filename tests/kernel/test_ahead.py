"""A page that has nothing but the widget's comm: what it says is heard while a cell waits, and done once."""

from __future__ import annotations

import socket

import pytest

from .page import CommPage

WAITS = {
    "a call": "connection = server.wait_for_connections(2, timeout=60)[1]",
    "another call": "server[1].wait_closed(60)",
    "await": "connection = (await server.wait_for_connections(2))[1]",
    "await of something else": "import asyncio\nwhile len(server.connections) < 2: await asyncio.sleep(0.01)",
}


@pytest.fixture
def page(kernel):
    """A kernel with a server that replies by hand, one client, and a page that shows its board."""
    kernel.must("import nbserver\nserver = nbserver.serve()\nserver")
    page = CommPage(kernel)
    page.client = socket.create_connection(("127.0.0.1", int(kernel.value("server.address[1]"))), 30)
    page.wait(lambda: ("connections", 1) in page.rows)
    yield page
    page.client.close()


def let_go(page, wait: str) -> socket.socket:
    """Let happen what the cell waits for."""
    if wait == "another call":
        page.client.close()
        return page.client
    return socket.create_connection(page.client.getpeername(), 30)


@pytest.mark.parametrize("wait", WAITS)
def test_a_reply_arrives_while_a_cell_waits(kernel, page, wait):
    cell = kernel.start(f"print('before')\n{WAITS[wait]}\nprint('after')", "waits")
    queued = kernel.start("print('queued')", "queued")
    kernel.wait_running(cell)
    page.must("reply", connection=1, text="while it waits", ask=0)
    assert page.client.recv(100) == b"while it waits"
    page.must("reply", connection=1, text=", and again", ask=0)
    assert page.client.recv(100) == b", and again"
    let_go(page, wait).close()
    # What is printed after the wait lands in its cell; what was queued comes then, in its own.
    assert kernel.finish(cell).text == "before\nafter\n"
    assert kernel.finish(queued).text == "queued\n"
    # The same messages came by the comm again, and were not done again.
    assert kernel.value("server[1].messages_out, server.panel.mirror._ahead, server.panel.mirror.refused") == (
        "(2, {}, 0)"
    )
    assert "read ahead of its turn" in kernel.value("nbserver.doctor()")


def test_while_a_cell_computes_only_ipykernel_7_reads_ahead(kernel, page):
    """There a thread of its own reads the shell channel; before, the reply arrives when the cell has ended."""
    is_new = int(kernel.value("__import__('ipykernel').version_info[0]")) >= 7
    kernel.must("import threading\nheld = threading.Event()\nthreading.Timer(3, held.set).start()")
    cell = kernel.start("while not held.is_set():\n    pass\nprint(server[1].messages_out)", "computes")
    kernel.wait_running(cell)
    page.must("reply", connection=1, text="to a busy kernel", ask=0)
    assert page.client.recv(100) == b"to a busy kernel"
    assert kernel.finish(cell).text == ("1\n" if is_new else "0\n")
    assert kernel.value("server[1].messages_out") == "1"


def test_with_the_last_board_the_kernel_is_as_it_was(kernel, page):
    callback = "type(get_ipython().kernel.shell_stream._recv_callback).__name__"
    assert kernel.value(callback) == "_Reader"
    kernel.must("hub = server.panel.mirror\nserver.stop()\nhub.close()")
    assert kernel.value(callback) != "_Reader"
    assert kernel.value("__import__('nbserver.journal').journal.meanwhile()") == "None"


def test_s13_a_message_with_a_wrong_signature_is_not_read_ahead(kernel, page):
    client = kernel.client
    content = {"comm_id": page._comm, "data": {"method": "custom", "content": {"do": "stop", "rid": "forged"}}}
    good, client.session.key = client.session.key, b"another key"
    client.shell_channel.send(client.session.msg("comm_msg", content))
    client.session.key = good
    assert kernel.value("server.state.value, 'forged' in server.panel.mirror._asked") == "('serving', False)"
