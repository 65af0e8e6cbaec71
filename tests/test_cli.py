"""The command `nbserver`: from the clone and from a wheel, with a real JupyterLab."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest

from nbserver import cli

ROOT = Path(__file__).resolve().parent.parent
INDEX = "index.ipynb"
TOKEN = "a-token-for-the-tests"


# --- a real JupyterLab ------------------------------------------------------------------------------------------


class Lab:
    """One `nbserver lab`, started as a user would, with what it says in a file."""

    def __init__(self, command: list[str], folder: Path, log: Path, **variables: str) -> None:
        self.log = log
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [*command, "--no-browser", "--port", "0", "--", f"--IdentityProvider.token={TOKEN}"],
                cwd=folder,
                env={**kept, **variables},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def wait_address(self, limit: float = 90.0) -> str:
        """The address that JupyterLab prints, with the page that it opens."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            if found := re.search(r"(http://127\.0\.0\.1:[1-9]\d*/\S*)\?token=", self.log.read_text(errors="replace")):
                return found[1]
            assert self.process.poll() is None, self.log.read_text(errors="replace")
            time.sleep(0.05)  # between two looks
        raise AssertionError(f"no address within {limit} s:\n{self.log.read_text(errors='replace')}")

    def close(self) -> int:
        """Ends it with SIGTERM; returns the exit code."""
        self.process.terminate()
        try:
            return self.process.wait(timeout=20)
        finally:
            self.process.kill()


def contents(address: str, path: str, limit: float = 30.0) -> list[str]:
    """The names in a folder, as JupyterLab's own HTTP interface lists them.

    JupyterLab prints its address a moment before it listens there: until then it is asked again.
    """
    base = re.match(r"http://[^/]*/", address)[0]
    request = urllib.request.Request(f"{base}api/contents/{path}", headers={"Authorization": f"token {TOKEN}"})
    deadline = time.monotonic() + limit
    while True:
        try:
            with urllib.request.urlopen(request, timeout=limit) as answer:
                return [entry["name"] for entry in json.load(answer)["content"]]
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError) or time.monotonic() > deadline:
                raise
        time.sleep(0.02)  # between two tries


def notebook_is_open_to_reading(lab: Lab, language: str) -> None:
    """JupyterLab opens the index of the course, and lists it."""
    try:
        address = lab.wait_address()
        assert address.endswith(f"/lab/tree/{language}/{INDEX}")
        assert INDEX in contents(address, language)
        assert {"en", "zh"} <= set(contents(address, ""))
    finally:
        code = lab.close()
    assert code == 0, lab.log.read_text(errors="replace")


def test_lab_from_the_clone(tmp_path):
    lab = Lab([sys.executable, "-m", "nbserver", "lab", "--lang", "zh"], ROOT, tmp_path / "log")
    notebook_is_open_to_reading(lab, "zh")
    assert not (ROOT / cli.DEFAULT_FOLDER).exists()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of this clone, built as `pip install .` builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--wheel-dir", folder, ROOT], check=True, stdin=subprocess.DEVNULL)
    return next(folder.glob("*.whl"))


def test_lab_from_a_wheel(wheel, tmp_path):
    """Installed into a folder that goes before everything else; JupyterLab itself comes from this environment."""
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--target", site, wheel], check=True, stdin=subprocess.DEVNULL)
    lab = Lab(
        [sys.executable, "-m", "nbserver", "lab", "--lang", "en"], tmp_path, tmp_path / "log", PYTHONPATH=str(site)
    )
    notebook_is_open_to_reading(lab, "en")
    assert (tmp_path / cli.DEFAULT_FOLDER / "zh" / INDEX).is_file()


