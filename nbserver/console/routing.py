"""Makes ``input()``, ``getpass()``, ``sys.stdin`` and ``print()`` look which thread calls.

A thread that speaks to a console (see `nbserver.context`) reaches that console; every other thread reaches what was
there before. Installed while somebody needs it (`acquire`, `release`), and undone without a trace.
"""

from __future__ import annotations

import builtins
import getpass
import os
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from .. import context
from ..errors import InputClosed
from .console import Console

Function = TypeVar("Function", bound=Callable[..., Any])


def routed_input(original: Callable[..., str]) -> Callable[..., str]:
    """An ``input`` that asks the thread's console, or else calls `original`."""

    def input(prompt: object = "", /) -> str:
        speaker = context.current()
        return original(prompt) if speaker is None else speaker.ask(str(prompt))

    return routed(input, original)


def routed_getpass(original: Callable[..., str]) -> Callable[..., str]:
    """A ``getpass`` that asks the thread's console, or else calls `original`; the answer is not written anywhere."""

    def getpass(prompt: str = "Password: ", stream: Any = None, **options: Any) -> str:
        speaker = context.current()
        if speaker is None:
            return original(prompt, stream, **options)
        return speaker.ask(prompt, secret=True) if isinstance(speaker, Console) else speaker.ask(prompt)

    return routed(getpass, original)


class _Write:
    """What ``stream.write`` is: the thread's console, or else `inner`."""

    __slots__ = ("inner",)

    def __init__(self, inner: Callable[..., Any]) -> None:
        self.inner = inner

    def __call__(self, text: str, *args: Any, **options: Any) -> Any:
        speaker = context.current()
        return self.inner(text, *args, **options) if speaker is None else speaker.write(text)


class RoutedStream:
    """Stands for ``sys.stdout`` or ``sys.stderr``: a thread with a console prints there, all else is the original's.

    IPython 9 replaces ``sys.stdout.write`` around each cell and restores what it found: hence `write` is a property
    whose setter takes our own wrapper off again, or it would call itself, or grow by one layer a cell.
    """

    def __init__(self, base: Any) -> None:
        self.__dict__["_base"] = base
        self.__dict__["_write"] = _Write(self._base_write)

    def _base_write(self, text: str, *args: Any, **options: Any) -> Any:
        # Looked up at each call: somebody may replace `write` on the stream itself.
        return self._base.write(text, *args, **options)

    @property
    def write(self) -> _Write:
        """Print there, or as the stream does."""
        return self.__dict__["_write"]  # type: ignore[no-any-return]

    @write.setter
    def write(self, value: Callable[..., Any]) -> None:
        self.__dict__["_write"] = value if isinstance(value, _Write) else _Write(value)

    def writelines(self, lines: Iterable[str]) -> None:
        """As `write`, one after the other."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Make a line of what was printed without a line end."""
        speaker = context.current()
        if speaker is None:
            self._base.flush()
        elif isinstance(speaker, Console):
            speaker.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_base"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "write":
            RoutedStream.write.__set__(self, value)  # type: ignore[attr-defined]
        else:
            setattr(self._base, name, value)


class RoutedStdin:
    """Stands for ``sys.stdin``: a thread with a console reads lines from there, all else is the original's."""

    def __init__(self, base: Any) -> None:
        self._base = base

    def readline(self, *args: Any) -> Any:
        """A line that was typed there, or as the stream does."""
        speaker = context.current()
        if speaker is None:
            return self._base.readline(*args)
        try:
            return speaker.ask("") + "\n"
        except InputClosed:
            raise
        except EOFError:  # the person has ended the input: a file says so with an empty line
            return ""

    def __iter__(self) -> Any:
        return iter(self._base) if context.current() is None else iter(self.readline, "")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_base"], name)


class _Patch:
    """One attribute that is replaced, and put back if it is still ours."""

    def __init__(self, owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
        self.owner, self.name = owner, name
        self.original = _without_ours(getattr(owner, name))
        self.ours = wrap(self.original)

    def apply(self) -> None:
        setattr(self.owner, self.name, self.ours)

    def undo(self) -> None:
        # Not ours any more: somebody replaced it while we were here (a captured stdout, say) and holds ours as what
        # they will put back. Ours passes everything on, so what they put back works.
        found = getattr(self.owner, self.name)
        if found is self.ours:
            setattr(self.owner, self.name, self.original)
        elif getattr(found, "is_routed", False):
            # A kernel puts its own in place around every cell, and what it put was routed, too: see
            # nbserver.kernel.bridge.
            setattr(self.owner, self.name, found.original)


class Patches:
    """What is replaced now. At every moment `undo` puts back all of it: a fork may come in the middle of anything."""

    def __init__(self) -> None:
        self._patches: list[_Patch] = []

    def put(self, owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
        """Replace attribute `name` of `owner` by what `wrap` makes of it; `wrap` marks a function with `routed`."""
        self._patches.append(_Patch(owner, name, wrap))
        self._patches[-1].apply()

    def undo(self) -> None:
        """Put everything back."""
        while self._patches:
            self._patches[-1].undo()
            self._patches.pop()

    def __bool__(self) -> bool:
        return bool(self._patches)


def routed(ours: Function, original: Callable[..., Any]) -> Function:
    """Mark a function of ours as what stands for `original`; returns it."""
    ours.__doc__ = original.__doc__
    ours.original, ours.is_routed = original, True  # type: ignore[attr-defined]
    return ours


def _without_ours(value: Any) -> Any:
    """What is below our own wrappers of an earlier time, which somebody put back when they were not needed any more."""
    while isinstance(value, (RoutedStream, RoutedStdin)) or getattr(value, "is_routed", False) is True:
        value = vars(value)["_base" if isinstance(value, (RoutedStream, RoutedStdin)) else "original"]
    return value


# Counted: two servers and a client need one installation; whoever needs it last takes it away.
_lock = threading.RLock()
_users = 0
_patches = Patches()
_others: list[tuple[Callable[[], None], Callable[[], None]]] = []


def _patch_all() -> None:
    _patches.put(builtins, "input", routed_input)
    _patches.put(getpass, "getpass", routed_getpass)
    for name, stand_in in (("stdout", RoutedStream), ("stderr", RoutedStream), ("stdin", RoutedStdin)):
        if getattr(sys, name) is not None:  # Python without a terminal has none
            _patches.put(sys, name, stand_in)


def acquire() -> None:
    """Say that routing is needed from now on. Thread: any."""
    global _users
    with _lock:
        if _users == 0:
            for install, _ in _others:
                install()
            _patch_all()
        _users += 1


def release() -> None:
    """Say that one need has ended; with the last, everything is as it was. Thread: any."""
    global _users
    with _lock:
        if _users == 0:
            return  # in a forked child, where everything is undone, what began in the parent comes to its end
        _users -= 1
        if _users == 0:
            _undo_all()


def _undo_all() -> None:
    _patches.undo()
    for _, undo in reversed(_others):
        undo()


def _after_fork() -> None:
    """In a forked child: nobody serves here, so everything is as it was, for the one thread that goes on as well."""
    global _lock, _users
    _lock = threading.RLock()  # another thread, which is not here, may have held it
    context.enter(None)
    if _users or _patches:
        _users = 0
        _undo_all()


def is_routed() -> bool:
    """Whether routing is installed now."""
    return _users > 0


def also(install: Callable[[], None], undo: Callable[[], None]) -> None:
    """Have `install` called before routing begins and `undo` after it ends: a kernel has hooks of its own.

    Register before the first `acquire`; registering the same pair again does nothing.
    """
    with _lock:
        if (install, undo) not in _others:
            _others.append((install, undo))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
