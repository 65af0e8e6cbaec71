"""A real JupyterLab for the tests that need one, and notebooks opened in it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import alone

REPOSITORY = Path(__file__).parents[2]
PATIENCE = 30.0  # seconds for what takes long on a busy machine: a page to open, a kernel to start
HAS_LAB = "() => window.jupyterapp?.name === 'JupyterLab'"  # not Notebook 7, and not an empty page
OPEN = "async path => { await window.jupyterapp.commands.execute('docmanager:open', { path, factory: 'Notebook' }); }"
CLOSE = """async () => {
    for (const panel of [...(window.jupyterapp?.shell.widgets("main") ?? [])]) {
        await panel.sessionContext?.shutdown();
        if (panel.context) panel.context.model.dirty = false;  // or JupyterLab asks whether to save
        panel.dispose();
    }
}"""


class Lab:
    """A JupyterLab server of its own, with its own settings, in a folder of its own."""

    def __init__(self, folder: Path, python: str = sys.executable, notebooks: Path | None = None) -> None:
        """Starts it.

        Args:
            folder: Where it keeps what it writes.
            python: Whose JupyterLab; any other Python than this one has an nbserver of its own, too.
            notebooks: The folder that it serves; by default an empty one.
        """
        self.folder = folder
        self.token = secrets.token_hex(16)
        self.notebooks = notebooks or folder / "notebooks"
        self.notebooks.mkdir(exist_ok=True)
        self.log = folder / "lab.log"
        config = folder / "jupyter_config_dir"
        settings = "lab/user-settings/@jupyterlab/apputils-extension"
        files = {
            f"{settings}/notification.jupyterlab-settings": '{"fetchNews": "false"}',
            "labconfig/page_config.json": '{"buildCheck": false}',  # else each page that is loaded starts Node.js
        }
        if python == sys.executable:  # another one has no tests
            files["jupyter_server_config.py"] = "import tests.kernel_ports"
        for name, text in files.items():
            (config / name).parent.mkdir(parents=True, exist_ok=True)
            (config / name).write_text(text)
        own = {
            name: str(folder / name.lower())
            for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
        }
        self.env = {**os.environ, **own, "IPYTHONDIR": str(folder / "ipython")}
        self.env["PYTHONPATH"] = str(REPOSITORY) if python == sys.executable else ""
        command = [
            *(python, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0"),
            *(f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={self.notebooks}"),
            *("--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly"),
            "--JupyterNotebookApp.expose_app_in_browser=True",  # the same server opens Notebook 7 and Voilà
        ]
        self.process = subprocess.Popen(
            command, env=self.env, stdin=subprocess.DEVNULL, stdout=self.log.open("w"), stderr=subprocess.STDOUT
        )
        self.url = self._wait_url()

    def _wait_url(self) -> str:
        """The address that the server says it listens on, once it answers there."""
        deadline = time.monotonic() + 2 * PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            found = re.search(r"(http://127\.0\.0\.1:[1-9]\d*)/", self.log.read_text())
            # It writes its address a moment before it listens there.
            with contextlib.suppress(urllib.error.URLError):
                if found and urllib.request.urlopen(f"{found[1]}/api", timeout=PATIENCE).status == 200:
                    return found[1]
            time.sleep(0.05)  # between two looks; the condition, not the time, ends the wait
        raise AssertionError("JupyterLab did not start:\n" + self.log.read_text()[-4000:])

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.stop()


class Notebook:
    """A notebook that is open in JupyterLab, with its kernel ready."""

    def __init__(self, lab: Lab, page, path: str) -> None:
        self.lab, self.page = lab, page
        self.path = path  # as in the address bar
        self.errors: list[str] = []
        page.on("pageerror", self._met)
        if path.startswith("/lab/tree/") and page.evaluate(HAS_LAB):
            page.evaluate(OPEN, path.removeprefix("/lab/tree/"))
            self.wait_ready()
        else:
            self.open()

    def _met(self, error) -> None:
        self.errors.append(error.stack or str(error))

    def close(self) -> None:
        """Shut down its kernel, and leave the page to the next notebook, with nothing in it."""
        self.page.evaluate(CLOSE)
        self.page.remove_listener("pageerror", self._met)

    def open(self) -> None:
        """Open it, or open it again: the page is loaded anew."""
        # In a fresh workspace: JupyterLab would open the notebooks of earlier tests again.
        self.page.goto(f"{self.lab.url}{self.path}?reset&token={self.lab.token}")
        self.wait_ready()

    def wait_ready(self) -> None:
        # Run before the session is ready, JupyterLab opens a dialogue and waits for ever.
        self.page.wait_for_function(
            """() => {
                const panel = window.jupyterapp?.shell.currentWidget, session = panel?.sessionContext;
                const kernel = session?.session?.kernel;
                return panel?.content?.model?.cells?.length && session.isReady
                    && kernel?.connectionStatus === "connected" && kernel.status === "idle";
            }""",
            timeout=2 * PATIENCE * 1000,
        )

    def run_all(self) -> None:
        """Start all cells, from top to bottom, and do not wait for them."""
        self.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")

    def run(self, index: int) -> None:
        """Start one cell, counted from 0, and do not wait for it."""
        self.page.evaluate(
            """index => {
                window.jupyterapp.shell.currentWidget.content.activeCellIndex = index;
                window.jupyterapp.commands.execute("notebook:run-cell");
            }""",
            index,
        )

    def wait_idle(self, seconds: float = PATIENCE) -> None:
        """Wait until every cell that was started has ended."""
        self.page.wait_for_function(
            """() => {
                const panel = window.jupyterapp.shell.currentWidget;
                const prompts = [...panel.node.querySelectorAll(".jp-InputPrompt")].map((e) => e.textContent);
                const isIdle = panel.sessionContext.session.kernel.status === "idle";
                return isIdle && !prompts.some((text) => text.includes("*"));
            }""",
            timeout=seconds * 1000,
        )

    def ask(self, code: str):
        """The value of a Python expression in the kernel (as JSON). Waits for a running cell."""
        text = self.page.evaluate(
            """async code => {
                const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                const future = kernel.requestExecute({ code, store_history: false });
                let text = "", error = "";
                future.onIOPub = (message) => {
                    if (message.content.name === "stdout") text += message.content.text;
                    if (message.header.msg_type === "error") error = message.content.traceback.join("\\n");
                };
                await future.done;
                if (error) throw new Error(error);
                return text;
            }""",
            f"import json as _json; print(_json.dumps(({code})))",
        )
        return json.loads(text)

    def outputs(self) -> str:
        """The text of all outputs."""
        return "\n".join(self.page.locator(".jp-Cell-outputArea").all_inner_texts())

    def save(self) -> None:
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")


def write_notebook(path: Path, cells: list[str], kernel: str) -> None:
    """A notebook file of code cells."""
    made = [
        {
            "cell_type": "code",
            "id": f"cell{n}",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": source,
        }
        for n, source in enumerate(cells)
    ]
    spec = {"name": kernel, "display_name": kernel, "language": "python"}
    content = {"cells": made, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(content), "utf-8")


@pytest.fixture(scope="module")
def lab_page(browser):
    """One page for the notebooks of a module, each with a kernel of its own: to load JupyterLab takes longest."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def open_notebook(lab, lab_page):
    """Opens notebooks; after the test their kernels are shut down, and no page has met an error."""
    page = lab_page
    page.set_viewport_size({"width": 1400, "height": 2200})  # the whole notebook: a view out of sight does not draw
    opened: list[Notebook] = []
    port = contextlib.ExitStack()  # the tutorial's, held until the kernels have ended

    def open_notebook(cells: list[str], kernel: str = "python3", folder: str = "/lab/tree") -> Notebook:
        if not opened and any("8008" in cell for cell in cells):
            port.enter_context(alone("port-8008"))
        name = f"{secrets.token_hex(4)}.ipynb"
        write_notebook(lab.notebooks / name, cells, kernel)
        opened.append(Notebook(lab, page, f"{folder}/{name}"))
        return opened[-1]

    with port:
        yield open_notebook
        for notebook in opened:
            notebook.close()
            assert not notebook.errors, notebook.errors
