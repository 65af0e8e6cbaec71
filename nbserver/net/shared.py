"""What handlers' threads do with something that they share, line by line, and whether two of them do so at once.

A watch traces lines (`sys.settrace`), in the handlers' threads alone, and only in functions of the student's that
mention the name. It costs time while it is on, and nothing while it is off. Not seen: what is mentioned by another name
(``mine = users`` and then ``mine.append``), what a function reads that another one writes back, and connections that
were being served already when the watch began.
"""

from __future__ import annotations

import linecache
import os
import sys
import threading
import time
import types
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from ..errors import UsageError
from ..teach import is_students, order, parsed
from ..teach.shared import Guard, Race, Span, Uses, Wait, races, sentence, together, uses_of
from ..text import safe_text

_KEPT = 1000  # spans; and as many waits
_WAITED_SECONDS = 0.001  # a shorter wait is none
_LONGEST_NAME = 100
# Attributes of a server object that no student has made.
_OWN = frozenset(
    ("server_address", "RequestHandlerClass", "socket", "observation", "server_name", "server_port")
    + ("timeout", "nbserver_chat_room")
)
_LOCKS = (type(threading.Lock()), type(threading.RLock()), threading.Condition, threading.Semaphore, threading.Event)
# What is code, or only guards data, is not what threads share by mistake.
_NO_DATA = (types.ModuleType, type, types.FunctionType, types.BuiltinFunctionType, types.MethodType, *_LOCKS)
_NOTHING = object()

Trace = Callable[[types.FrameType, str, Any], Any]


class SharedData:
    """A watch on one name that handlers share: made by `Server.watch_shared`, printable.

    Call, from any thread: `stop`, and all that is read. Leave alone: names with an underscore.

    Attributes:
        name: A global (``count``), or an attribute (``server.users``, ``self.users``).
        is_on: Whether it is watched now.
        note: Why something is not seen, or "".
    """

    def __init__(self, name: str, server: Any = None) -> None:
        """Watch from now on.

        Args:
            name: See the class.
            server: The object that handlers call ``self.server``.

        Raises:
            UsageError: That is no name.
        """
        parts = name.split(".") if isinstance(name, str) and len(name) <= _LONGEST_NAME else [""]
        if not all(part.isidentifier() for part in parts):
            raise UsageError(
                "watch_shared() takes the name of a global, such as 'count', or an attribute, such as 'server.users', "
                f"not {safe_text(repr(name), 60)}"
            )
        self.name, self.note = name, ""
        self.is_on = True
        self._last = parts[-1]
        self._server = server if len(parts) == 2 and parts[0] == "server" else None
        self._spans: deque[Span] = deque(maxlen=_KEPT)
        self._waits: deque[Wait] = deque(maxlen=_KEPT)
        self._uses: dict[types.CodeType, Uses | None] = {}
        self._files: dict[str, Uses | None] = {}

    # ── told by the threads ──

    def begin(self, number: int) -> Trace | None:
        """This thread begins to serve connection `number`. Returns what `end` is to be given."""
        if sys.gettrace() is not None:
            self.note = "another tracer (a debugger, or coverage) is at work in these threads: they are not watched"
            return None

        def enter(frame: types.FrameType, event: str, arg: Any) -> Any:
            if not self.is_on:
                sys.settrace(None)
                return None
            uses = self._uses_in(frame.f_code)
            return _Call(self, number, uses).step if uses is not None else None

        sys.settrace(enter)
        return enter

    def end(self, trace: Trace | None) -> None:
        """This thread serves it no more."""
        if trace is not None and sys.gettrace() is trace:
            sys.settrace(None)

    def _uses_in(self, code: types.CodeType) -> Uses | None:
        """The uses in a function; None if it has none, or is not the student's."""
        try:
            return self._uses[code]
        except KeyError:
            mentioned = self._last in (*code.co_names, *code.co_freevars, *code.co_cellvars)
            is_theirs = mentioned and is_students(code.co_filename)
            found = self._uses[code] = self._uses_of_file(code.co_filename) if is_theirs else None
            return found

    def _uses_of_file(self, name: str) -> Uses | None:
        if name not in self._files:
            source = "".join(linecache.getlines(name))
            try:
                self._files[name] = uses_of(parsed(source), self.name) if source else None
            except (SyntaxError, ValueError):  # it was changed after it was loaded
                self._files[name] = None
            if self._files[name] is None:
                self.note = f"the text of {safe_text(os.path.basename(name), 60)} cannot be read: it is not watched"
        return self._files[name]

    def _value(self, frame: types.FrameType) -> Any:
        """The object that the name stands for now, as far as it can be had without running anybody's code."""
        if self._server is not None:
            return vars(self._server).get(self._last, _NOTHING)
        return frame.f_globals.get(self.name, _NOTHING)

    # ── what people do ──

    def stop(self) -> None:
        """Watch no more; what was seen stays. Thread: any; twice is once."""
        self.is_on = False
        self._uses.clear()
        self._files.clear()

    @property
    def spans(self) -> list[Span]:
        """Each use by a thread, oldest first: the last 1 000."""
        return list(self._spans)

    @property
    def waits(self) -> list[Wait]:
        """Who waited for a lock in front of it, oldest first: the last 1 000."""
        return list(self._waits)

    @property
    def races(self) -> list[Race]:
        """Where two threads used it at once, and one of them wrote."""
        return races(self._spans.copy(), time.time())

    def told(self) -> dict[str, Any]:
        """The latest that lies close together, as a page is told it: see PROTOCOL.md."""
        spans = together(self.spans)
        begin = min((span.begin for span in spans), default=0.0)
        now = time.time() if any(span.end is None for span in spans) else 0.0
        waits = [wait for wait in self.waits if wait.end >= begin]
        # A thread may have waited for the lock before anybody wrote.
        begin = min([begin, *(wait.begin for wait in waits)])
        index = {id(span): i for i, span in enumerate(spans)}
        return {
            "begin": begin,
            "spans": [
                [s.number, s.begin - begin, (s.end or now) - begin, s.first, s.last, s.writes, s.is_lost] for s in spans
            ],
            "races": [
                [index[id(r.one)], index[id(r.other)], r.begin - begin, r.end - begin] for r in races(spans, now)
            ],
            "waits": [[w.number, w.begin - begin, w.end - begin, w.line, w.text] for w in waits],
        }

    def __str__(self) -> str:
        spans, found = self.spans, self.races
        threads = len({span.number for span in spans})
        lines = [f"{self.name}: used {len(spans)} times by {threads} threads, {len(found)} races"]
        lines += [f"  {sentence(self.name, race)}" for race in found[-10:]]
        lines += [f"  #{w.number} waited {w.end - w.begin:.3f} s at line {w.line} ({w.text})" for w in self.waits[-10:]]
        return "\n".join([*lines, *([f"  note: {self.note}"] if self.note else [])])

    def __repr__(self) -> str:
        return f"<SharedData {self.name}, {'watched' if self.is_on else 'not watched any more'}>"


