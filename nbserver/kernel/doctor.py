"""What this notebook runs on, what of it matters to nbserver, and what to do about it."""

from __future__ import annotations

import html
import os
import platform
import textwrap
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from importlib import metadata

from .. import console
from ..net import Server, Zone, servers
from ..text import safe_text
from . import machine, roundtrip
from .bridge import kernel, view_paths
from .nested import is_nested_asyncio

_PACKAGES = (
    *("nbserver", "ipykernel", "ipython", "ipywidgets", "anywidget", "jupyterlab", "jupyter-server-proxy"),
    "nest-asyncio",
)
_FEW = 100  # threads or descriptors: fifty clients of this notebook take as many, with their handlers
_WAYS = {
    "control": "the control channel (also while a cell runs)",
    "subshell": "a subshell (also while a cell runs)",
    "comm": "the widget's comm (waits for a running cell)",
}
_COLUMNS = 60  # of characters, for what was found
_PATIENCE = 1.0  # seconds for the pages to answer


class Level(str, Enum):
    """How much a finding matters; the value is the word that is shown. In the order in which they are read."""

    WARNING = "warning"
    NOTE = "note"
    OK = "ok"


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        name: What was looked at.
        value: What was found; safe to show.
        level: How much that matters.
        advice: What to do, or "".
    """

    name: str
    value: str
    level: Level = Level.OK
    advice: str = ""


@dataclass(frozen=True, repr=False)
class Report:
    """What was found, the most urgent first; shown as a list.

    Attributes:
        findings: See `Finding`.
    """

    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        return "\n".join("".join(text for text, _ in self._pieces(finding)) for finding in self.findings)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """The same for a page, what asks for attention in bold. In a ``<pre>`` no page looks for formulas."""
        pieces = [[*self._pieces(finding), ("\n", False)] for finding in self.findings]
        marked = [f"<b>{html.escape(text)}</b>" if bold else html.escape(text) for row in pieces for text, bold in row]
        return f"<pre>{''.join(marked)}</pre>"

    def _pieces(self, finding: Finding) -> list[tuple[str, bool]]:
        """What is shown of a finding: texts, and whether each asks for attention."""
        width = max(len(one.name) for one in self.findings)
        below = "\n" + " " * (width + 11)
        value = f"  {finding.name:<{width}}  " + below.join(_wrapped(finding.value))
        advice = [(below + below.join(_wrapped(f"-> {finding.advice}", "   ")), True)] if finding.advice else []
        return [(f"{finding.level.value:<7}", finding.level is not Level.OK), (value, False), *advice]


def _wrapped(text: str, indent: str = "") -> list[str]:
    """Lines that fit beside the names, in a terminal and in a notebook on a projector."""
    wrapper = textwrap.TextWrapper(_COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return [short for line in text.split("\n") for short in wrapper.wrap(line)]


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
        advice = (
            "answer between cells, or put what takes long into a thread; JupyterLab and Notebook 7 answer at any time, "
            "and so does any page with ipykernel 7 that sends to subshells"
        )
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
    if is_nested_asyncio():
        advice = "restart the kernel to undo it; programs under %%server and %%client do not need it"
        yield Finding("asyncio", "patched by nest-asyncio for the whole session", Level.NOTE, advice)
    else:
        yield Finding("asyncio", "as it was")


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
