"""Which console does this thread speak to? A handler's thread serves one connection, a client's program one client."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Speaker(Protocol):
    """What a thread's ``input()`` and ``print()`` are given to."""

    def ask(self, prompt: str) -> str:
        """Wait for an answer. Raises `nbserver.errors.InputClosed` when none can come any more."""

    def write(self, text: str) -> int:
        """Take what was printed; returns its length in characters."""


class _Here(threading.local):
    speaker: Speaker | None = None
    owner: Speaker | None = None  # inside `aside`: who the speaker was


_here = _Here()


def current() -> Speaker | None:
    """Who this thread speaks to, or None: then ``input()`` and ``print()`` go where they always went.

    Thread: any; each has its own answer.
    """
    return _here.speaker


def enter(speaker: Speaker | None) -> Speaker | None:
    """Let this thread speak to `speaker`; returns who it spoke to before, to be entered again afterwards."""
    previous = _here.speaker
    _here.speaker = speaker
    return previous


@contextmanager
def speaking_to(speaker: Speaker) -> Iterator[None]:
    """Let this thread speak to `speaker` inside the ``with`` block."""
    previous = enter(speaker)
    try:
        yield
    finally:
        enter(previous)


def owner() -> Speaker | None:
    """Who this thread speaks to, inside `aside` as well. Thread: any; each has its own answer."""
    speaker = _here.speaker
    return _here.owner if speaker is None else speaker


@contextmanager
def aside() -> Iterator[None]:
    """Let this thread speak to nobody inside the ``with`` block: what is written there goes to its own place.

    For a while only: `owner` still knows whose thread it is.
    """
    before = _here.speaker, _here.owner
    _here.speaker, _here.owner = None, owner()
    try:
        yield
    finally:
        _here.speaker, _here.owner = before