def test_the_wheel_holds_everything(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
        scripts = archive.read(next(name for name in held if name.endswith("entry_points.txt"))).decode()
    kinds = {".py", ".js", ".css", ".md"}
    files = [file for file in (ROOT / "nbserver").rglob("*") if file.suffix in kinds or file.name == "py.typed"]
    package = {file.relative_to(ROOT).as_posix() for file in files}
    course = {f"nbserver/course/{name}" for name in cli._files(ROOT / "notebooks")}
    assert package - held == set()
    assert course - held == set()
    assert any(name.endswith("/licenses/LICENSE") for name in held)
    assert "nbserver = nbserver.cli:main" in scripts


# --- what it says when it cannot --------------------------------------------------------------------------------


def nbserver(*words: str) -> subprocess.CompletedProcess[str]:
    """Runs the command to its end."""
    command = [sys.executable, "-m", "nbserver", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


def test_version():
    assert re.fullmatch(r"nbserver \d+\.\d+\.\d+\n", nbserver("--version").stdout)


def test_doctor_prints_its_report():
    report = nbserver("doctor")
    assert report.returncode == 0, report.stderr
    assert "ipykernel" in report.stdout


def test_no_command_is_a_usage_error():
    assert nbserver().returncode == 2


def test_a_file_is_not_a_folder(tmp_path):
    place = tmp_path / "file"
    place.write_text("mine")
    said = nbserver("lab", "--dir", str(place))
    assert said.returncode == 2
    assert said.stderr.startswith(f"nbserver: cannot write the course to {place}: ")
    assert len(said.stderr.splitlines()) == 1
    assert place.read_text() == "mine"


def test_a_port_has_a_range():
    said = nbserver("lab", "--port", "70000")
    assert (said.returncode, said.stderr) == (2, "nbserver: 70000 is not a port; a port is a number from 0 to 65535\n")


def test_jupyterlab_is_missing(monkeypatch, capsys):
    monkeypatch.setattr(cli.importlib.util, "find_spec", lambda name: None)
    assert cli.main(["lab"]) == 2
    assert "JupyterLab is not installed" in capsys.readouterr().err


def test_a_folder_without_a_course(tmp_path):
    with pytest.raises(cli.UsageError, match="no index.ipynb in"):
        cli.index(tmp_path, "en")


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
    ],
)
def test_language_of_the_system(monkeypatch, variables, language):
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cli.system_language() == language


def test_arguments_reach_jupyterlab(tmp_path):
    command = cli.lab_command(tmp_path, f"en/{INDEX}", 8899, True, ["--collaborative"])
    assert command[:3] == [sys.executable, "-m", "jupyterlab"]
    assert {"--port=8899", "--no-browser", f"--LabApp.default_url=/lab/tree/en/{INDEX}"} <= set(command)
    assert command[-1] == "--collaborative"


# --- which folder -----------------------------------------------------------------------------------------------


@pytest.fixture
def installed(monkeypatch, tmp_path) -> Path:
    """The package as if it stood in site-packages, with a course of its own; returns the course."""
    package = tmp_path / "site-packages" / "nbserver"
    (package / "course" / "en").mkdir(parents=True)
    (package / "course" / "en" / INDEX).write_text("{}")
    monkeypatch.setattr(cli, "PACKAGE", package)
    monkeypatch.setattr(cli, "COURSE_IN_WHEEL", package / "course")
    return package / "course"


def test_the_clone_is_opened_as_it_is():
    assert cli.course_folder(None) == ROOT / "notebooks"


def test_installed_and_run_in_the_clone(installed, monkeypatch):
    """The first command of the README: `pip install . && nbserver lab`."""
    monkeypatch.chdir(ROOT)
    assert cli.course_folder(None) == ROOT / "notebooks"


