"""The rules of the house, each held by the tool or by the few lines that check it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# What turns text into markup or into code. Bytes of a client reach the page as text nodes and nothing else.
MARKUP = re.compile(
    r"innerHTML|insertAdjacentHTML|outerHTML|setHTML|srcdoc|DOMParser|createContextualFragment"
    r"|document\.write|\beval\s*\(|new\s+Function\b"
)

# Runs without site-packages: whatever is not Python's own cannot be found.
BARE_IMPORT = "import sys; sys.path.insert(0, sys.argv[1]); import nbserver.net as net; net.observed_class"
IMPORT_TIME = """
import time, socketserver
start = time.perf_counter()
import nbserver
print(time.perf_counter() - start)
"""
JUPYTER = {"IPython", "anywidget", "ipykernel", "ipywidgets", "jupyter_client", "tornado", "traitlets", "zmq"}


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in the clone, with both outputs in one text."""
    return subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def passes(*command: str) -> None:
    """The command ends with 0; what it said is the message if it does not."""
    done = run(*command)
    assert done.returncode == 0, done.stdout


def test_ruff_check():
    passes(sys.executable, "-m", "ruff", "check", ".")


def test_ruff_format():
    passes(sys.executable, "-m", "ruff", "format", "--check", "--diff", ".")


@pytest.mark.timeout(300)
def test_mypy():
    passes(sys.executable, "-m", "mypy")


def test_layers():
    """A module imports only from lines below its own, and below the kernel nothing knows Jupyter."""
    lint_imports = shutil.which("lint-imports", path=sysconfig.get_path("scripts"))
    assert lint_imports, "import-linter is not installed; run: pip install -e '.[test]'"
    passes(lint_imports)


def test_s01_views_make_text_nodes_only():
    views = sorted((ROOT / "nbserver").rglob("*.js"))
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in views
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if MARKUP.search(line)
    ]
    assert views
    assert found == []


def test_net_needs_nothing_but_python():
    passes(sys.executable, "-I", "-S", "-c", BARE_IMPORT, str(ROOT))


def test_net_loads_no_jupyter():
    loaded = run(sys.executable, "-c", "import nbserver.net, sys; print(*sys.modules)").stdout.split()
    assert "nbserver.net" in loaded
    assert JUPYTER & set(loaded) == set()


def test_import_is_cheap():
    """`import nbserver` costs less than 0.1 s more than `import socketserver`. The best of several: load only adds."""
    best = min(float(run(sys.executable, "-c", IMPORT_TIME).stdout) for _ in range(7))
    assert best < 0.1, f"{best:.3f} s"


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md"])
def test_readme_names_what_ci_runs(readme):
    text = (ROOT / readme).read_text(encoding="utf-8")
    commands = [line for line in (ROOT / ".ci/run").read_text().splitlines() if "pip install" in line]
    assert len(commands) == 1
    assert f"\n```\n{commands[0]}\n```\n" in text


@pytest.mark.parametrize("document", ["README.md", "README.zh.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(document):
    targets = re.findall(r"\]\(([^)#]+)\)", (ROOT / document).read_text(encoding="utf-8"))
    assert [target for target in targets if ":" not in target and not (ROOT / target).exists()] == []
