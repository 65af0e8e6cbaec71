"""The course as files; and each of its cells run twice, in the oldest ipykernel that is supported.

`tests/lab/test_notebooks.py` runs every notebook, in both languages, in the newest one and in a page.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import nbclient
import nbformat
import pytest
from jupyter_client.manager import AsyncKernelManager

import tests.kernel_ports  # noqa: F401
from tests.conftest import alone

ROOT = Path(__file__).resolve().parent.parent
COURSE = ROOT / "notebooks"
ENVIRONMENT = dict(os.environ)  # read once: pytest changes it, in a thread beside those that start kernels
LANGUAGES = ("en", "zh")
NOTEBOOKS = sorted(path for path in COURSE.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)
LESSONS = [path for path in NOTEBOOKS if path.stem != "index"]
LINK = re.compile(r"\]\(([^)#:]+)\)")  # to a file of the course; what has a colon leads to the web
AGAIN = "test_each_cell_can_be_run_again"
SAID = {"en": ("**Goal", "**Predict", "**Check"), "zh": ("**目标", "**预测", "**检查")}


def named(path: Path) -> str:
    return path.relative_to(COURSE).as_posix()


def cells(path: Path, kind: str = "") -> list[dict]:
    """The cells of a notebook, or those of one kind, each with its source as one text."""
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [{**cell, "source": "".join(cell["source"])} for cell in found if kind in ("", cell["cell_type"])]


def links(path: Path) -> list[str]:
    """To which files its words lead."""
    return [target for cell in cells(path, "markdown") for target in LINK.findall(cell["source"])]


def program(source: str) -> str:
    """A cell without what is for the reader: comments, and what stands between quotes."""
    magic = [line for line in source.splitlines() if line.startswith(("%", "!"))]
    rest = "\n".join(line for line in source.splitlines() if line not in magic)
    tree = compile(rest, "<cell>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return "\n".join([*magic, ast.dump(tree)])


def order(language: str) -> list[str]:
    """The lessons of the course, as its index lists them."""
    return list(dict.fromkeys(name for name in links(COURSE / language / "index.ipynb") if re.match(r"\d\d-", name)))


def test_both_languages_have_the_same_lessons_in_the_same_order():
    assert order("en") == order("zh") == sorted(order("en"))
    for language in LANGUAGES:
        assert sorted(path.name for path in (COURSE / language).glob("*.ipynb")) == [*order(language), "index.ipynb"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_notebook_is_committed_clean(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    programs = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    nbformat.validate(nbformat.read(path, as_version=4))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert "widgets" not in notebook["metadata"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in programs)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])


@pytest.mark.parametrize("name", sorted(path.name for path in (COURSE / "en").glob("*.ipynb")))
def test_both_languages_hold_the_same_programs(name):
    english, chinese = cells(COURSE / "en" / name), cells(COURSE / "zh" / name)
    assert [(cell["cell_type"], cell["id"]) for cell in english] == [
        (cell["cell_type"], cell["id"]) for cell in chinese
    ]
    for one, other in zip(english, chinese, strict=True):
        if one["cell_type"] == "code":
            assert program(one["source"]) == program(other["source"]), one["id"]


@pytest.mark.parametrize("path", LESSONS, ids=named)
def test_a_lesson_has_a_goal_a_prediction_and_a_check(path):
    words = "\n".join(cell["source"] for cell in cells(path, "markdown"))
    assert words.startswith("# ")
    assert [said for said in SAID[path.parent.name] if said not in words] == []
    both = cells(path)
    checks = [n for n, cell in enumerate(both) if SAID[path.parent.name][-1] in cell["source"]]
    assert any("assert" in both[n + 1]["source"] for n in checks), "a check is followed by a program that checks"
    assert "nbserver.stop_all()" in cells(path, "code")[-1]["source"]


@pytest.mark.parametrize("path", LESSONS, ids=named)
def test_a_lesson_leads_to_those_before_and_behind_it(path):
    lessons = order(path.parent.name)
    here = lessons.index(path.name)
    assert {*lessons[max(here - 1, 0) : here], *lessons[here + 1 : here + 2]} <= set(links(path))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_links_lead_somewhere(path):
    assert [target for target in links(path) if not (path.parent / target).exists()] == []


def run_twice(path: Path, folder: Path, python: str) -> list[dict]:
    """The outputs of a notebook's programs, each of which is run twice."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for one in notebook.cells if one.cell_type == "code" for cell in (one, copy.deepcopy(one))]
    manager = AsyncKernelManager()
    manager.kernel_spec.argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    resources = {"metadata": {"path": str(folder)}}
    client = nbclient.NotebookClient(notebook, km=manager, timeout=60, startup_timeout=120, resources=resources)
    with alone("port-8008") if "8008" in str(notebook.cells) else contextlib.nullcontext():
        client.execute(env={**ENVIRONMENT, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(folder / "ipython")})
    return [output for cell in notebook.cells for output in cell.outputs]


@pytest.fixture(scope="module")
def runs(request, tmp_path_factory, old_python) -> Iterator[dict[Path, Future[list[dict]]]]:
    """By notebook, two at a time: each spends most of its time waiting for naps and limits."""
    items = [item for item in request.session.items if getattr(item, "originalname", "") == AGAIN]
    pool = ThreadPoolExecutor(2)
    yield {
        path: pool.submit(run_twice, path, tmp_path_factory.mktemp(path.stem), old_python)
        for path in (item.callspec.params["path"] for item in items)
    }
    pool.shutdown(cancel_futures=True)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", sorted((COURSE / "en").glob("*.ipynb")), ids=named)
def test_each_cell_can_be_run_again(path, runs):
    """From top to bottom, each cell twice, in ipykernel 6.29, without a page and without a word to stderr."""
    outputs = runs[path].result()
    assert [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"] == []
