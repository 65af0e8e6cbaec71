"""Which way the answers of a page take, tried out by doctor() in a real kernel."""

from __future__ import annotations

import json
import re

from .conftest import Kernel
from .page import Page

DOCTOR = "{finding.name: (finding.value, finding.level.value) for finding in nbserver.doctor().findings}"


class Answering(Page):
    """A page that answers when it is asked, by one of the ways; or not at all."""

    def __init__(self, kernel: Kernel, way: str) -> None:
        super().__init__(kernel)
        self.way = way
        kernel.listeners.append(self._answer)

    def _answer(self, said: dict) -> None:
        message = said["content"].get("data", {}).get("content", {}) if said["msg_type"] == "comm_msg" else {}
        for one in message.get("messages", [message]):
            if one.get("t") == "ping":
                self._pong(one["rid"])

    def _pong(self, rid: str) -> None:
        request = {"do": "pong", "rid": rid}
        if self.way == "control":
            self.kernel.send_raw("control", "nbserver_request", json.dumps({"hub": self.key, "request": request}))
        elif self.way == "comm":
            data = {"method": "custom", "content": request}
            self.kernel.send_raw("shell", "comm_msg", json.dumps({"comm_id": self._comm, "data": data}))


def findings(kernel) -> dict:
    kernel.must("import json, nbserver")
    return json.loads(kernel.must(f"print(json.dumps({DOCTOR}))").text)


def test_the_way_of_the_answer_and_its_time_are_those_of_this_moment(kernel):
    kernel.must("import nbserver\nserver = nbserver.serve()")
    assert findings(kernel)["replies now"] == ["there is no board to answer", "note"]
    page = Answering(kernel, "control")
    value, level = findings(kernel)["replies now"]
    assert re.fullmatch(r"by the control channel \(also while a cell runs\): \d+ ms there and back", value)
    assert level == "ok"
    page.way = ""
    value, level = findings(kernel)["replies now"]
    assert value.startswith("no answer within 1 s") and level == "warning"


def test_an_answer_by_the_plain_comm_is_read_ahead_or_waits_for_the_running_cell(kernel):
    """The oldest ipykernel reads nothing while a cell runs; what comes after it disturbs nobody."""
    kernel.must("import ipykernel, nbserver\nserver = nbserver.serve()")
    page = Answering(kernel, "comm")
    value, level = findings(kernel)["replies now"]
    if int(kernel.value("ipykernel.version_info[0]")) >= 7:
        assert value.startswith("by the widget's comm, read ahead of its turn") and level == "ok"
    else:
        assert value.startswith("no answer within 1 s: they wait for the running cell") and level == "warning"
    page.way = "control"
    assert findings(kernel)["replies now"][1] == "ok"
    assert kernel.value("server.panel.mirror.refused") == "0"


def test_input_of_a_cell_is_said_to_ask_where_somebody_answers(kernel):
    kernel.must("import json, nbserver")
    assert findings(kernel)["input() in a cell"][1] == "note"
    started = kernel.start(f"print(json.dumps({DOCTOR}))", allow_stdin=True)
    assert json.loads(kernel.finish(started).text)["input() in a cell"][1] == "ok"


def test_s13_a_page_says_its_name_in_few_printable_characters(kernel):
    kernel.must("import nbserver\nserver = nbserver.serve()")
    page = Page(kernel)
    page.ask("hello", host="JupyterLab 4.6.6 <b>\x1b[2J")
    for host in ("x" * 61, 5, None, ["JupyterLab"]):
        page.ask("hello", host=host)
    page.must("add_client")
    page.ask("pong")  # nobody has asked
    for number in range(20):
        page.ask("hello", host=f"host {number}")
    page.must("add_client")
    assert kernel.value("server.panel.mirror.refused") == "4"
    hosts = findings(kernel)["front end"][0].split(", ")
    assert hosts == [r"JupyterLab 4.6.6 <b>\x1b[2J", *(f"host {number}" for number in range(7))]
