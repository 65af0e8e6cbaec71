"""The command `nbserver`: the front door in a terminal.

`nbserver lab` opens the course in JupyterLab; `nbserver doctor` says what this environment is and allows;
`nbserver explain` draws the class map of a server class or a request class.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.util
import json
import locale
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from nbserver import __version__
from nbserver.errors import UsageError

PACKAGE = Path(__file__).resolve().parent
COURSE_IN_WHEEL = PACKAGE / "course"
LANGUAGES = ("en", "zh")
INDEX = "index.ipynb"
DEFAULT_FOLDER = "nbserver-course"
# Remembers what each copied file was, so that a later version knows which of them the user has changed.
RECORD = ".nbserver-course.json"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code: 2 if what was asked for cannot be done."""
    words = list(sys.argv[1:] if argv is None else argv)
    # What stands behind "--" belongs to JupyterLab; argparse would mix it with our own.
    here = words.index("--") if "--" in words else len(words)
    options = _parser().parse_args(words[:here])
    extra = words[here + 1 :]
    try:
        if options.command == "doctor":
            return _doctor()
        if options.command == "explain":
            return _explain(options.target, options.names)
        return _lab(options, extra)
    except UsageError as error:
        print(f"nbserver: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nbserver", description="Textbook socket programs in notebook cells, live.")
    parser.add_argument("--version", action="version", version=f"nbserver {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    lab = commands.add_parser(
        "lab",
        help="open the course in JupyterLab",
        description="Opens the course in JupyterLab. Arguments after -- go to JupyterLab as they are.",
        usage="nbserver lab [-h] [--lang {en,zh}] [--dir DIR] [--port N] [--no-browser] [-- ARGUMENTS OF JUPYTER LAB]",
    )
    lab.add_argument("--lang", choices=LANGUAGES, help="language of the course (default: this system's)")
    lab.add_argument("--dir", type=Path, help=f"folder for the course (default: ./{DEFAULT_FOLDER}, or the clone)")
    lab.add_argument("--port", type=int, metavar="N", help="port of JupyterLab; 0 lets the system choose")
    lab.add_argument("--no-browser", action="store_true", help="print the address and open no browser")
    commands.add_parser("doctor", help="say what this environment is and allows")
    explain = commands.add_parser(
        "explain",
        help="draw the class map of a server class or a request class",
        description="Who inherits from whom, who defines what, and which definition wins. The module is imported.",
    )
    explain.add_argument("target", metavar="MODULE:CLASS", help="such as socketserver:ThreadingTCPServer")
    explain.add_argument("names", nargs="*", metavar="NAME", help="say where this name is looked up and found")
    return parser


def _explain(target: str, names: Sequence[str]) -> int:
    from nbserver.teach import explain

    made = explain(_class_named(target))
    print("\n".join(str(made.lookup(name)) for name in names) if names else made)
    return 0


def _class_named(target: str) -> object:
    """What `module:name` names; modules in this folder are found first.

    Raises:
        UsageError: There is no such module, or no such name in it.
    """
    module, _, name = target.partition(":")
    if not module or not name:
        raise UsageError(f"{target} is not of the form module:Class, as in socketserver:ThreadingTCPServer")
    sys.path.insert(0, os.getcwd())
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"{target} cannot be had: {error}") from error


def _doctor() -> int:
    from nbserver.kernel.doctor import doctor

    print(doctor())
    return 0


# --- lab ----------------------------------------------------------------------------------------------------


def _lab(options: argparse.Namespace, extra: Sequence[str]) -> int:
    if importlib.util.find_spec("jupyterlab") is None:
        raise UsageError(f"JupyterLab is not installed for {sys.executable}; run: python -m pip install jupyterlab")
    if options.port is not None and not 0 <= options.port <= 65535:
        raise UsageError(f"{options.port} is not a port; a port is a number from 0 to 65535")
    folder = course_folder(options.dir)
    notebook = index(folder, options.lang or system_language())
    if options.lang:
        os.environ["NBSERVER_LANG"] = options.lang  # the kernels inherit it: the boards speak the course's language
    return _run(lab_command(folder, notebook, options.port, options.no_browser, extra), folder)


