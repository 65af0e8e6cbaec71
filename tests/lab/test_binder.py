"""The environment that `binder/` describes, built from those alone, opens the course and runs its first notebook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from .conftest import PATIENCE, REPOSITORY, Lab, Notebook
from .test_tutorial import COURSE, SECOND, reply_box, row_with, say

IS_OPEN = """() => window.jupyterapp.shell.currentWidget.context?.path.endsWith("/01-one-server-three-clients.ipynb")"""


@pytest.fixture
def binder(tmp_path) -> Path:
    """A copy of the repository, and beside it what repo2docker builds from its `binder/`: that one's Python."""
    clone, environment = tmp_path / "clone", tmp_path / "environment"
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True).stdout
    for name in tracked.decode().split("\0")[:-1]:
        if (REPOSITORY / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            (clone / name).write_bytes((REPOSITORY / name).read_bytes())
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    python = environment / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "-r", "binder/requirements.txt"], cwd=clone, check=True)
    path = {"PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(["bash", "binder/postBuild"], cwd=clone, env={**os.environ, **path}, check=True)
    return python


@pytest.mark.timeout(600)
def test_binders_environment_opens_the_index_and_runs_the_first_notebook(binder, page, tmp_path, port_8008):
    page.set_viewport_size({"width": 1400, "height": 4000})
    lab = Lab(tmp_path, str(binder), notebooks=tmp_path / "clone")
    try:
        notebook = Notebook(lab, page, "/")
        assert page.url.split("?")[0].endswith("/notebooks/en/index.ipynb")
        page.get_by_role("link", name="01 One server, three clients").click()
        page.wait_for_function(IS_OPEN)
        notebook.wait_ready()
        assert notebook.ask("__import__('nbserver.kernel').kernel.has_server_proxy()") is True
        cells = json.loads(COURSE.read_text("utf-8"))["cells"]
        clients = next(n for n, cell in enumerate(cells) if "".join(cell["source"]).startswith("%%client"))
        for index in range(clients + 1):
            notebook.run(index)
        expect(page.get_by_role("textbox", name="Input of client 3")).to_be_visible(timeout=PATIENCE * SECOND)
        say(page, 2, "hello from a binder")
        row = row_with(page, "hello from a binder")
        expect(row).to_be_visible()
        box = reply_box(page, int(row.get_attribute("aria-label").rsplit("#", 1)[1]))
        box.fill("welcome")
        box.press("Enter")
        expect(page.get_by_role("log", name="Transcript of client 2", exact=True)).to_contain_text("welcome")
        assert notebook.errors == []
        page.evaluate("async () => { await window.jupyterapp.shell.currentWidget.sessionContext.shutdown(); }")
    finally:
        lab.stop()
