"""Where a program reads and writes what its threads share, and whether two threads did so at once. Plain data."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

# Methods of lists, dicts, sets and deques that change them.
_CHANGING = frozenset(
    ("add", "append", "appendleft", "clear", "difference_update", "discard", "extend", "extendleft", "insert")
    + ("intersection_update", "pop", "popitem", "popleft", "put", "remove", "reverse", "rotate", "setdefault", "sort")
    + ("subtract", "update")
)
_APART_SECONDS = 1.0  # between two spans that are not looked at together
_TOGETHER = 60  # spans that are looked at together


class Use(NamedTuple):
    """What a line does with a name.

    Attributes:
        reads, writes: Whether it does.
        assigns: Whether it gives the name a new value, rather than changing the value that it has.
        until: The last line of the loop that it begins over it; its own number otherwise.
    """

    reads: bool
    writes: bool
    assigns: bool
    until: int


class Guard(NamedTuple):
    """A line at which a thread may wait before it goes on to a use of the name: ``with lock:``, ``lock.acquire()``."""

    text: str
    until: int


class Uses(NamedTuple):
    """The lines of a file that use a name, and those that guard such lines; by line number."""

    lines: dict[int, Use]
    guards: dict[int, Guard]


@dataclass
class Span:
    """One use of the name by one thread: from the first line that reads it until after the line that writes it.

    Attributes:
        number: The connection that the thread served.
        begin, end: In seconds since 1970; `end` is None while its line runs.
        first, last: The lines.
        writes: Whether it wrote; otherwise it only read.
        is_lost: Whether it overwrote what somebody else had assigned since it had read.
    """

    number: int
    begin: float
    end: float | None
    first: int
    last: int
    writes: bool = False
    is_lost: bool = False


class Wait(NamedTuple):
    """A thread waited at a guard; times in seconds since 1970."""

    number: int
    begin: float
    end: float
    line: int
    text: str


class Race(NamedTuple):
    """Two threads used the name at once, and at least one of them wrote: `one` began first."""

    one: Span
    other: Span
    begin: float
    end: float

    @property
    def is_lost(self) -> bool:
        """Whether one of the two has overwritten a change of the other."""
        return self.one.is_lost or self.other.is_lost


def uses_of(tree: ast.AST, name: str) -> Uses:
    """The lines that use `name`: a global or an enclosing function's (``users``), or an attribute (``server.users``).

    What is mentioned by another name is not seen.
    """
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    found = Uses({}, {})
    for node in ast.walk(tree):
        if _is_named(node, name):
            use = _use(node, parents)
            before = found.lines.get(node.lineno, Use(False, False, False, 0))  # type: ignore[attr-defined]
            assigns = use.assigns or before.assigns
            merged = Use(use.reads or before.reads, use.writes or before.writes, assigns, max(use.until, before.until))
            found.lines[node.lineno] = merged  # type: ignore[attr-defined]
            found.guards.update(_guards(node, parents))
    return found


def _is_named(node: ast.AST, name: str) -> bool:
    last = name.rpartition(".")[2]
    if "." in name:
        return isinstance(node, ast.Attribute) and node.attr == last
    return isinstance(node, ast.Name) and node.id == last


def _use(node: Any, parents: dict[ast.AST, ast.AST]) -> Use:
    """What is done with the value at `node`: by itself, to an item of it, or by one of its methods."""
    whole, parent = node, parents[node]
    while isinstance(parent, ast.Subscript) and parent.value is node:
        node, parent = parent, parents[parent]
    is_changed = not isinstance(node.ctx, ast.Load)
    if isinstance(parent, ast.AugAssign) and parent.target is node:
        return Use(True, True, node is whole, node.lineno)
    if isinstance(parent, ast.Attribute) and parent.value is node:
        call = parents[parent]
        is_call = isinstance(call, ast.Call) and call.func is parent
        is_changed = (is_call and parent.attr in _CHANGING) or not isinstance(parent.ctx, ast.Load)
        return Use(not is_changed, is_changed, False, whole.lineno)
    is_loop = isinstance(parent, (ast.For, ast.AsyncFor)) and parent.iter is node
    until = getattr(parent, "end_lineno", None) if is_loop else None
    return Use(not is_changed, is_changed, is_changed and node is whole, until or whole.lineno)


def _guards(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> Iterator[tuple[int, Guard]]:
    """The ``with`` statements around a use, and the ``acquire()`` calls of its function."""
    while node in parents:
        child, node = node, parents[node]
        if isinstance(node, ast.With) and child in node.body:
            text = ", ".join(ast.unparse(item.context_expr) for item in node.items)
            yield node.lineno, Guard(text[:40], node.end_lineno or node.lineno)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for call in ast.walk(node):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "acquire":
                    yield call.lineno, Guard(ast.unparse(call)[:40], node.end_lineno or call.lineno)
            return


def races(spans: Iterable[Span], now: float) -> list[Race]:
    """The pairs of spans of different threads that overlap, where at least one wrote; by the time of their begin."""
    found: list[Race] = []
    living: list[Span] = []
    for span in sorted(spans, key=lambda span: span.begin):
        living = [one for one in living if (one.end or now) > span.begin]
        for one in living:
            if one.number != span.number and (one.writes or span.writes):
                found.append(Race(one, span, span.begin, min(one.end or now, span.end or now)))
        living.append(span)
    return found


def together(spans: list[Span]) -> list[Span]:
    """The latest spans that lie close to each other, for a view that shows all of them at once."""
    newest = sorted(spans, key=lambda span: span.begin)[-_TOGETHER:]
    for at in range(len(newest) - 1, 0, -1):
        before = max(span.end or span.begin for span in newest[:at])
        if newest[at].begin - before > _APART_SECONDS:
            return newest[at:]
    return newest


def sentence(name: str, race: Race) -> str:
    """A race in words: ``#1 and #2 were both between reading and writing `count` (line 5): one change is lost``."""
    one, other = race.one, race.other
    first, last = min(one.first, other.first), max(one.last, other.last)
    lines = f"line {first}" if first == last else f"lines {first} to {last}"
    if one.writes and other.writes:
        end = "one change is lost" if race.is_lost else "a change can be lost"
        return f"#{one.number} and #{other.number} were both between reading and writing `{name}` ({lines}): {end}"
    writer, reader = (one, other) if one.writes else (other, one)
    return f"#{writer.number} changed `{name}` while #{reader.number} was reading it ({lines})"
