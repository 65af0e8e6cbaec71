"""The time line in a real JupyterLab: who is served, who waits, and what a threading server changes."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from .conftest import PATIENCE
from .test_tutorial import SECOND, say, tutorial_cells


def table(page):
    return page.get_by_role("table", name="Time line", exact=True)


@pytest.fixture
def tutorial_with(open_notebook):
    """The tutorial with the server class of one's choice, and the time line open, with its table."""

    def tutorial_with(server_class: str):
        cells = [cell.replace("ThreadingTCPServer", server_class) for cell in tutorial_cells()]
        notebook = open_notebook(cells)
        for index in range(3):
            notebook.run(index)
        page = notebook.page
        expect(page.get_by_role("textbox", name="Input of client 3")).to_be_visible(timeout=PATIENCE * SECOND)
        for client in (1, 2, 3):
            say(page, client, f"hello from {client}")
        page.get_by_role("button", name="Time line", exact=True).click()
        page.get_by_text("As a table", exact=True).click()
        return notebook

    return tutorial_with


def test_a_plain_server_serves_one_itself_and_two_wait_in_the_backlog(tutorial_with):
    page = tutorial_with("TCPServer").page
    lanes = table(page).locator("tbody tr")
    expect(lanes).to_have_count(4)
    expect(lanes.nth(0)).to_contain_text("serving #1 itself")
    expect(lanes.nth(1)).to_contain_text(re.compile(r"^#1 :\d+waiting for you"))
    waiting = lanes.filter(has_text=re.compile(r"^backlog :\d+in the backlog, not accepted"))
    expect(waiting).to_have_count(2)
    page.get_by_role("button", name="Disconnect #1").click()
    expect(lanes.nth(0)).to_contain_text("serving #2 itself")
    expect(lanes.filter(has_text=re.compile(r"^#2 :\d+waiting for you"))).to_have_count(1)
    expect(waiting).to_have_count(1)


def test_the_time_line_in_a_cell_of_its_own(open_notebook):
    cells = [
        "import nbserver\nserver = nbserver.serve()\nserver",
        "server.panel.timeline",
        "client = nbserver.client(server)",
    ]
    notebook = open_notebook(cells)
    notebook.run_all()
    own = notebook.page.get_by_role("region", name=re.compile(r"^Time line of 127\.0\.0\.1:\d+$"))
    expect(own).to_be_visible(timeout=PATIENCE * SECOND)
    own.get_by_text("As a table", exact=True).click()
    expect(own.get_by_role("table")).to_contain_text(re.compile(r"#1 :\d+blocked in recv\(\)"))
    assert notebook.ask("server.panel.timeline is server.panel.timeline")
