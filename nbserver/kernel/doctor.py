"""What this notebook runs on, what of it matters to nbserver, and what to do about it."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Iterator
from importlib import metadata

from .. import console
from ..net import Server, Zone, servers
from ..text import safe_text
from . import machine, roundtrip
from .bridge import kernel, view_paths
from .nested import asyncio_finding
from .report import Finding, Level, Report

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
_PATIENCE = 1.0  # seconds for the pages to answer


def doctor() -> Report:
    """What this notebook runs on, and what to do about it; the way of the board's replies is tried out meanwhile.

    Thread: any. Takes a second where a page does not answer.
    """
    found = [*_software(), *_pages(), *_patches(), *_machine(), *map(_server, servers()), *_shared()]
    order = list(Level)
    return Report(tuple(sorted(found, key=lambda finding: order.index(finding.level))))


# ── software ──


def _software() -> Iterator[Finding]:
    yield Finding("Python", f"{platform.python_version()} on {platform.system()}")
    yield Finding("packages", ", ".join(f"{name} {_version(name)}" for name in _PACKAGES))
    yield Finding("kernel", type(kernel()).__name__ if kernel() else "none: not in a notebook")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "(not installed)"


# ── the pages, and what comes from them ──


def _pages() -> Iterator[Finding]:
    if kernel() is None:
        return
    yield Finding("front end", ", ".join(roundtrip.hosts()) or "no board has been shown yet")
    yield _replies(roundtrip.measure(_PATIENCE))
    counts = ", ".join(f"{_WAYS[path]}: {count}" for path, count in view_paths().items())
    yield Finding("replies until now", counts or "no view has sent anything yet")
    if getattr(kernel(), "_allow_stdin", False):
        yield Finding("input() in a cell", "asks the person who runs the cell")
    else:
        advice = "in a handler and in a client it works all the same: the board asks"
        yield Finding("input() in a cell", "cannot ask: whoever runs this cell does not answer", Level.NOTE, advice)


def _replies(trips: list[roundtrip.Trip]) -> Finding:
    """Which way they take now; the cell that asks is running meanwhile, so what waits for its end is not heard."""
    name = "replies now"
    if not trips:
        advice = "show a server as the last expression of a cell, and ask again: then its page is asked how it answers"
        return Finding(name, "there is no board to answer", Level.NOTE, advice)
    heard = [trip for trip in trips if trip.path]
    if not heard:
        value = f"no answer within {_PATIENCE:.0f} s: they wait for the running cell, or the page has been closed"
        advice = "answer between cells, or open the notebook in JupyterLab or Notebook 7, whose pages need not wait"
        return Finding(name, value, Level.WARNING, advice)
    by = {trip.path: sorted(t.seconds for t in heard if t.path == trip.path) for trip in heard}
    lines = [f"by {_WAYS[path]}: {_milliseconds(seconds)}" for path, seconds in by.items()]
    if len(heard) < len(trips):
        lines.append(f"{len(trips) - len(heard)} of {len(trips)} boards did not answer: their pages may be closed")
    return Finding(name, "\n".join(lines), Level.OK if len(heard) == len(trips) else Level.NOTE)


def _milliseconds(seconds: list[float]) -> str:
    quick, slow = f"{seconds[0] * 1000:.0f}", f"{seconds[-1] * 1000:.0f}"
    return f"{quick} ms there and back" if quick == slow else f"{quick} to {slow} ms there and back"


# ── what is changed in Python ──


def _patches() -> Iterator[Finding]:
    yield Finding("input(), print()", "routed by thread" if console.is_routed() else "as they were")
    yield asyncio_finding()


# ── the machine ──


def _machine() -> Iterator[Finding]:
    limits = [limit for limit in (machine.container_limit(), machine.user_limit()) if limit]
    value = "; ".join([f"{threading.active_count()} alive in this kernel", *map(str, limits)])
    yield _limited("threads", value, [advice for advice in map(_few_threads, limits) if advice])
    counted = machine.descriptor_limit()
    value = f"{counted[0]} (which it may raise to {counted[1]})" if counted else "not limited by number"
    yield _limited("file descriptors", value, [advice for advice in [_few_descriptors()] if advice])
    has_ipv6 = machine.has_ipv6()
    yield Finding("IPv6", "yes: host='::1' works" if has_ipv6 else "no: this machine has no address ::1")


def _limited(name: str, value: str, advice: list[str]) -> Finding:
    return Finding(name, value, Level.WARNING if advice else Level.OK, "; ".join(advice))


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


# ── who can connect ──


def _server(server: Server) -> Finding:
    """Who can reach it."""
    zone, asks = server.reach.zone, " with a token" if server.token else ""
    value = f"{server!r}\n{server.reach}{asks}"
    if zone is Zone.MACHINE or server.token:
        return Finding("server", value)
    advice = "token=True asks each client for a word first, tls=… hides what is said; stop() it when the lesson is over"
    return Finding("server", value, Level.WARNING if zone is Zone.PUBLIC else Level.NOTE, advice)


def _shared() -> Iterator[Finding]:
    """Where other people's programs reach this machine's loopback, too."""
    people = machine.other_people() if os.environ.get("JUPYTERHUB_USER") else []
    if people:
        names = ", ".join(safe_text(name, 40) for name in people[:3]) + (", …" if len(people) > 3 else "")
        value = f"others work on this hub's machine ({names}), and 127.0.0.1 is theirs, too"
        advice = "nbserver.serve(handler, unix=True) listens in a folder that is yours alone"
        yield Finding("other people", value, Level.WARNING, advice)
