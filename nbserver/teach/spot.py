"""The student's own line: where it stands in an error's traceback, or in a running thread, and what can be read there.

Nothing here runs code of the student's: lines come from `linecache`, their form from `ast`, and of the values in a
frame only texts, bytes, numbers, and tuples of these are looked at.
"""

from __future__ import annotations

import ast
import itertools
import linecache
import socket
import sys
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType, FrameType, TracebackType
from typing import Any, NamedTuple

from .student import Line, is_students, parsed

_LARGEST = 200_000  # characters of a file that is read as a program
_PLAIN = (str, bytes, int, float, bool, type(None))

NETWORK = frozenset(name for name in dir(socket.socket) if not name.startswith("_"))
"""What a socket can do."""
SENDS = ("send", "sendall", "sendto", "write", "sendmsg")
RECEIVES = ("recv", "recvfrom", "recv_into", "readline", "read")
BINDS = ("bind", "connect", "connect_ex", "sendto", "create_connection", "create_server", "TCPServer", "UDPServer")
"""The names of what is called to send, to receive, and with an address."""

UNKNOWN: Any = object()
"""A value that cannot be told without running code."""


class Spot(NamedTuple):
    """Where a program was, while it is looked at: it holds frames, so nobody may keep it.

    Attributes:
        frame: Whose line it is.
        number: The line's, from 1.
        at: The instruction in the frame's code, or -1.
        below: The frames that it called, outermost first.
    """

    frame: FrameType
    number: int
    at: int
    below: tuple[FrameType, ...]

    @property
    def line(self) -> Line:
        """Which line that is."""
        return Line(self.frame.f_code.co_filename, self.number)

    @property
    def has_socket(self) -> bool:
        """Whether one of the variables that can be seen there is a socket."""
        known = (*self.frame.f_locals.values(), *self.frame.f_globals.values())
        # By its type: to ask isinstance() could run a property of the user's.
        return any(issubclass(type(value), socket.socket) for value in known)


def spot_of(error: BaseException) -> Spot | None:
    """Where the user's own code raised `error`, or called what did; None if none of it did."""
    steps = list(steps_of(error))
    own = [at for at, step in enumerate(steps) if is_students(step.tb_frame.f_code.co_filename)]
    if not own:
        return None
    step = steps[own[-1]]
    return Spot(step.tb_frame, step.tb_lineno, step.tb_lasti, tuple(after.tb_frame for after in steps[own[-1] + 1 :]))


def spot_now(depth: int = 1) -> Spot | None:
    """The user's own line that this thread is in; `depth` calls above this one are passed over."""
    frame: FrameType | None = sys._getframe(depth)
    below: list[FrameType] = []
    while frame is not None and not is_students(frame.f_code.co_filename):
        below.insert(0, frame)
        frame = frame.f_back
    return None if frame is None else Spot(frame, frame.f_lineno, frame.f_lasti, tuple(below))


def text_of(error: BaseException) -> str:
    """The words of an error that has nothing else; its ``__str__``, which may be anybody's, is not called."""
    return error.args[0] if len(error.args) == 1 and type(error.args[0]) is str else ""


def steps_of(error: BaseException) -> Iterator[TracebackType]:
    """The steps of its traceback, outermost first."""
    traceback = error.__traceback__
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


# ── the form of a line ──


def call_at(spot: Spot, *names: str) -> ast.Call | None:
    """The call in this line that failed, of a function or method with one of `names`; None if it is not clear which."""
    found = [node for node in nodes_at(spot) if isinstance(node, ast.Call) and called(node) in names]
    return found[0] if len(found) == 1 else None


def called(node: ast.Call) -> str:
    """The last part of the name of what is called: ``sendall`` of ``self.request.sendall(…)``."""
    return str(getattr(node.func, "attr", "") or getattr(node.func, "id", ""))


def nodes_at(spot: Spot) -> list[ast.AST]:
    """What the program was evaluating: as far as Python tells that one expression, otherwise all of this line."""
    tree = tree_of(spot)
    if tree is None:
        return []
    here = position_of(spot.frame.f_code, spot.at)
    nodes = [node for node in ast.walk(tree) if hasattr(node, "lineno")]
    if here is not None:
        exact = [node for node in nodes if _ends(node) == here]
        if exact:
            return exact
    return nodes_on_line(spot)