class _Call:
    """One call of a function that uses the name, in one thread; its `step` is told each line before it runs."""

    def __init__(self, data: SharedData, number: int, uses: Uses) -> None:
        self._data, self._number, self._uses = data, number, uses
        self._line = 0  # the one that runs
        self._since = 0.0
        self._span: Span | None = None
        self._value: Any = _NOTHING
        self._until = 0  # the last line of the loop over it that runs

    def step(self, frame: types.FrameType, event: str, arg: Any) -> Any:
        """As `sys.settrace` wants it."""
        now = time.time()
        if event == "line":
            self._leave(frame.f_lineno, now)
            self._arrive(frame, now)
        elif event == "return":
            self._leave(0, now)
            self._value = _NOTHING
        return self.step if self._data.is_on else None

    def _leave(self, following: int, now: float) -> None:
        use, guard, span = self._uses.lines.get(self._line), self._uses.guards.get(self._line), self._span
        if guard is not None and following != self._line:
            self._passed(guard, following, now)
        if span is None:
            return
        if use is not None:
            span.end, span.last = now, self._line
            if use.writes:
                span.writes = True
                self._span = None
        elif span.first <= self._line <= self._until:
            span.end = now  # inside a loop over it

    def _passed(self, guard: Guard, following: int, now: float) -> None:
        """It has gone on from a line with a lock; at the end of a ``with`` block that line comes once more."""
        if self._line < following <= guard.until and now - self._since > _WAITED_SECONDS:
            self._data._waits.append(Wait(self._number, self._since, now, self._line, guard.text))

    def _arrive(self, frame: types.FrameType, now: float) -> None:
        line = self._line = frame.f_lineno
        self._since = now
        if self._span is not None and self._until and not self._span.first <= line <= self._until:
            self._span, self._until = None, 0  # a loop over it has ended, and with it that use
        use = self._uses.lines.get(line)
        if use is None:
            return
        span = self._span
        is_new_round = span is not None and line <= span.first and not self._until
        if span is None or is_new_round:
            self._span = span = Span(self._number, now, None, line, line)
            self._value, self._until = self._data._value(frame), use.until if use.until > line else 0
            self._data._spans.append(span)
        elif use.assigns and not use.reads and self._value is not self._data._value(frame):
            span.is_lost = True


# ── what can be watched ──


def shared_names(server: Any) -> list[str]:
    """What handlers may share, by name: globals that their code mentions, attributes of their server and class.

    Only looked at, never called: no code of the student's runs.
    """
    handler = getattr(server, "RequestHandlerClass", None)
    found = [
        f"server.{name}" for name, value in list(vars(server).items()) if _is_data(name, value) and name not in _OWN
    ]
    if isinstance(handler, type):
        own = [cls for cls in order(handler) if cls.__module__ not in ("socketserver", "builtins", "http.server")]
        for cls in own:
            found += [f"self.{name}" for name, value in list(vars(cls).items()) if _is_data(name, value)]
            found += _globals_of(cls)
    return sorted(dict.fromkeys(name for name in found if len(name) <= _LONGEST_NAME))


def _globals_of(cls: type) -> Iterator[str]:
    """The globals that the methods of a class mention, and the functions that they call."""
    left: list[Any] = [value for value in list(vars(cls).values()) if type(value) is types.FunctionType]
    known: set[int] = set()
    while left:
        function = left.pop()
        if id(function) in known or not is_students(function.__code__.co_filename):
            continue
        known.add(id(function))
        for name in function.__code__.co_names:
            value = function.__globals__.get(name, _NOTHING)
            if type(value) is types.FunctionType:
                left.append(value)
            elif value is not _NOTHING and _is_data(name, value):
                yield name


def _is_data(name: str, value: Any) -> bool:
    kind = type(value)
    is_code = issubclass(kind, _NO_DATA) or any("__get__" in vars(one) for one in kind.__mro__)
    return not name.startswith("_") and not is_code
