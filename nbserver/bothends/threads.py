"""Which thread does whose work: read off the frames of all threads at one moment, from outside."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import NamedTuple

from ..console import Program
from ..fleet import Client
from ..fleet import script as fleet_script
from ..net import Connection, Server, servers
from ..net.observed import Observed
from ..net.resilient import ResilientLoop
from ..teach import Line, is_students

# What the functions in which each kind of work goes on call whom it is for.
_SERVES: dict[CodeType, str] = {Observed.finish_request.__code__: "connection"}
_LOOPS: dict[CodeType, str] = {ResilientLoop._serve.__code__: "self", Observed.serve_forever.__code__: "self"}
_RUNS: dict[CodeType, str] = {Program._run_function.__code__: "self", fleet_script._play.__code__: "client"}


class Worker(NamedTuple):
    """A thread that does something for a server, a client, or the student.

    Attributes:
        thread: Its number, as `threading.get_ident` gives it.
        name: Its name.
        serves: The connection that it serves, or None.
        loop: The server whose accept loop it runs, or None.
        program: The program, or the client, that it runs, or None.
        frames: What it is in, from the innermost frame to the student's own, which is the last; all of them if none is.
        line: The student's line that it is at, or None.
        loop_line: The student's line that runs the accept loop, such as ``server.serve_forever()``, or None.
    """

    thread: int
    name: str
    serves: Connection | None
    loop: Server | None
    program: Program | None
    frames: list[FrameType]
    line: Line | None
    loop_line: Line | None

    @property
    def own(self) -> FrameType | None:
        """The student's frame, or None."""
        return self.frames[-1] if self.line is not None else None


def workers() -> Iterator[Worker]:
    """All threads but this one that do something for somebody.

    Thread: any. Costs some 10 µs for each thread of the process.
    """
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    bases = {id(server.base): server for server in servers()}
    for ident, frame in sys._current_frames().items():
        if ident != threading.get_ident():
            worker = _worker(ident, names.get(ident, "?"), frame, bases)
            if worker is not None:
                yield worker


def _worker(ident: int, name: str, innermost: FrameType, bases: dict[int, Server]) -> Worker | None:
    frames, above = list(_frames_of(innermost)), 0
    serves, loop, program, loop_line = None, None, None, None
    for at, frame in enumerate(frames):
        code = frame.f_code
        if code in _SERVES and serves is None:
            serves = frame.f_locals.get(_SERVES[code])
        elif code in _LOOPS and loop is None:
            loop = bases.get(id(frame.f_locals.get(_LOOPS[code])))
        elif code in _RUNS and program is None:
            program = frame.f_locals.get(_RUNS[code])
        elif is_students(code.co_filename):
            above = above or at + 1
            loop_line = loop_line or (_line_of(frame) if loop is not None else None)
    if serves is None and loop is None and program is None and not above:
        return None
    line = _line_of(frames[above - 1]) if above else None
    return Worker(ident, name, serves, loop, program, frames[:above] if above else frames, line, loop_line)


def _frames_of(frame: FrameType | None) -> Iterator[FrameType]:
    """The frames of a thread, the innermost first."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def _line_of(frame: FrameType) -> Line:
    return Line(frame.f_code.co_filename, frame.f_lineno or 0)


def is_listening(worker: Worker) -> bool:
    """Whether it is the thread of a client that nbserver has made, which only hears: a person, or a script, speaks."""
    return isinstance(worker.program, Client)
