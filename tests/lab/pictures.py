"""Takes pictures of every view in a real JupyterLab, to be looked at: ``python -m tests.lab.pictures``.

Each in every look (light, dark, high contrast, Chinese, twice the size), with 0, 3, 40 and 10 000 connections. The
pictures of the README come from here, too: ``--readme`` takes those alone, into `notebooks/images`.
"""

from __future__ import annotations

import argparse
import contextlib
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Page, expect, sync_playwright

from ..conftest import CHROMIUM_ARGS, find_chromium
from .conftest import REPOSITORY, Lab, Notebook, write_notebook
from .test_presenting import choose_theme
from .test_tutorial import say, three_wait, tutorial_cells

IMAGES = REPOSITORY / "notebooks" / "images"
SIZE = {"width": 1440, "height": 1780}  # a projector's width; the height lets all of a notebook be seen
CROWD = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); from tests.bench.crowd import Crowd"
TALK = "nbserver.clients(server, {n}, script=['hello', nbserver.until('>'), 'and more'])"


class Look(NamedTuple):
    """How the page looks: JupyterLab's theme, and what was chosen on the board."""

    theme: str = "JupyterLab Light"
    lang: str = "en"
    scale: float = 1.0
    contrast: str = ""


LOOKS = {
    "light": Look(),
    "dark": Look("JupyterLab Dark"),
    "contrast": Look(contrast="high"),
    "chinese": Look("JupyterLab Dark", lang="zh", scale=1.45),
    "double": Look(scale=2.0),
}
VIEWS = ("chain", "loops", "waits", "ruler", "inspector", "classes", "faults", "shared")
CELLS = {
    0: ["import nbserver; server = nbserver.serve(); server"],
    3: tutorial_cells(),
    40: ["import nbserver; server = nbserver.serve(); server", "nbserver.clients(server, 40, script=['hello'])"],
    10_000: [f"{CROWD}; crowd = Crowd(10_000); server = crowd.show(); server", "crowd.talk(500, 600, 'end')"],
}


@contextlib.contextmanager
def opened(lab: Lab, browser: Any, cells: list[str]) -> Iterator[Notebook]:
    """A notebook whose cells have run, in a page of its own."""
    context = browser.new_context(viewport=SIZE, device_scale_factor=1.25)
    name = f"{secrets.token_hex(4)}.ipynb"
    write_notebook(lab.notebooks / name, cells, "python3")
    notebook = Notebook(lab, context.new_page(), f"/lab/tree/{name}")
    for index in range(len(cells)):
        notebook.run(index)
        notebook.wait_idle(120)
    expect(notebook.page.get_by_role("grid", name="Connections").first).to_be_visible()
    yield notebook
    context.close()


def talk(page: Page) -> None:
    """Three clients speak; one was answered and speaks again."""
    numbers = three_wait(page)
    page.get_by_role("row", name=f"Connection #{numbers[3]}", exact=True).get_by_role("textbox").fill("42")
    page.keyboard.press("Enter")
    say(page, 3, "thank you! 谢谢")
    expect(page.get_by_role("row", name=f"Connection #{numbers[3]}", exact=True)).to_contain_text("谢谢")


def wear(notebook: Notebook, look: Look) -> None:
    """Take on a look."""
    choose_theme(notebook.page, look.theme)
    chosen = {name: value for name, value in look._asdict().items() if name != "theme"}
    hub = "__import__('nbserver').servers()[0].panel.mirror"
    notebook.ask(f"[{hub}.set_trait(*each) for each in {chosen!r}.items()]")
    expect(notebook.page.locator(".nbs").first).to_have_attribute("lang", "zh-CN" if look.lang == "zh" else "en")


def take(page: Page, path: Path, place: str) -> None:
    """A picture of what is at `place`, a selector."""
    page.mouse.move(0, 0)
    page.locator(place).first.screenshot(path=path)
    print(path)  # noqa: T201 - the command's own output


def take_inside(page: Page, folder: Path, name: str) -> None:
    """Each view behind the tabs at the foot of the board, of the first connection."""
    rows = page.locator(".nbs-row")
    if rows.count():
        rows.first.click()
    tabs = page.locator(".nbs-tab")
    for at, view in enumerate(VIEWS):
        tabs.nth(at).click()
        expect(page.locator(f".nbs-inside .nbs-{view}").first).not_to_be_empty()
        take(page, folder / f"{view}-{name}.png", ".nbs-insidepart")
    tabs.nth(at).click()


def take_all(lab: Lab, browser: Any, folder: Path, counts: list[int], looks: list[str]) -> None:
    """Every view in every look."""
    for count in counts:
        with opened(lab, browser, CELLS[count]) as notebook:
            if count == 3:
                talk(notebook.page)
            notebook.page.get_by_role("button", name="Time line", exact=True).first.click()
            for name in looks:
                wear(notebook, LOOKS[name])
                for view, place in {"board": ".nbs-main", "clients": ".nbs-clientsplace:visible"}.items():
                    if notebook.page.locator(place).count():
                        take(notebook.page, folder / f"{view}-{count}-{name}.png", place)
                take_inside(notebook.page, folder, f"{count}-{name}")
                notebook.page.get_by_role("button").and_(notebook.page.locator(".is-present")).first.click()
                notebook.page.screenshot(path=folder / f"full-{count}-{name}.png")
                notebook.page.locator(".is-present").first.press("Escape")


def take_readme(lab: Lab, browser: Any) -> None:
    """The pictures of README, of README.zh and of the notebooks."""
    with opened(lab, browser, tutorial_cells()) as notebook:
        talk(notebook.page)
        notebook.page.get_by_role("button", name="Time line", exact=True).first.click()
        for name, lang in (("board", "en"), ("board-zh", "zh")):
            wear(notebook, Look(lang=lang))
            take(notebook.page, IMAGES / f"{name}.png", ".jp-Notebook")
        notebook.page.locator(".nbs-row").first.click()
        notebook.page.locator(".nbs-tab").first.click()
        for name, lang in (("chain", "en"), ("chain-zh", "zh")):
            wear(notebook, Look(lang=lang))
            take(notebook.page, IMAGES / f"{name}.png", ".nbs-insidepart")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.lab.pictures", description=__doc__)
    parser.add_argument(
        "--to", type=Path, default=Path("pictures"), help="folder for the pictures (default: ./pictures)"
    )
    parser.add_argument("--readme", action="store_true", help="take those of the README alone")
    parser.add_argument("--counts", type=int, nargs="+", choices=CELLS, default=list(CELLS))
    parser.add_argument("--looks", nargs="+", choices=LOOKS, default=list(LOOKS))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        lab = Lab(Path(folder))
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGS)
        try:
            if options.readme:
                take_readme(lab, browser)
            else:
                options.to.mkdir(parents=True, exist_ok=True)
                take_all(lab, browser, options.to, options.counts, options.looks)
        finally:
            browser.close()
            lab.stop()


if __name__ == "__main__":
    main()
