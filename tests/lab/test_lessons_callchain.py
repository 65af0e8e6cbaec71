"""The lesson of the call chain in a real JupyterLab: who calls whom, in which thread, found in which class."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from .conftest import PATIENCE
from .test_tutorial import SECOND, reply_box, say, tutorial_cells

# What the tutorial says, step by step, and the class that it names for each.
TUTORIAL = [
    ("__init__", "TCPServer"),
    ("server_bind", "TCPServer"),
    ("server_activate", "TCPServer"),
    ("serve_forever", "BaseServer"),
    ("_handle_request_noblock", "BaseServer"),
    ("get_request", "TCPServer"),
    ("verify_request", "BaseServer"),
    ("process_request", "ThreadingMixIn"),
    ("process_request_thread", "ThreadingMixIn"),
    ("finish_request", "BaseServer"),
    ("__init__", "BaseRequestHandler"),
    ("setup", "BaseRequestHandler"),
    ("handle", "Myserver"),
    ("finish", "BaseRequestHandler"),
    ("shutdown_request", "TCPServer"),
    ("close_request", "TCPServer"),
]


def chain(page):
    return page.get_by_role("group", name="Call chain", exact=True)


def step(page, number: int):
    return chain(page).get_by_role("button", name=re.compile(rf"^Step {number}: "))


def press(page, name: str) -> None:
    chain(page).get_by_role("button", name=name, exact=True).click()


@pytest.fixture
def tutorial(open_notebook):
    """The tutorial's two programs with the call chain open, and one cell more to be typed into."""
    notebook = open_notebook([*tutorial_cells(), "import nbserver\nnbserver.servers()[0].next()"])
    notebook.run(0)
    notebook.run(1)
    board = notebook.page.get_by_role("region", name="nbserver 127.0.0.1:8008")
    expect(board).to_be_visible(timeout=PATIENCE * SECOND)
    board.get_by_role("tab", name="Call chain", exact=True).click()
    return notebook


def test_lesson_7_the_call_chain_of_the_tutorial_as_it_happens(tutorial):
    page = tutorial.page
    tutorial.run(2)
    expect(page.get_by_role("textbox", name="Input of client 3")).to_be_visible(timeout=PATIENCE * SECOND)
    say(page, 1, "hello")
    for number, (name, found) in enumerate(TUTORIAL, 1):
        expect(step(page, number)).to_have_accessible_name(re.compile(rf"^Step {number}: {name}, found in {found}, "))
    expect(chain(page)).to_contain_text("Accept thread nbserver-program")
    expect(chain(page)).to_contain_text(re.compile(r"The connection’s thread nbserver-8008-worker-\d"))
    # It waits in handle(), and the class that handle() is found in is lit.
    expect(step(page, 13)).to_have_accessible_name(re.compile("is running"))
    expect(step(page, 14)).to_have_accessible_name(re.compile("to come"))
    handler = chain(page).get_by_role("list", name="Look-up order of the handler")
    expect(handler.locator("[aria-current]")).to_have_text(re.compile("Myserver.*handle found"))
    step(page, 8).click()
    server = chain(page).get_by_role("list", name="Look-up order of the server")
    expect(server.get_by_role("listitem")).to_have_text(
        [
            re.compile(rf"^\W*{name}")
            for name in ("ThreadingTCPServer", "ThreadingMixIn", "TCPServer", "BaseServer", "object")
        ]
    )
    expect(server.locator("[aria-current]")).to_have_text(re.compile("ThreadingMixIn.*process_request found"))
    source = chain(page).get_by_role("region", name="Source of process_request")
    expect(source).to_contain_text("ThreadingMixIn.process_request: socketserver.py, line")
    expect(source).to_contain_text("Start a new thread to process the request.")
    step(page, 13).click()
    source = chain(page).get_by_role("region", name="Source of handle")
    expect(source).to_contain_text(re.compile(r"Myserver\.handle: cell \[\d\], line 5"))
    expect(source).to_contain_text("self.request.recv(1024)")


def test_lesson_7_slow_motion_holds_each_step_and_the_others_go_on(tutorial):
    page = tutorial.page
    tutorial.run(2)
    expect(page.get_by_role("textbox", name="Input of client 3")).to_be_visible(timeout=PATIENCE * SECOND)
    chain(page).get_by_role("button", name="Connection #2", exact=True).click()
    press(page, "only #2")
    for number in (1, 2, 3):
        say(page, number, "byebye")
    for number in (1, 2, 3):
        reply_box(page, number).fill("bye")
        reply_box(page, number).press("Enter")
    # Two have ended; the third is held before finish(), which is called when handle() has returned.
    for number in (1, 3):
        expect(page.get_by_role("row", name=f"Connection #{number}", exact=True)).to_contain_text("closed")
    expect(page.get_by_role("row", name="Connection #2", exact=True)).to_contain_text("held")
    press(page, "Connection #2, held before finish()")
    status = chain(page).get_by_role("status")
    expect(status).to_have_text("#2 is held before finish()")
    press(page, "Next step of #2")
    expect(status).to_have_text("#2 is held before shutdown_request()")
    chain(page).get_by_role("button", name="Next step of #2").focus()
    page.keyboard.press("n")
    expect(status).to_have_text("#2 is held before close_request()")
    press(page, "only #2")
    expect(page.get_by_role("row", name="Connection #2", exact=True)).to_contain_text("closed")


def test_lesson_7_all_are_held_and_who_connects_waits_in_the_backlog(tutorial):
    page = tutorial.page
    press(page, "Slow motion")
    expect(chain(page).get_by_role("button", name="Slow motion", exact=True)).to_have_attribute("aria-pressed", "true")
    tutorial.run(2)
    status = chain(page).get_by_role("status")
    expect(status).to_have_text(
        "The accept loop is held before _handle_request_noblock(): 3 wait in the backlog, connected by the operating "
        "system and not accepted",
        timeout=PATIENCE * SECOND,
    )
    press(page, "Next step of the accept loop")
    expect(status).to_contain_text("before get_request(): 3 wait")
    press(page, "Next step of the accept loop")
    expect(status).to_have_text("#1 is held before verify_request()")
    tutorial.run(3)  # the same from code
    expect(status).to_have_text("#1 is held before process_request()")
    page.get_by_role("button", name="Stop server", exact=True).click()
    expect(page.get_by_role("row", name="Connection #1", exact=True)).to_contain_text("closed")
    tutorial.wait_idle()
