"""The student's own code: which files are, and which of their lines it is, in words."""

from __future__ import annotations

import ast
import contextlib
import linecache
import os
import sysconfig
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..text import safe_text

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_LIBRARY = tuple({sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_INSTALLED = tuple(f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages"))
_MOST_FILES = 10_000
_TRIES = 5
_SHOWN = 160  # characters of a line, and of a file's name


class Cells:
    """What is known of the notebook's cells: `numbers` gives the number of a cell by the name of its file."""

    numbers: Mapping[str, int] = {}


def is_ours(filename: str) -> bool:
    """Whether a file is one of this package."""
    return filename.startswith(_PACKAGE)


class _Files(dict[str, bool]):
    """What is known of files. It is looked up on the path of a byte: `lru_cache` takes longer."""

    def __missing__(self, filename: str) -> bool:
        if len(self) > _MOST_FILES:  # each run of a changed cell is a file of its own
            self.clear()
        is_known = is_ours(filename) or filename.startswith(("<frozen", *_LIBRARY))
        found = self[filename] = not is_known and not any(part in filename for part in _INSTALLED)
        return found


is_students: Callable[[str], bool] = _Files().__getitem__
"""Whether a file, by its name, is the student's: neither Python's, nor ours, nor an installed package's."""


def parsed(text: str | bytes, mode: str = "exec") -> Any:
    """The form of a program, or of one expression; raises what `ast.parse` raises.

    Thread: any. CPython counts the depth of what it reads for all threads together, so that two at once may disturb
    each other ("AST constructor recursion depth mismatch"): then it is read once more.
    """
    for _ in range(_TRIES):
        with contextlib.suppress(SystemError):
            return ast.parse(text, mode=mode)
    return ast.parse(text, mode=mode)


class Line(NamedTuple):
    """One line of a program: the name of its file, as its code has it, and the number, from 1."""

    file: str
    number: int

    @property
    def cell(self) -> int:
        """The number of the cell that it stands in, or 0."""
        return Cells.numbers.get(self.file, 0)

    @property
    def where(self) -> str:
        """The cell, as its number says, or the file's own name."""
        return f"cell [{self.cell}]" if self.cell else safe_text(os.path.basename(self.file), _SHOWN)

    @property
    def text(self) -> str:
        """The line itself, printable, without the blanks around it; "" if it cannot be had."""
        # A backslash is part of the program: it stays one.
        return safe_text(linecache.getline(self.file, self.number).strip(), _SHOWN).replace("\\\\", "\\")

    @property
    def said(self) -> str:
        """What is said of it where its file is known: ``line 7: data = self.request.recv(1024)``."""
        text = self.text
        return f"line {self.number}" + (f": {text}" if text else "")

    @property
    def parts(self) -> tuple[str, int, str]:
        """What a page is told of it: where it stands, its number, and its text."""
        return self.where, self.number, self.text

    def __str__(self) -> str:
        return f"{self.where}, {self.said}"
