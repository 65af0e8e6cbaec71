"""The core's tests on the other Pythons of this machine, without Jupyter: `nbserver.net` needs nothing but Python."""

from __future__ import annotations

import faulthandler
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = dict(os.environ)  # read once: pytest changes it, in a thread beside those that run the Pythons
VERSIONS = [f"3.{minor}" for minor in (10, 11, 12, 13) if (3, minor) != sys.version_info[:2]]
# The tests of everything below the kernel.
CORE = [
    "tests/fleet",
    "tests/console",
    "tests/net",
    "tests/teach",
    "tests/test_tokens.py",
    "tests/test_words.py",
]
TOOLS = ["pytest", "pytest-timeout", "hypothesis", "trustme"]
ASK = "import ensurepip, sys; print(*sys.version_info[:2], sep='.')"


def run(*command: str | Path, limit: float = 600, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in the clone, with both outputs in one text; `limit` in seconds."""
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**ENVIRONMENT, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=limit,
    )


def python_here(version: str) -> Path | None:
    """The first Python of this version that runs: on the PATH, where pyenv leaves stubs that do not, or pyenv's own."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for folder in [*map(Path, os.get_exec_path()), *sorted(pyenv.glob(f"{version}.*/bin"))]:
        python = folder / f"python{version}"
        if os.access(python, os.X_OK) and run(python, "-c", ASK, limit=60).stdout.strip() == version:
            return python
    return None


def environment(version: str, python: Path) -> Path:
    """The Python of a virtual environment with the tools for the core's tests, kept between runs."""
    folder = ROOT / ".cache" / f"python-{version}"
    inside = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists() or ready.read_text() != " ".join(TOOLS):  # made for other tools
        for command in ([python, "-m", "venv", "--clear", folder], [inside, "-m", "pip", "install", "-q", *TOOLS]):
            done = run(*command)
            assert done.returncode == 0, done.stdout
        ready.write_text(" ".join(TOOLS))
    return inside


def core() -> list[str]:
    """The files and folders of CORE; one that is not there is a mistake here."""
    assert all((ROOT / path).exists() for path in CORE)
    return CORE


def run_core(version: str, python: Path) -> subprocess.CompletedProcess[str]:
    inside = environment(version, python)
    command = (inside, "-m", "pytest", "-q", "-p", "no:cacheprovider", *core())
    return run(*command, limit=1500, PYTHONPATH=str(ROOT), EXAMPLES="10")  # what a Python does otherwise is soon found


@pytest.fixture(scope="module")
def runs() -> Iterator[dict[str, Future[subprocess.CompletedProcess[str]]]]:
    """By version, all of them at once: each spends most of its time waiting for clients, limits and peers."""
    found = {version: python for version in VERSIONS if (python := python_here(version)) is not None}
    with ThreadPoolExecutor(len(VERSIONS)) as pool:
        yield {version: pool.submit(run_core, version, python) for version, python in found.items()}


@pytest.mark.pythons
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("version", VERSIONS)
def test_core(version, runs):
    if version not in runs:
        pytest.skip(f"no python{version} with ensurepip runs here")
    faulthandler.cancel_dump_traceback_later()  # of a test that hangs: this one may well take so long
    done = runs[version].result()
    assert done.returncode == 0, done.stdout
