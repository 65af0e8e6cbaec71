"""The conversation in a notebook that a real JupyterLab has saved: in the file, and on the screen without a kernel."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from .conftest import PATIENCE
from .payloads import SCRIPT, marking
from .test_board import board
from .test_tutorial import SECOND

STAGE = """import nbserver
server = nbserver.serve(nbserver.Echo)
server"""
CLIENTS = """fleet = nbserver.clients(server, len(PAYLOADS))
fleet"""
TALK = """for client, payload in zip(fleet, PAYLOADS):
    client.say(payload)
    client.hear()"""
# What stands in a saved part: these, with a class and the sign that it is open, and nothing else.
FOREIGN = """all => all.flatMap((each) => [each, ...each.querySelectorAll("*")]).filter((each) =>
    !["DIV", "DETAILS", "SUMMARY", "PRE"].includes(each.tagName)
    || each.getAttributeNames().some((name) => !["class", "open"].includes(name))).map((each) => each.outerHTML)"""

# What the saved parts say, once as many as that can be seen, all read at one moment: JupyterLab draws an output again.
SHOWN = """(count) => {
    const seen = [...document.querySelectorAll("details")].filter((each) => each.checkVisibility());
    const parts = seen.filter((each) => each.textContent.includes("Conversation"));
    const texts = parts.map((each) => each.querySelector("pre")?.textContent);
    return texts.length === count && texts.every(Boolean) && texts;
}"""

ALL_TELL = """() => [...document.querySelectorAll(".nbs-conversation")]
    .every((each) => /, (ended|stopped)\\n/.test(each.textContent))"""


def saved(page):
    """The saved parts that can be seen."""
    return page.locator("details", has_text="Conversation").locator("visible=true")


def texts_in(file) -> list[str]:
    """What the file keeps of each conversation, as plain text."""
    cells = json.loads(file.read_text("utf-8"))["cells"]
    outputs = [output.get("data", {}) for cell in cells for output in cell["outputs"]]
    return ["".join(data["text/plain"]) for data in outputs if "nbs-conversation" in "".join(data.get("text/html", ""))]


@pytest.fixture
def talked(open_notebook, lab):
    """A notebook in which clients have said texts, and their server has been stopped by its button; saved."""

    def talked(payloads: list[str], more: str = ""):
        notebook = open_notebook([f"PAYLOADS = {payloads!r}", STAGE, CLIENTS, TALK, more])
        page = notebook.page
        notebook.run_all()
        expect(board(page)).to_be_visible(timeout=PATIENCE * SECOND)
        notebook.wait_idle()
        expect(saved(page)).to_have_count(0)
        page.get_by_role("button", name="Stop server").click()
        expect(board(page)).to_contain_text("stopped")
        for number in range(len(payloads)):
            expect(page.get_by_role("region", name=f"Client {number + 1}", exact=True)).to_contain_text("closed")
        page.wait_for_function(ALL_TELL)
        expect(saved(page)).to_have_count(0)  # there is the board, which shows it better
        notebook.save()
        return notebook, lab.notebooks / notebook.path.rpartition("/")[2]

    return talked


def reopen(notebook) -> None:
    """The page anew, with a fresh kernel."""
    notebook.page.evaluate("async () => { await window.jupyterapp.shell.currentWidget.sessionContext.shutdown(); }")
    notebook.open()


def test_what_was_said_is_in_the_file_and_on_the_screen_without_the_kernel(talked):
    notebook, file = talked(["hello from Bob", "你好"])
    server, fleet = texts_in(file)
    assert re.match(r"Conversation with 2 clients, saved 20\d\d-", server)
    assert re.search(r"\n#1 127\.0\.0\.1:\d+ closed \(the server was stopped\), 1 in, 1 out, 28 B\n", server)
    for text in (server, fleet):
        assert all(f"{sign} {said}\n" in text for sign in "←→" for said in ("hello from Bob", "你好"))
    assert re.search(r"\nclient 2 of 127\.0\.0\.1:\d+, ended\n", fleet)
    reopen(notebook)
    expect(saved(notebook.page)).to_have_count(2)
    expect(saved(notebook.page).first).to_contain_text("← hello from Bob")
    expect(board(notebook.page)).to_have_count(0)


def test_s15_what_a_client_sent_runs_nowhere(talked, lab):
    """In a page that was opened again, trusted, and in one that nbconvert has made."""
    payloads = marking("window.__xss=1", SCRIPT)
    notebook, file = talked(payloads)
    for text in texts_in(file):
        assert all(payload.replace("\\", "\\\\") in text for payload in payloads)
    reopen(notebook)
    nothing_runs(notebook.page, payloads)
    command = [sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", file]
    subprocess.run(command, check=True, env=lab.env, capture_output=True)
    exported = notebook.page.context.new_page()
    exported.route("**", lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort())
    exported.goto(file.with_suffix(".html").as_uri())
    nothing_runs(exported, payloads)


def nothing_runs(page, payloads: list[str]) -> None:
    for shown in page.wait_for_function(SHOWN, arg=2).json_value():
        assert all(payload.replace("\\", "\\\\") in shown for payload in payloads)
    assert saved(page).evaluate_all(FOREIGN) == []
    assert page.evaluate("() => window.__xss ?? 0") == 0


def test_after_a_page_was_loaded_anew_a_snapshot_is_saved_where_it_is_asked_for(open_notebook, lab):
    """JupyterLab knows no output by its name any more then: the old one stays as it was."""
    notebook = open_notebook(
        [STAGE, "fleet = nbserver.clients(server, 1, ['before'])\nfleet[0].hear()", "server.snapshot()"]
    )
    file = lab.notebooks / notebook.path.rpartition("/")[2]
    notebook.run_all()
    expect(board(notebook.page)).to_be_visible(timeout=PATIENCE * SECOND)
    notebook.wait_idle()
    notebook.save()
    notebook.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    notebook.open()
    expect(board(notebook.page)).to_be_visible(timeout=PATIENCE * SECOND)
    notebook.ask("fleet[0].say('after'), fleet[0].hear()")
    notebook.run(2)
    expect(saved(notebook.page)).to_contain_text("← after")
    notebook.save()
    notebook.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    assert ["← after" in text for text in texts_in(file)] == [False, True]
