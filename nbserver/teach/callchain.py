"""The chain of calls by which ``socketserver`` serves one client: what was called, and what will be.

What was called is read from *marks* (`nbserver.net.steps`): of one thread name, time, name, time, …, with None in
place of a name where the call that was begun last returned, and False where it raised; a name with a stroke before it
is the end of that call and of all inside it; a tuple is several of these at once. What will be called is what the
standard library does for a server of this kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any, NamedTuple

from .lookup import order, supplier
from .source import Place, place_of

_HANDLER = ("__init__", "setup", "handle", "finish")
_MADE = ("__init__", "server_bind", "server_activate")
# Name, and how deep it is inside the first call of its thread.
_ACCEPTING = (("_handle_request_noblock", 1), ("get_request", 2), ("verify_request", 2), ("process_request", 2))
_SERVING = (
    *(("finish_request", 1), ("__init__", 2), ("setup", 3), ("handle", 3), ("finish", 3)),
    *(("shutdown_request", 1), ("close_request", 2)),
)


class CallState(str, Enum):
    """How a call stands. The value is the word that travels to a view."""

    UNSEEN = "unseen"  # it was made before the server was observed
    RETURNED = "returned"
    RAISED = "raised"
    RUNNING = "running"
    HELD = "held"  # slow motion: it is the next, and waits
    TO_COME = "to come"


class Call(NamedTuple):
    """One call.

    Attributes:
        name: What is called.
        of: On whom: ``"server"`` or ``"handler"``.
        supplier: The class that the look-up finds it in: the student's, or the standard library's.
        column: 0 in the thread that accepts, 1 in another.
        depth: Inside how many calls of its thread.
        state: How it stands.
        begin: When it was made, in seconds on the clock of `time.perf_counter`; None if that is not known.
        seconds: How long it took; None while it runs, or if that is not known.
    """

    name: str
    of: str
    supplier: type | None
    column: int
    depth: int
    state: CallState
    begin: float | None = None
    seconds: float | None = None


class Chain(NamedTuple):
    """The calls of one connection, in the order in which they are made; printed, it is a table.

    Attributes:
        server: The server's class.
        handler: The handler's class; None when what makes handlers is no class.
        threads: The names of the threads; the first accepts.
        calls: The calls.
        is_noted: Whether the calls of this connection were noted at all.
    """

    server: type
    handler: type | None
    threads: tuple[str, ...]
    calls: list[Call]
    is_noted: bool = True

    def __str__(self) -> str:
        lines, column = list[str](), -1
        for call in self.calls:
            if call.column != column:
                column = call.column
                lines.append(f"in {self.threads[column] if column < len(self.threads) else 'a thread of its own'}:")
            took = _duration(call.seconds) if call.seconds is not None else call.state.value
            found_in = call.supplier.__name__ if call.supplier else ""
            lines.append(f"  {'  ' * call.depth + call.name:<28} {found_in:<24} {took}".rstrip())
        if not self.is_noted:
            lines.append("its own calls were not noted: too many clients came in that second")
        return "\n".join(lines)


def chain(
    server: type,
    handler: type | None,
    life: tuple[list[Any], list[Any]],
    lanes: Iterable[tuple[str, list[Any]]],
    held: str = "",
    is_over: bool = False,
    is_noted: bool = True,
) -> Chain:
    """The chain of one connection.

    Args:
        server: The server's class.
        handler: The handler's class.
        life: The marks of how the server was made, and of the thread that serves.
        lanes: For each thread its name and its marks, the thread that accepts first.
        held: The call that is held, in slow motion.
        is_over: Whether the connection has ended, so that nothing is to come.
        is_noted: Whether its calls are noted: else it is not known what is to come.
    """
    known = list(lanes)
    made = list(_read(life[0], 0, 0)) or [_call(name, 0, int(name != "__init__"), CallState.UNSEEN) for name in _MADE]
    serving = list(_read(life[1], 0, 0)) or [_call("serve_forever", 0, 0, CallState.TO_COME)]
    served = [call for at, (_, marks) in enumerate(known) for call in _read(marks, min(at, 1), int(at == 0))]
    served.sort(key=lambda call: call.begin or 0.0)
    calls = [_of(call, "server") for call in made + serving]
    calls += [_of(call, "handler" if call.name in _HANDLER else "server") for call in served]
    if is_noted and not is_over:
        calls += _to_come(server, served, held)
    classes = {"server": server, "handler": handler}
    found = [call._replace(supplier=_supplier(classes[call.of], call.name)) for call in calls]
    return Chain(server, handler, tuple(name for name, _ in known), found, is_noted)


def _call(name: str, column: int, depth: int, state: CallState) -> Call:
    return Call(name, "server", None, column, depth, state)


def _of(call: Call, whose: str) -> Call:
    return call._replace(of=whose)


def _supplier(cls: type | None, name: str) -> type | None:
    return supplier(cls, name) if cls is not None else None


def _read(marks: list[Any], column: int, depth: int) -> Iterator[Call]:
    """The calls of one thread, in the order in which they began."""
    calls, running, when = list[Call](), list[int](), 0.0
    for what, when in _single(marks):
        if isinstance(what, str) and not what.startswith("/"):
            running.append(len(calls))
            calls.append(Call(what, "", None, column, depth + len(running) - 1, CallState.RUNNING, when))
            continue
        for at in _ended(what, calls, running):
            state = CallState.RAISED if what is False else CallState.RETURNED
            calls[at] = calls[at]._replace(state=state, seconds=when - (calls[at].begin or when))
    if running and len(calls) > 1 and calls[running[-1]].name == "__init__" and calls[-1].name == "server_activate":
        # A program's server, which is observed from the first call inside it: the end of the last is as good.
        calls[0] = calls[0]._replace(state=CallState.RETURNED, seconds=when - (calls[0].begin or when))
    return iter(calls)


def _ended(what: Any, calls: list[Call], running: list[int]) -> list[int]:
    """Take those out of `running` that a mark ends: the innermost, or all down to that of a name."""
    if not isinstance(what, str):
        return [running.pop()] if running else []
    outer = max((n for n, at in enumerate(running) if calls[at].name == what[1:]), default=len(running))
    ended = running[outer:]
    del running[outer:]
    return ended


def _single(marks: list[Any]) -> Iterator[tuple[Any, float]]:
    """The marks one by one."""
    marks = list(marks)  # its thread goes on
    for what, when in zip(marks[::2], marks[1::2], strict=False):
        for one in what if isinstance(what, tuple) else (what,):
            yield one, when


def is_threading(server: type) -> bool:
    """Whether this class serves each connection in a thread of its own, with the standard library's names."""
    return supplier(server, "process_request_thread") is not None


