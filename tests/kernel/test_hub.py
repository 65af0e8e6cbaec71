"""The hub in a real kernel."""

from __future__ import annotations

import json
import socket
import sys

import pytest

from .conftest import Kernel


def test_language_and_size_hold_for_every_board(kernel):
    kernel.must(
        "import nbserver\na = nbserver.panel(nbserver.serve()).mirror\nb = nbserver.panel(nbserver.serve()).mirror"
    )
    kernel.must("a.lang = 'zh'\nb.scale = 1.5\nc = nbserver.panel(nbserver.serve()).mirror")
    assert kernel.value("[(hub.lang, hub.scale) for hub in (a, b, c)]") == str([("zh", 1.5)] * 3)


def test_promise_07_a_board_shown_twice_is_one(kernel):
    kernel.must("import nbserver\nserver = nbserver.serve()")
    shown = [kernel.must("server").data["application/vnd.jupyter.widget-view+json"] for _ in range(2)]
    assert shown[0] == shown[1]
    assert kernel.value("nbserver.panel(server) is server.panel") == "True"


def test_a_replaced_server_leaves_no_widget_and_no_thread(kernel):
    kernel.must("import ipywidgets, nbserver, threading")
    cell = "server = nbserver.serve()\nserver"
    kernel.must(cell, "again")
    kernel.must(
        "from ipywidgets.widgets.widget import _instances as alive\n"
        "widgets, threads = len(alive), threading.active_count()"
    )
    for _ in range(5):
        kernel.must(cell, "again")
    assert kernel.value("len(alive) - widgets, threading.active_count() - threads") == "(0, 0)"


def test_boards_speak_the_language_that_the_course_was_opened_in(monkeypatch):
    monkeypatch.setenv("NBSERVER_LANG", "zh")
    kernel = Kernel(sys.executable)
    try:
        kernel.must("import nbserver")
        assert kernel.value("nbserver.panel(nbserver.serve()).mirror.lang") == "zh"
    finally:
        kernel.stop()


# As text, since some of it is no JSON, and some that Python reads.
EXTREMES = {
    "a million of [": "[" * 10**6,
    "deep": "[" * 900 + "]" * 900,
    "infinity": "1e999999",
    "no number": "NaN",
    "a number of 10 MB": "9" * 10_000_000,
    "equal keys": '{"do": "hello", "do": "stop"}',
    "half a character": '"\\ud800"',
    "no end": '{"do": "stop", "rid": "r',
}


@pytest.mark.parametrize("extreme", EXTREMES)
def test_s13_what_a_page_sends_is_refused_and_counted_and_the_kernel_goes_on(nbserver_kernel, extreme):
    kernel, text = nbserver_kernel, EXTREMES[extreme]
    kernel.must("server = nbserver.serve()\nhub = server.panel.mirror")
    key, comm = kernel.value("hub.key"), kernel.value("hub.comm.comm_id")
    for request in (text, f'{{"do": "stop", "rid": {text}}}', f'{{"do": {text}, "rid": "{extreme}"}}'):
        kernel.send_raw("control", "nbserver_request", f'{{"hub": "{key}", "request": {request}}}')
        kernel.send_raw(
            "shell", "comm_msg", f'{{"comm_id": "{comm}", "data": {{"method": "custom", "content": {request}}}}}'
        )
    kernel.send_raw("control", "nbserver_request", f'{{"hub": {text}, "request": {{"do": "stop", "rid": "r"}}}}')
    kernel.send_raw(
        "shell", "comm_msg", f'{{"comm_id": "{comm}", "data": {{"method": "update", "state": {{"scale": {text}}}}}}}'
    )
    kernel.send_raw("control", "nbserver_request", f'{{"hub": "{key}", "request": {{"do": "bogus", "rid": "last"}}}}')
    kernel.must("import time\nwhile 'last' not in hub._asked: time.sleep(0.01)")
    assert kernel.value("server.state.value, hub.scale, len(hub.fleet)") == "('serving', 1.0, 0)"
    assert 1 <= int(kernel.value("hub.refused")) <= 8
    with socket.create_connection(("127.0.0.1", int(kernel.value("server.address[1]")))) as client:
        client.sendall(b"still there?")
        assert kernel.value("server.wait_for_connections(1, 5)[0].wait_waiting(5)") == "True"
        kernel.send_raw("control", "nbserver_request", json.dumps({"hub": key, "request": REPLY}))
        assert client.recv(100) == b"yes"


REPLY = {"do": "reply", "rid": "a page's", "connection": 1, "text": "yes", "ask": 0}
