"""Which line of the student's program called: found in the stack, told as text."""

from __future__ import annotations

import asyncio
import os
from types import FrameType

from .student import Line, is_students

Site = tuple[str, int]
"""What a `Line` is made of: a plain tuple costs less on the path of a byte."""

_CALLBACKS = os.path.join(os.path.dirname(asyncio.__file__), "events.py")  # above it nobody has called: a loop has
_DEEPEST = 12  # calls between the student's line and the socket


def site_of(frame: FrameType | None) -> Site | None:
    """The nearest line in the stack that is the student's. It lies on the path of a byte."""
    for _ in range(_DEEPEST):
        if frame is None:
            return None
        filename = frame.f_code.co_filename
        if is_students(filename):
            return filename, frame.f_lineno
        if filename == _CALLBACKS:
            return None
        frame = frame.f_back
    return None


def line_of(site: Site | None) -> str:
    """That line, as people say it; "" if it is not known."""
    return "" if site is None else Line(*site).said
