"""Which line of the student's program called: found in the stack, told as text."""

from __future__ import annotations

import asyncio
import linecache
import os
import sysconfig
from types import FrameType

from ..text import escape

Site = tuple[str, int]
"""A file's name, as the code has it, and a line's number."""

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_LIBRARY = tuple({sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib")})
_CALLBACKS = os.path.join(os.path.dirname(asyncio.__file__), "events.py")  # above it nobody has called: a loop has
_LONGEST = 80  # characters of a line
_MOST_FILES = 10_000
_DEEPEST = 12  # calls between the student's line and the socket


_theirs: dict[str, bool] = {}
"""By a file's name: whether what is in it is neither ours nor the standard library's. As many as there are files."""


def _is_theirs(filename: str) -> bool:
    if len(_theirs) > _MOST_FILES:  # each run of a cell is a file of its own
        _theirs.clear()
    is_known = filename.startswith((_OURS, *_LIBRARY, "<frozen"))
    return _theirs.setdefault(filename, not is_known)


def site_of(frame: FrameType | None) -> Site | None:
    """The nearest line in the stack that is neither ours nor the standard library's. It lies on the path of a byte."""
    for _ in range(_DEEPEST):
        if frame is None:
            return None
        filename = frame.f_code.co_filename
        is_theirs = _theirs.get(filename)
        if is_theirs or (is_theirs is None and _is_theirs(filename)):
            return filename, frame.f_lineno
        if filename == _CALLBACKS:
            return None
        frame = frame.f_back
    return None


def line_of(site: Site | None) -> str:
    """That line, as people say it: ``line 7: data = self.request.recv(1024)``; "" if it is not known."""
    if site is None:
        return ""
    text = linecache.getline(*site).strip()
    text = "".join(c if c.isprintable() else escape(c) for c in text[:_LONGEST]) + ("…" if text[_LONGEST:] else "")
    return f"line {site[1]}" + (f": {text}" if text else "")
