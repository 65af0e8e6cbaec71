"""What doctor() finds out about a real JupyterLab, while the cell that asks is running."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from .conftest import PATIENCE
from .test_board import START, board
from .test_tutorial import SECOND


def test_which_page_it_is_and_how_its_replies_come(open_notebook):
    notebook = open_notebook([START, "nbserver.doctor()"])
    page = notebook.page
    notebook.run(0)
    expect(board(page)).to_be_visible(timeout=PATIENCE * SECOND)
    expect(board(page).get_by_role("grid", name="Connections")).to_be_visible()
    notebook.run(1)
    report = page.locator(".jp-OutputArea-output pre", has_text="front end")
    expect(report).to_contain_text(re.compile(r"front end +JupyterLab 4\.\d+\.\d+"), timeout=PATIENCE * SECOND)
    expect(report).to_contain_text(re.compile(r"by the control channel \(also while a cell runs\):\s+\d+ ms"))
    expect(report).to_contain_text(re.compile(r"input\(\) in a cell +asks the person"))