def expected(server: type) -> list[Call]:
    """What is called for one connection, in the order in which the standard library does it."""
    threads = is_threading(server)
    calls = [_call(name, 0, depth, CallState.TO_COME) for name, depth in _ACCEPTING]
    if threads:
        calls.append(_call("process_request_thread", 1, 0, CallState.TO_COME))
    for name, depth in _SERVING:
        call = _call(name, int(threads), depth + (0 if threads else 2), CallState.TO_COME)
        calls.append(_of(call, "handler" if name in _HANDLER else "server"))
    return calls


def _to_come(server: type, served: list[Call], held: str) -> list[Call]:
    """What comes after what was called; the first of it is held, in slow motion."""
    calls = expected(server)
    names = [call.name for call in calls]
    last = max((names.index(call.name) for call in served if call.name in names), default=-1)
    rest = calls[last + 1 :]
    if held in names[last + 1 :]:
        rest = calls[names.index(held) :]
    elif held:
        column = served[-1].column if served else 0
        rest.insert(0, _call(held, column, 1, CallState.TO_COME))
    if held:
        rest[0] = rest[0]._replace(state=CallState.HELD)
    return rest


def as_data(one: Chain, offset: float) -> dict[str, Any]:
    """A chain as JSON can hold it; `offset` is what the time of day is ahead of `time.perf_counter`."""
    return {
        "server": [_name(cls) for cls in order(one.server)],
        "handler": [_name(cls) for cls in order(one.handler)] if one.handler else [],
        "threads": list(one.threads),
        "noted": one.is_noted,
        "calls": [
            [
                *(call.name, call.of, _name(call.supplier) if call.supplier else "", call.column, call.depth),
                *(call.state.value, call.begin + offset if call.begin is not None else None, call.seconds),
            ]
            for call in one.calls
        ],
    }


def methods(one: Chain) -> Iterator[tuple[str, type | None, str]]:
    """All that a chain of this server and this handler may call: on whom, the class, the name."""
    calls = [_of(_call(name, 0, 0, CallState.TO_COME), "server") for name in (*_MADE, "serve_forever", "handle_error")]
    for call in (*calls, *expected(one.server)):
        yield call.of, one.server if call.of == "server" else one.handler, call.name


def place_of_method(cls: type | None, name: str) -> Place | None:
    """Where the method `name` of a class is written; None if it is not written in Python."""
    found_in = _supplier(cls, name)
    return place_of(vars(found_in).get(name)) if found_in is not None else None


def _name(cls: type) -> str:
    return cls.__name__[:80]


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.2f} ms"
