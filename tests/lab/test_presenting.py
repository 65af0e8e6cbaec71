"""From the last row, in a real JupyterLab: the board fills the page, follows the theme, stands beside the notebook."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

SERVE = "import nbserver\nserver = nbserver.serve(port=0)\nserver"
CLIENT = "nbserver.clients(server, 1)[0].say('hello')"
THEME = "name => window.jupyterapp.commands.execute('apputils:change-theme', { theme: name })"
SETTLED = """name => document.body.dataset.jpThemeName === name && !document.getElementById("jupyterlab-splash")"""
GROUND = "() => getComputedStyle(document.querySelector('.nbs .nbs-main')).backgroundColor"


@pytest.fixture
def started(open_notebook):
    notebook = open_notebook([SERVE, CLIENT, "server.panel.dock()"])
    notebook.run(0)
    expect(notebook.page.get_by_role("grid", name="Connections")).to_be_visible()
    notebook.wait_idle()
    notebook.run(1)
    expect(notebook.page.get_by_role("row", name="Connection #1", exact=True)).to_be_visible()
    notebook.wait_idle()
    return notebook


def choose_theme(page, name):
    """Change JupyterLab's theme; it must have loaded the one before, or it meets an error of its own."""
    page.evaluate(THEME, name)
    page.wait_for_function(SETTLED, arg=name)


def test_it_fills_the_page_over_everything_of_jupyterlab(started):
    page = started.page
    page.get_by_role("button", name="Fill the page").click()
    assert page.locator(".nbs").bounding_box() == {"x": 0, "y": 0, **page.viewport_size}
    corner = "() => Boolean(document.elementFromPoint(5, 5).closest('.nbs'))"
    assert page.evaluate(corner), "JupyterLab's menu lies behind it"
    box = page.get_by_role("row", name="Connection #1", exact=True).get_by_role("textbox")
    box.fill("hi from the last row")
    box.press("Enter")
    expect(page.get_by_role("log", name="Transcript of #1")).to_contain_text("hi from the last row")
    page.get_by_role("button", name="Fill the page").focus()
    page.keyboard.press("Escape")
    assert not page.evaluate(corner)


def test_it_follows_the_theme_while_it_changes(started):
    page, board = started.page, started.page.locator(".nbs").first
    grounds = []
    for theme, is_dark in (("JupyterLab Dark", True), ("JupyterLab Light", False)):
        choose_theme(page, theme)
        expect(board).to_have_attribute("data-theme", "dark" if is_dark else "light")
        grounds.append(page.evaluate(GROUND))
    assert grounds[0] != grounds[1]
    choose_theme(page, "JupyterLab Dark High Contrast")
    expect(board).to_have_attribute("data-contrast", "high")
    expect(board).to_have_attribute("data-theme", "dark")
    choose_theme(page, "JupyterLab Light")
    expect(board).to_have_attribute("data-contrast", "normal")


def test_docked_it_stands_beside_the_notebook_and_works(started):
    page = started.page
    notebook = page.evaluate("() => window.jupyterapp.shell.currentWidget.id")
    docked = page.locator(".lm-DockPanel-widget:not(.jp-NotebookPanel) .nbs")
    for run in (3, 4):  # the second time it moves there again, and is not there twice
        started.run(2)
        expect(page.locator(".jp-NotebookPanel .jp-InputPrompt").nth(2)).to_have_text(f"[{run}]:")
        expect(docked).to_have_count(1)
        page.evaluate("id => window.jupyterapp.shell.activateById(id)", notebook)  # docked, it may take the focus
        started.wait_idle()
    box = docked.get_by_role("row", name="Connection #1", exact=True).get_by_role("textbox")
    box.fill("from the side")
    box.press("Enter")
    expect(docked.get_by_role("log", name="Transcript of #1")).to_contain_text("from the side")
    assert docked.bounding_box()["x"] > page.locator(".jp-NotebookPanel .nbs").bounding_box()["x"]
