"""Rules and saved replies in a real JupyterLab: written on the board, they answer real clients of a real kernel."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from .conftest import PATIENCE
from .test_tutorial import SECOND, reply_box, say

START = "import nbserver\nserver = nbserver.serve()\nserver"


def test_a_rule_answers_the_one_that_waits_and_those_that_come(open_notebook):
    notebook = open_notebook([START])
    page = notebook.page
    notebook.run(0)
    board = page.get_by_role("region", name=re.compile(r"^nbserver 127\.0\.0\.1:\d+$"))
    expect(board).to_be_visible(timeout=PATIENCE * SECOND)
    page.get_by_role("button", name="Add client").click()
    heard = page.get_by_role("log", name="Transcript of client 1", exact=True)
    expect(heard).to_be_visible(timeout=PATIENCE * SECOND)
    say(page, 1, "Hello, is anybody there?")
    expect(reply_box(page, 1)).to_be_visible()

    page.get_by_role("button", name="Rules", exact=True).click()
    panel = page.get_by_role("region", name="Rules", exact=True)
    panel.get_by_role("textbox", name="when it contains").fill("hello")
    panel.get_by_role("textbox", name="when it contains").press("Enter")
    page.keyboard.type("welcome to the lesson")
    page.keyboard.press("Enter")
    expect(heard).to_contain_text("welcome to the lesson")
    expect(panel.get_by_role("listitem")).to_contain_text("answered 1×")
    say(page, 1, "hello again")
    expect(panel.get_by_role("listitem")).to_contain_text("answered 2×")
    asked, by_rule = "event.kind.value == 'asked'", "b'rule 1 answers' in event.data"
    assert notebook.ask(f"sum({asked} for event in server[1].transcript)") == 2
    assert notebook.ask(f"sum({by_rule} for event in server[1].transcript)") == 2
    panel.get_by_role("switch", name="Rule 1").click()
    expect(panel.get_by_role("switch", name="Rule 1")).not_to_be_checked()
    say(page, 1, "hello for the third time")
    expect(reply_box(page, 1)).to_be_visible()


def test_a_saved_reply_is_there_on_the_next_board_and_is_sent_by_enter_alone(open_notebook):
    notebook = open_notebook([START])
    page = notebook.page
    notebook.run(0)
    box = page.get_by_role("textbox", name="Message to all", exact=True)
    expect(box).to_be_visible(timeout=PATIENCE * SECOND)
    box.fill("See you on Monday")
    line = page.locator(".nbs-footer")
    line.get_by_role("button", name="Saved replies").click()
    page.get_by_role("menuitem", name="Save this reply").click()
    page.wait_for_function("() => document.activeElement.value === 'See you on Monday'")
    notebook.wait_idle()
    assert notebook.ask("list(server.saved_replies)") == ["See you on Monday"]

    notebook.run(0)  # the server is made anew, and so is its board
    notebook.wait_idle()
    page.get_by_role("button", name="Add client").click()
    heard = page.get_by_role("log", name="Transcript of client 1", exact=True)
    expect(heard).to_be_visible(timeout=PATIENCE * SECOND)
    box.press("Alt+1")
    expect(box).to_have_value("See you on Monday")
    assert notebook.ask("server[1].bytes_out") == 0
    box.press("Enter")
    expect(heard).to_contain_text("See you on Monday")
