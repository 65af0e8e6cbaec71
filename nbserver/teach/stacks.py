"""The call that a thread is in, and what it is called on: read off its frames, from outside.

Nothing of the student's is called: no ``repr``, no property, no ``__getattr__``. A frame tells which Python functions
are running; which function of C the last of them is in, is read from its bytecode.
"""

from __future__ import annotations

import ast
import dis
import inspect
import itertools
import linecache
import re
import sys
from functools import lru_cache
from types import CodeType, FrameType
from typing import Any, NamedTuple

from .spot import called, position_of
from .student import parsed

_WITH = re.compile(rb"\s*with\s+([\w.]+)\s*[:,]")  # a lock is taken there without a call


class Called(NamedTuple):
    """The call of a function that is written in C.

    Attributes:
        name: How it is called there: ``recv`` in ``client.recv(1024)``; "" if that is not to be had.
        on: What it is called on, as names: ``("self", "sock")``; empty if that is more than names.
    """

    name: str
    on: tuple[str, ...]


def call_in(frame: FrameType) -> Called:
    """The call that a frame is at."""
    return _call_at(frame.f_code, frame.f_lasti)


def value_of(frame: FrameType, names: tuple[str, ...]) -> Any:
    """What stands under `names` in a frame, found without running anything; None if it is not found so."""
    if not names:
        return None
    first, *rest = names
    local = frame.f_locals
    value = local[first] if first in local else frame.f_globals.get(first)
    for name in rest:
        value = inspect.getattr_static(value, name, None)
    return value


@lru_cache(maxsize=512)
def _call_at(code: CodeType, at: int) -> Called:
    if sys.version_info < (3, 11):
        return _scanned(code, at)
    position = position_of(code, at)
    return _parsed(code.co_filename, *position) if position is not None else _NOTHING


_NOTHING = Called("", ())


def _parsed(filename: str, first: int, last: int, begin: int, end: int) -> Called:
    """The call whose text stands at a place of a file; columns are in bytes of UTF-8."""
    lines = [line.encode() for line in linecache.getlines(filename)[first - 1 : last]]
    if not lines:
        return _NOTHING
    taken = _WITH.match(lines[0])
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][begin:]
    if taken is not None and lines[0].lstrip().startswith((b"with", taken[1])):  # which version marks which, differs
        return Called("__enter__", tuple(taken[1].decode().split(".")))
    try:
        expression = parsed(b"(" + b"".join(lines) + b")", "eval").body
    except (SyntaxError, ValueError):  # not the text that was compiled: the file has been changed since
        return _NOTHING
    if not isinstance(expression, ast.Call):
        return _NOTHING
    return Called(called(expression), tuple(_names(expression.func)[:-1]))


def _names(expression: ast.expr) -> list[str]:
    """The names of ``a.b.c``; none of anything else."""
    if isinstance(expression, ast.Name):
        return [expression.id]
    if isinstance(expression, ast.Attribute):
        before = _names(expression.value)
        return [*before, expression.attr] if before else []
    return []


def _scanned(code: CodeType, at: int) -> Called:
    """The same for Python 3.10, which keeps no columns: what was put on the stack below the arguments?"""
    steps = list(itertools.takewhile(lambda step: step.offset <= at, dis.get_instructions(code)))
    call = steps.pop() if steps else None
    if call is not None and call.opname == "SETUP_WITH":
        return Called("__enter__", tuple(_chain(steps)))
    if call is None or not call.opname.startswith("CALL_") or call.opname == "CALL_FUNCTION_EX":
        return _NOTHING
    wanted = (call.arg or 0) + (call.opname == "CALL_FUNCTION_KW")
    while steps and wanted > 0:
        step = steps.pop()
        wanted -= dis.stack_effect(step.opcode, step.arg, jump=False)
    names = _chain(steps)
    return Called(names[-1], tuple(names[:-1])) if names else _NOTHING


def _chain(steps: list[dis.Instruction]) -> list[str]:
    """The names of ``a.b.c`` that the last steps load."""
    names: list[str] = []
    for step in reversed(steps):
        if step.opname not in ("LOAD_METHOD", "LOAD_ATTR"):
            return [str(step.argval), *names] if step.opname.startswith("LOAD_") else names[-1:]
        names.insert(0, str(step.argval))
    return names
