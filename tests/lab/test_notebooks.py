"""The course in a real browser: every notebook, in both languages, from top to bottom, with the views that it shows.

All in one page, as a class goes through it: each notebook is opened beside the ones that run, so that its kernel starts
meanwhile. Most run two at a time, as each waits most of the time, and each is closed when it has been looked at.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import alone

from .conftest import PATIENCE, REPOSITORY, Lab

COURSE = REPOSITORY / "notebooks"
NOTEBOOKS = sorted(path for path in COURSE.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)
AHEAD = 2  # how many are open beside the one that is looked at
TIMED = ("03-one-or-many.ipynb", "15-how-fast.ipynb")  # they assert how long things take

OPEN = """async path => {
    const panel = await window.jupyterapp.commands.execute("docmanager:open", { path, factory: "Notebook" });
    (window.course ??= new Map()).set(path, { panel, hasRun: false });
}"""
# Run before the session is ready, JupyterLab opens a dialogue and waits for ever.
IS_READY = """path => {
    const { panel } = window.course.get(path), session = panel.sessionContext, kernel = session?.session?.kernel;
    window.jupyterapp.shell.activateById(panel.id);
    return session.isReady && kernel?.connectionStatus === "connected" && kernel.status === "idle"
        && window.jupyterapp.shell.currentWidget === panel;
}"""
RUN = """path => {
    const one = window.course.get(path);
    window.jupyterapp.commands.execute("notebook:run-all-cells").then(() => { one.hasRun = true; });
}"""
HAS_RUN = "path => window.course.get(path).hasRun"
# The page is told of an output a moment before its view is drawn.
IS_DRAWN = """path => {
    const { panel } = window.course.get(path);
    window.jupyterapp.shell.activateById(panel.id);
    return panel.content.widgets.every(cell => (cell.model.outputs?.toJSON() ?? []).every((output, index) =>
        !output.data?.["application/vnd.jupyter.widget-view+json"]
        || cell.outputArea.widgets[index].node.querySelector(`[role="region"][aria-label]:not([aria-label=""])`)));
}"""
CELLS = """path => window.course.get(path).panel.content.widgets.map(cell => ({
    type: cell.model.type,
    count: cell.model.executionCount,
    source: cell.model.sharedModel.source,
    outputs: cell.model.outputs?.toJSON() ?? [],
    regions: [...cell.node.querySelectorAll(`[role="region"]`)].map(element => element.getAttribute("aria-label")),
    text: cell.node.innerText,
}))"""
CLOSE = """async path => {
    const { panel } = window.course.get(path);
    window.course.delete(path);
    await panel.sessionContext.shutdown();
    panel.context.model.dirty = false;  // or JupyterLab asks whether to save
    panel.dispose();
}"""


class Course:
    """The notebooks that are to be run, in one page.

    Attributes:
        errors: What the page has met since it was last asked.
    """

    def __init__(self, page, wanted: list[str]) -> None:
        self.page, self.wanted, self.errors = page, wanted, []
        self._opened: list[str] = []
        self._started: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(error.stack or str(error)))

    def open(self, path: str) -> None:
        """Open it and the next ones, where that has not been done."""
        begin = self.wanted.index(path)
        for name in self.wanted[begin : begin + 1 + AHEAD]:
            if name not in self._opened:
                self._opened.append(name)
                self.page.evaluate(OPEN, name)

    def start(self, path: str) -> None:
        """Run it from top to bottom, where that has not been done, and do not wait for it."""
        self.open(path)
        if path not in self._started:
            self._started.append(path)
            self._wait(IS_READY, path)
            self.page.evaluate(RUN, path)

    @contextlib.contextmanager
    def run(self, path: str) -> Iterator[list[dict]]:
        """Run it from top to bottom, and meanwhile the next; gives its cells, as the page has them in the end."""
        try:
            self.start(path)
            here = self.wanted.index(path)
            for following in self.wanted[here + 1 : here + 2]:
                if not (runs_alone(COURSE / path) or runs_alone(COURSE / following)):
                    self.start(following)
            self._wait(HAS_RUN, path)
            self._wait(IS_DRAWN, path)
            yield self.page.evaluate(CELLS, path)
        finally:
            self.page.evaluate(CLOSE, path)

    def _wait(self, condition: str, path: str) -> None:
        self.page.wait_for_function(condition, arg=path, timeout=2 * PATIENCE * 1000)


def name_of(path: Path) -> str:
    return path.relative_to(COURSE).as_posix()


def programs(path: Path) -> list[dict]:
    return [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]


def needs_8008(path: Path) -> bool:
    return "8008" in str(programs(path))


def runs_alone(path: Path) -> bool:
    """Whether none runs meanwhile: the tutorial's port is for one at a time, and so is the time that is measured."""
    return needs_8008(path) or path.name in TIMED


@pytest.fixture(scope="module")
def course(lab: Lab, browser, request) -> Iterator[Course]:
    """A JupyterLab whose folder has the course, and one page in it."""
    shutil.copytree(COURSE, lab.notebooks, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
    items = [item for item in request.session.items if getattr(item, "originalname", "") == "test_a_notebook_in_a_page"]
    # Else cells out of sight are not drawn, and their views are not there.
    settings = lab.folder / "jupyter_config_dir/lab/user-settings/@jupyterlab/notebook-extension"
    settings.mkdir(parents=True)
    (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
    context = browser.new_context(viewport={"width": 1400, "height": 2200})
    page = context.new_page()
    page.goto(f"{lab.url}/lab?reset&token={lab.token}")
    page.wait_for_function("() => window.jupyterapp?.restored.then(() => true)", timeout=2 * PATIENCE * 1000)
    yield Course(page, [name_of(item.callspec.params["path"]) for item in items])
    context.close()
    shutil.rmtree(settings)  # the next test may want JupyterLab as it is


@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_a_notebook_in_a_page(course: Course, path: Path):
    with (
        alone("port-8008") if needs_8008(path) else contextlib.nullcontext(),
        course.run(name_of(path)) as cells,
    ):
        ran = [cell for cell in cells if cell["type"] == "code"]
        outputs = [output for cell in ran for output in cell["outputs"]]
        assert [o for o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"] == []
        assert [cell["count"] for cell in ran] == list(range(1, len(programs(path)) + 1))
        assert [cell["source"] for cell in ran if "Error displaying widget" in cell["text"]] == []
        assert course.errors == []
