"""The hub in a real kernel."""

from __future__ import annotations

import sys

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
