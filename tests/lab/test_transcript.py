"""The transcript in a real JupyterLab: read back to its beginning, copied, and answered in bytes."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from .conftest import PATIENCE

START = """import nbserver
server = nbserver.serve()
client = nbserver.client(server)
server.wait_for_connections(1, 10)
for n in range(1, 351):
    server[1].write(f"line {n}\\n")
server"""


def test_it_is_read_back_to_its_beginning_and_bytes_are_sent_as_hex(open_notebook):
    notebook = open_notebook([START])
    notebook.run_all()
    page = notebook.page
    board = page.get_by_role("region", name=re.compile(r"^nbserver 127\.0\.0\.1:\d+$")).first
    log = board.get_by_role("log", name="Transcript of #1", exact=True)
    expect(log.get_by_text("line 350", exact=True)).to_be_visible(timeout=PATIENCE * 1000)
    notebook.wait_idle()
    log.focus()
    entries, earlier = log.locator("[data-n]"), log.get_by_role("button", name="Show earlier")
    while earlier.count():
        drawn = entries.count()
        page.keyboard.press("Home")
        expect(entries).not_to_have_count(drawn)
    page.keyboard.press("Home")
    expect(log.get_by_text("line 1", exact=True)).to_be_in_viewport()
    page.keyboard.press("End")
    board.get_by_role("button", name="Send bytes written in hex").click()
    box = board.get_by_role("textbox", name="Reply to #1", exact=True).last
    box.fill("e4 bd")
    box.press("Enter")
    expect(log.locator(".nbs-bubble.is-sent .is-half")).to_have_text("\\xe4\\xbd")
    box.fill("a0 0a")
    box.press("Enter")
    expect(log.locator(".nbs-bubble.is-sent").last).to_contain_text("你")
    assert notebook.ask("server[1].bytes_out") == 4
