"""What this notebook runs on, and what of it matters to nbserver."""

from __future__ import annotations

import platform
import sys
import threading
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from .. import console
from ..net import servers
from .bridge import kernel, view_paths
from .nested import is_nested_asyncio

_PACKAGES = ("nbserver", "ipykernel", "ipython", "ipywidgets", "anywidget", "jupyterlab", "nest-asyncio")
_WAYS = {
    "control": "the control channel (also while a cell runs)",
    "subshell": "a subshell (also while a cell runs)",
    "comm": "the widget's comm (waits for a running cell)",
}


@dataclass(frozen=True, repr=False)
class Report:
    """Facts as pairs of name and text; shown as a list.

    Attributes:
        facts: The pairs.
    """

    facts: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        width = max(len(name) for name, _ in self.facts)
        return "\n".join(f"{name:<{width}}  {text}" for name, text in self.facts)

    def __repr__(self) -> str:
        return str(self)


def doctor() -> Report:
    """What this notebook runs on: versions, limits, servers, patches, and the way by which the board's replies come.

    Thread: any.
    """
    facts = [("Python", f"{platform.python_version()} on {platform.system()}")]
    facts += [(name, _version(name)) for name in _PACKAGES]
    facts += [
        ("kernel", type(kernel()).__name__ if kernel() else "none: not in a notebook"),
        ("replies come by", _ways()),
    ]
    facts += [("input() and print()", "routed by thread" if console.is_routed() else "as they were")]
    facts += [("asyncio", "patched by nest-asyncio" if is_nested_asyncio() else "as it was")]
    facts += [("file descriptors", _descriptors()), ("threads", _threads())]
    facts += [("servers", "\n".join(map(repr, servers())) or "none")]
    return Report(tuple(facts))


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _ways() -> str:
    paths = view_paths()
    return ", ".join(f"{_WAYS[path]}: {count}" for path, count in paths.items()) or "no view has sent anything yet"


def _descriptors() -> str:
    if sys.platform == "win32":
        return "not limited by number"
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(list(Path("/dev/fd").iterdir()))
    return f"{used} in use, {soft} at most (a process may raise it to {hard})"


def _threads() -> str:
    """How many there are, and the limit that a container sets."""
    for name in ("/sys/fs/cgroup/pids.max", "/sys/fs/cgroup/pids/pids.max"):
        if Path(name).exists():
            return f"{threading.active_count()} alive, the container allows {Path(name).read_text().strip()}"
    return f"{threading.active_count()} alive"
