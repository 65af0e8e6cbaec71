"""What this notebook runs on, and what of it matters to nbserver."""

from __future__ import annotations

import os
import platform
import threading
from importlib import metadata

from .. import console
from ..net import servers
from ..text import safe_text
from . import machine
from .bridge import kernel, view_paths
from .nested import asyncio_fact
from .report import Report

_PACKAGES = (
    *("nbserver", "ipykernel", "ipython", "ipywidgets", "anywidget", "jupyterlab", "jupyter-server-proxy"),
    "nest-asyncio",
)
_FEW = 100  # threads or descriptors: fifty clients of this notebook take as many, with their handlers
_WAYS = {
    "control": "the control channel (also while a cell runs)",
    "subshell": "a subshell (also while a cell runs)",
    "ahead": "the widget's comm, read ahead of its turn (ipykernel 7: also while a cell runs; 6: while it waits)",
    "comm": "the widget's comm (waits for a running cell)",
}


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
    facts += [asyncio_fact()]
    threads = [limit for limit in (machine.container_limit(), machine.user_limit()) if limit]
    facts += [("file descriptors", _descriptors())]
    facts += [("threads", "; ".join([f"{threading.active_count()} alive in this kernel", *map(str, threads)]))]
    facts += [("IPv6", "yes: host='::1' works" if machine.has_ipv6() else "no: this machine has no address ::1")]
    facts += [("servers", "\n".join(map(repr, servers())) or "none")]
    facts += [("advice", text) for text in (*map(_few_threads, threads), _few_descriptors(), _shared()) if text]
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
    counted = machine.descriptor_limit()
    return f"{counted[0]} (which it may raise to {counted[1]})" if counted else "not limited by number"


def _few_threads(limit: machine.Limit) -> str:
    """What it means that hardly a thread is left; "" where there are enough."""
    if limit.left >= _FEW:
        return ""
    return (
        f"{limit.whose} may start only {limit.left} more threads, and each connection takes one, or two if its client "
        f"is of this notebook: beyond that, clients are hung up on"
    )


def _few_descriptors() -> str:
    counted = machine.descriptor_limit()
    if counted is None or counted[0].left >= _FEW:
        return ""
    raised = f"; raise the limit: resource.setrlimit(resource.RLIMIT_NOFILE, ({counted[1]}, {counted[1]}))"
    return (
        f"this kernel may open only {counted[0].left} more file descriptors, and each connection takes one, or two if "
        f"its client is of this notebook: beyond that, clients wait" + (raised if counted[1] != counted[0].most else "")
    )


def _shared() -> str:
    """What to do where other people's programs reach this machine's loopback, too; "" where nobody else is."""
    people = machine.other_people() if os.environ.get("JUPYTERHUB_USER") else []
    if not people:
        return ""
    names = ", ".join(safe_text(name, 40) for name in people[:3]) + (", …" if len(people) > 3 else "")
    return (
        f"others work on this hub's machine ({names}), and 127.0.0.1 is theirs, too: "
        f"nbserver.serve(handler, unix=True) listens in a folder that is yours alone"
    )
