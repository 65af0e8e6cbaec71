"""The time line of a real kernel's board: one for each board, told to whoever asks, ended with it."""

from __future__ import annotations

from .page import Page


def test_the_past_is_told_on_a_wish_and_nothing_is_acknowledged(kernel):
    kernel.must("import nbserver\nserver = nbserver.serve()\nclient = nbserver.client(server)")
    page, told = Page(kernel), []

    def hear(said):
        content = said["content"].get("data", {}).get("content", {})
        if content.get("t") == "lanes":
            told.append(content)

    kernel.listeners.append(hear)
    rid = page.ask("lanes")
    page.wait(lambda: told)
    assert told[0]["loop"][-1][1] == "selecting" and told[0]["queue"] == []
    assert [(number, states[-1][1]) for number, states, _ in told[0]["lanes"]] == [(1, "receiving")]
    page.must("broadcast", text="hello")
    assert rid not in page.acks and kernel.value("server.panel.mirror.refused") == "0"


def test_there_is_one_for_each_board_and_it_ends_with_it(kernel):
    cell = "import ipywidgets, nbserver\nserver = nbserver.serve()\nserver.panel.timeline\nserver"
    kernel.must(cell, "again")
    assert kernel.value("server.panel.timeline is server.panel.timeline") == "True"
    kernel.must("from ipywidgets.widgets.widget import _instances as alive\nwidgets = len(alive)")
    for _ in range(3):
        kernel.must(cell, "again")
    assert kernel.value("len(alive) - widgets") == "0"
