"""Clients' consoles in a real JupyterLab, under a cell of their own: they lead to the board's rows and back."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from .conftest import PATIENCE
from .test_tutorial import SECOND, tutorial_cells


def console(page, number):
    return page.get_by_role("region", name=f"Client {number}", exact=True)


def test_the_tutorials_clients_lead_to_their_rows_and_run_again(open_notebook):
    notebook = open_notebook(tutorial_cells())
    notebook.run_all()
    page = notebook.page
    expect(console(page, 3)).to_contain_text("waiting", timeout=PATIENCE * SECOND)
    notebook.wait_idle()
    number = notebook.ask("__import__('nbserver').fleet.live_clients()[1].connection.number")
    page.get_by_role("button", name=f"Show connection #{number}", exact=True).click()
    row = page.get_by_role("row", name=f"Connection #{number}", exact=True)
    expect(row).to_have_attribute("aria-selected", "true")
    expect(row).to_be_in_viewport()
    page.get_by_role("button", name="Show client 2", exact=True).click()
    box = page.get_by_role("textbox", name="Input of client 2", exact=True)
    expect(box).to_be_focused()
    box.press("Control+d")
    expect(console(page, 2)).to_contain_text("EOFError")
    expect(console(page, 2).get_by_role("log")).to_contain_text(re.compile(r"ended by EOFError after \d"))
    page.get_by_role("button", name="Run client 2 again", exact=True).click()
    expect(console(page, 2)).to_contain_text("waiting")
    expect(page.get_by_role("button", name="Show connection #4", exact=True)).to_be_visible()
    page.get_by_role("button", name="Stop all", exact=True).click()
    for client in (1, 2, 3):
        expect(console(page, client).get_by_role("log")).to_contain_text("stopped after")
    page.get_by_role("button", name="Run all again", exact=True).click()
    for client in (1, 2, 3):
        expect(console(page, client)).to_contain_text("waiting")
