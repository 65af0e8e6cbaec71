"""The tutorial, unchanged, in a real JupyterLab: three clients, answered by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

COURSE = Path(__file__).parents[2] / "notebooks" / "en" / "01-one-server-three-clients.ipynb"
SECOND = 1000.0  # milliseconds


def tutorial_cells() -> list[str]:
    """The cells of the first notebook that hold the magic and the tutorial's two programs, as they stand there."""
    cells = json.loads(COURSE.read_text("utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return [next(s for s in sources if s.startswith(head)) for head in ("%load_ext", "%%server", "%%client")]


@pytest.fixture
def tutorial(open_notebook):
    return run_tutorial(open_notebook)


def run_tutorial(open_notebook):
    """The tutorial's two programs, running: a server and three clients."""
    notebook = open_notebook([*tutorial_cells(), "import time; time.sleep(60)", "while True:\n    pass"])
    for index in range(3):
        notebook.run(index)
    expect(notebook.page.get_by_role("textbox", name="Input of client 3")).to_be_visible(timeout=20 * SECOND)
    return notebook


def say(page, client: int, text: str) -> None:
    box = page.get_by_role("textbox", name=f"Input of client {client}", exact=True)
    box.fill(text)
    box.press("Enter")


def row_with(page, text: str):
    return page.get_by_role("grid", name="Connections").get_by_role("row").filter(has_text=text)


def number_of(row) -> int:
    return int(row.get_attribute("aria-label").rsplit("#", 1)[1])


def reply_box(page, number: int):
    row = page.get_by_role("row", name=f"Connection #{number}", exact=True)
    return row.get_by_role("textbox", name=f"Reply to #{number}", exact=True)


def transcript(page, client: int):
    return page.get_by_role("log", name=f"Transcript of client {client}", exact=True)


def three_wait(page) -> dict[int, int]:
    """Each client says its own; returns client → connection, once all three handlers wait."""
    numbers = {}
    for client in (1, 2, 3):
        say(page, client, f"hello from {client}")
        row = row_with(page, f"hello from {client}")
        expect(row).to_be_visible()
        numbers[client] = number_of(row)
    for number in numbers.values():
        expect(reply_box(page, number)).to_be_visible()
    return numbers


def test_byebye_ends_one_and_the_others_go_on(tutorial):
    page = tutorial.page
    say(page, 2, "byebye")
    row = row_with(page, "byebye")
    expect(row).to_be_visible()
    number = number_of(row)
    reply_box(page, number).fill("see you")
    reply_box(page, number).press("Enter")
    expect(page.get_by_role("row", name=f"Connection #{number}", exact=True)).to_contain_text("closed")
    expect(page.get_by_role("textbox", name="Input of client 2", exact=True)).to_be_disabled()
    for client in (1, 3):
        say(page, client, f"still here {client}")
        row = row_with(page, f"still here {client}")
        expect(row).to_be_visible()
        box = reply_box(page, number_of(row))
        box.fill(f"good {client}")
        box.press("Enter")
        expect(transcript(page, client)).to_contain_text(f"good {client}")


@pytest.mark.parametrize("cell", [3, 4], ids=["sleeps", "computes"])
def test_an_answer_arrives_while_a_cell_runs(tutorial, cell):
    answer_while_busy(tutorial, cell)
    tutorial.page.evaluate("() => window.jupyterapp.commands.execute('notebook:interrupt-kernel')")
    tutorial.wait_idle()


def answer_while_busy(notebook, cell: int) -> None:
    page = notebook.page
    numbers = three_wait(page)
    notebook.run(cell)
    expect(page.locator(".jp-InputPrompt").nth(cell)).to_have_text("[*]:")
    for client in (3, 1, 2):
        box = reply_box(page, numbers[client])
        box.fill(f"busy answer {client}")
        box.press("Enter")
        expect(transcript(page, client)).to_contain_text(f"busy answer {client}")
    assert page.locator(".jp-InputPrompt").nth(cell).text_content() == "[*]:"  # it still runs: none has waited for it