def nodes_on_line(spot: Spot) -> list[ast.AST]:
    """All that stands in this line, whichever part of it was being evaluated."""
    nodes: list[Any] = list(ast.walk(tree_of(spot) or ast.Module([], [])))
    return [node for node in nodes if hasattr(node, "lineno") and _is_small(node) and _covers(node, spot.number)]


def _covers(node: Any, line: int) -> bool:
    return bool(node.lineno <= line <= node.end_lineno)


def _is_small(node: ast.AST) -> bool:
    """Not a whole function or loop, in whose body the line stands."""
    return not hasattr(node, "body")


def position_of(code: CodeType, at: int) -> tuple[int, int, int, int] | None:
    """Where the text of an instruction begins and ends: the lines, and the columns in bytes; None if it is not told."""
    positions = getattr(code, "co_positions", None)  # from Python 3.11 on
    if positions is None or at < 0:
        return None
    here: tuple[Any, Any, Any, Any] = next(itertools.islice(positions(), at // 2, None), (None,) * 4)
    return None if None in here else here


def _ends(node: Any) -> tuple[int, int, int, int]:
    return node.lineno, node.end_lineno, node.col_offset, node.end_col_offset


def scope_at(spot: Spot) -> ast.AST | None:
    """The function in which the line stands, or the whole program."""
    tree = tree_of(spot)
    name, first = spot.frame.f_code.co_name, spot.frame.f_code.co_firstlineno
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name:
            begins = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            if begins == first:
                return node
    return tree


def tree_of(spot: Spot) -> ast.AST | None:
    """The whole program, if its text can be had."""
    return _tree("".join(linecache.getlines(spot.line.file, spot.frame.f_globals)))


@lru_cache(8)
def _tree(source: str) -> ast.AST | None:
    if not source or len(source) > _LARGEST:
        return None
    try:
        return parsed(source)  # type: ignore[no-any-return]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # not the text that runs, or one that is nested too deep


# ── what is known in it ──


def value_at(spot: Spot, node: ast.AST | None) -> Any:
    """What an expression stands for, if that can be told without running anything; otherwise `UNKNOWN`."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Tuple):
        values = tuple(value_at(spot, part) for part in node.elts)
        return UNKNOWN if any(value is UNKNOWN for value in values) else values
    if isinstance(node, ast.Name):
        known = spot.frame.f_locals
        return plain(known.get(node.id, spot.frame.f_globals.get(node.id, UNKNOWN)))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _joined([value_at(spot, node.left), value_at(spot, node.right)])
    if isinstance(node, ast.JoinedStr):
        return _joined([_formatted(spot, part) for part in node.values])
    return UNKNOWN


def _joined(parts: list[Any]) -> Any:
    """Texts behind each other, or bytes: of Python's own types, so that no code of anybody else runs."""
    for kind in (str, bytes):
        if parts and all(type(part) is kind for part in parts):
            return kind().join(parts)
    return UNKNOWN


def _formatted(spot: Spot, part: ast.AST) -> Any:
    """One part of an f-string: what stands there, or a text or a whole number that is put in as it is."""
    if not isinstance(part, ast.FormattedValue):
        return value_at(spot, part)
    is_plain = part.format_spec is None and part.conversion == -1
    value = value_at(spot, part.value) if is_plain else UNKNOWN
    return str(value) if type(value) in (str, int) else UNKNOWN


def plain(value: Any) -> Any:
    """`value` itself, if it is a text, bytes, a number, or a tuple of these; otherwise `UNKNOWN`."""
    if type(value) is tuple:
        return value if all(type(part) in _PLAIN for part in value) else UNKNOWN
    return value if type(value) in _PLAIN else UNKNOWN


def local_below(spot: Spot, name: str, *functions: str) -> Any:
    """The variable `name` of the innermost frame below that runs one of `functions`, ours or Python's."""
    for frame in reversed(spot.below):
        if frame.f_code.co_name in functions and name in frame.f_locals:
            return frame.f_locals[name]
    return UNKNOWN