def system_language() -> str:
    """The language of the course that suits this system: `zh` in a Chinese one, `en` in every other."""
    names = [os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    name = next((name for name in names if name), None) or locale.getlocale()[0] or ""
    return "zh" if name.lower().startswith(("zh", "chinese")) else "en"


def index(folder: Path, language: str) -> str:
    """The notebook that lists the course in a language, as a path below the folder, with `/` between its parts.

    Raises:
        UsageError: The folder holds no course in that language.
    """
    if not (folder / language / INDEX).is_file():
        raise UsageError(f"no {INDEX} in {folder / language}; give another folder with --dir")
    return f"{language}/{INDEX}"


def lab_command(folder: Path, notebook: str, port: int | None, no_browser: bool, extra: Sequence[str]) -> list[str]:
    """The command that opens a notebook of a folder in JupyterLab."""
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}"]
    # Not as a file to open: JupyterLab would then show that file's own folder only.
    command += [f"--LabApp.default_url=/lab/tree/{notebook}"]
    if port is not None:
        command += [f"--port={port}"]
    if no_browser:
        command += ["--no-browser"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command += ["--allow-root"]  # JupyterLab asks for it when it runs as root, as in a container
    return [*command, *extra]


def _run(command: list[str], folder: Path) -> int:
    """Becomes the command, so that its signals and its exit code are those of JupyterLab itself."""
    sys.stdout.flush()
    os.chdir(folder)
    if os.name == "posix":
        os.execv(command[0], command)
    # Windows has no exec that keeps the console: there Ctrl+C reaches both, and JupyterLab answers it.
    with subprocess.Popen(command) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue


# --- the course's files -------------------------------------------------------------------------------------


def course_folder(wanted: Path | None) -> Path:
    """The folder to open: the clone's own notebooks, or a copy of the course that may be written to.

    Args:
        wanted: Where the copy shall be; None for the clone's folder, or `./nbserver-course` where there is no clone.

    Raises:
        UsageError: The copy cannot be written there.
    """
    clone = clone_folder()
    if wanted is None and clone is not None:
        return clone
    source = COURSE_IN_WHEEL if COURSE_IN_WHEEL.is_dir() else clone
    if source is None:
        raise UsageError(f"this installation of nbserver in {PACKAGE} has no course; install it again")
    target = (wanted or Path(DEFAULT_FOLDER)).expanduser().absolute()
    try:
        kept = copy_course(source, target)
    except OSError as error:
        raise UsageError(
            f"cannot write the course to {target}: {error.strerror}; give another folder with --dir"
        ) from error
    for name in kept:
        print(f"nbserver: kept your own version of {name}")
    return target


def clone_folder() -> Path | None:
    """The notebooks of the clone that this package, or the command, runs in; None without a clone."""
    for root in (PACKAGE.parent, Path.cwd()):
        if (root / "notebooks").is_dir() and (root / "nbserver" / "cli.py").is_file():
            return root / "notebooks"
    return None


def copy_course(source: Path, target: Path) -> list[str]:
    """Copies the course, and never over a file that the user has changed.

    A file is the user's own when it differs from what was copied last. Others are brought to this version.

    Returns:
        The names of files of which this version has a newer one, and the user an own one.

    Raises:
        OSError: The target cannot be written.
    """
    target.mkdir(parents=True, exist_ok=True)
    record = _read_record(target / RECORD)
    kept = []
    for name in _files(source):
        new, place = (source / name).read_bytes(), target / name
        old = place.read_bytes() if place.exists() else None
        if old is None or (old != new and _digest(old) == record.get(name)):
            _write(place, new)
        elif old != new:
            if record.get(name) != _digest(new):
                kept.append(name)
            continue
        record[name] = _digest(new)
    _write(target / RECORD, json.dumps(record, indent=1, ensure_ascii=False).encode())
    return kept


def _read_record(path: Path) -> dict[str, str]:
    """What was copied last; nothing, if the record is missing or damaged: then every file counts as the user's own."""
    try:
        record = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _files(folder: Path) -> Iterator[str]:
    """The names of the files below a folder, without hidden ones: those are JupyterLab's checkpoints."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in name.parts):
            yield name.as_posix()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _write(path: Path, data: bytes) -> None:
    """Writes a file in one step: if it is interrupted, there is the old one or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    os.replace(part, path)
