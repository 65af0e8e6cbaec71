"""Where a function is written, and its text: read from the file, or from the cell that made it."""

from __future__ import annotations

import inspect
import linecache
import os
import tokenize
import types
from typing import Any

from .student import Line

_LINES, _CHARACTERS = 80, 200  # of one text


class Place(Line):
    """Where a function is written."""

    @property
    def is_cell(self) -> bool:
        """Whether it is written in a notebook's cell, or typed in, and in no file of the student's."""
        return "ipykernel_" in self.file or self.file.startswith("<")

    @property
    def told(self) -> list[str | int]:
        """The file's short name, "" for a cell, and the line."""
        return ["" if self.is_cell else os.path.basename(self.file)[:60], self.number]

    @property
    def source(self) -> str:
        """The text of the function, at most 80 lines; "" if it cannot be had."""
        # A pipe or a device would be waited for.
        if self.file not in linecache.cache and not os.path.isfile(self.file):
            return ""
        lines = linecache.getlines(self.file)[self.number - 1 : self.number - 1 + _LINES]
        try:
            block = inspect.getblock(lines)
        except (SyntaxError, tokenize.TokenError):  # the file was changed meanwhile, or the text was cut
            block = lines
        return "".join(line[:_CHARACTERS] for line in _dedented(block))

    def __str__(self) -> str:
        return f"{self.told[0] or 'a cell'}, line {self.number}"


def _dedented(lines: list[str]) -> list[str]:
    blanks = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return [line[blanks:] if line.strip() else "\n" for line in lines]


def place_of(function: Any) -> Place | None:
    """Where `function` is written; None if it is no function that is written in Python."""
    if type(function) is not types.FunctionType:
        return None
    return Place(function.__code__.co_filename, function.__code__.co_firstlineno)