def test_installed_and_run_elsewhere(installed, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert cli.course_folder(None) == tmp_path / cli.DEFAULT_FOLDER
    assert (tmp_path / cli.DEFAULT_FOLDER / "en" / INDEX).is_file()


def test_a_folder_of_ones_own_from_the_clone(tmp_path):
    assert cli.course_folder(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert cli.index(tmp_path / "a" / "b", "zh") == f"zh/{INDEX}"


def test_no_course_anywhere(installed, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (installed / "en" / INDEX).unlink()
    (installed / "en").rmdir()
    installed.rmdir()
    with pytest.raises(cli.UsageError, match="has no course"):
        cli.course_folder(None)


# --- the copy of the course -------------------------------------------------------------------------------------


@pytest.fixture
def source(tmp_path) -> Path:
    """A small course."""
    folder = tmp_path / "source"
    (folder / "en" / ".ipynb_checkpoints").mkdir(parents=True)
    (folder / "en" / "01.ipynb").write_text("one")
    (folder / "en" / "02.ipynb").write_text("two")
    (folder / "en" / ".ipynb_checkpoints" / "01.ipynb").write_text("old")
    return folder


def read(folder: Path) -> dict[str, str]:
    """The files of a copy and what is in them."""
    return {name: (folder / name).read_text() for name in cli._files(folder)}


def test_copy_holds_the_files_and_no_checkpoints(source, tmp_path):
    assert cli.copy_course(source, tmp_path / "copy") == []
    assert read(tmp_path / "copy") == {"en/01.ipynb": "one", "en/02.ipynb": "two"}
    assert not (tmp_path / "copy" / "en" / ".ipynb_checkpoints").exists()


def test_a_new_version_replaces_what_nobody_changed(source, tmp_path):
    copy = tmp_path / "copy"
    cli.copy_course(source, copy)
    (source / "en" / "01.ipynb").write_text("one, better")
    assert cli.copy_course(source, copy) == []
    assert read(copy)["en/01.ipynb"] == "one, better"


def test_a_changed_file_is_kept(source, tmp_path):
    copy = tmp_path / "copy"
    cli.copy_course(source, copy)
    (copy / "en" / "01.ipynb").write_text("mine")
    assert cli.copy_course(source, copy) == []
    (source / "en" / "01.ipynb").write_text("one, better")
    assert cli.copy_course(source, copy) == ["en/01.ipynb"]
    assert read(copy) == {"en/01.ipynb": "mine", "en/02.ipynb": "two"}


def test_a_file_that_was_there_before_is_kept(source, tmp_path):
    copy = tmp_path / "copy"
    (copy / "en").mkdir(parents=True)
    (copy / "en" / "01.ipynb").write_text("somebody else's")
    assert cli.copy_course(source, copy) == ["en/01.ipynb"]
    assert read(copy)["en/01.ipynb"] == "somebody else's"


@pytest.mark.parametrize("record", ["", "{", "[]", '{"en/01.ipynb": 7}', "\udcff"])
def test_a_damaged_record_overwrites_nothing(source, tmp_path, record):
    copy = tmp_path / "copy"
    cli.copy_course(source, copy)
    (copy / "en" / "01.ipynb").write_text("mine")
    (copy / cli.RECORD).write_text(record, errors="surrogateescape")
    (source / "en" / "01.ipynb").write_text("one, better")
    assert cli.copy_course(source, copy) == ["en/01.ipynb"]
    assert read(copy)["en/01.ipynb"] == "mine"


def test_a_removed_file_comes_back(source, tmp_path):
    copy = tmp_path / "copy"
    cli.copy_course(source, copy)
    (copy / "en" / "02.ipynb").unlink()
    cli.copy_course(source, copy)
    assert read(copy)["en/02.ipynb"] == "two"


# --- explain ----------------------------------------------------------------------------------------------------


def test_explain_draws_the_class_map_and_looks_names_up(capsys, tmp_path, monkeypatch):
    (tmp_path / "polite.py").write_text("import socketserver\nclass Polite(socketserver.ThreadingTCPServer): pass\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert cli.main(["explain", "polite:Polite"]) == 0
    assert "└── Polite(ThreadingTCPServer)   <== this one" in capsys.readouterr().out
    assert cli.main(["explain", "socketserver:ThreadingTCPServer", "process_request", "recv"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("process_request: not in ThreadingTCPServer, found in ThreadingMixIn (socketserver.py,")
    assert said[1].endswith("found in no class. AttributeError")


@pytest.mark.parametrize("target", ["socketserver", "no_such_module:X", "socketserver:NoSuchClass", "os:getcwd"])
def test_explain_says_what_cannot_be_had(target, capsys, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert cli.main(["explain", target]) == 2
    assert capsys.readouterr().err.startswith("nbserver: ")
