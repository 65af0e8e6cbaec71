"""Slow motion: each step of the call chain waits until somebody says "next"."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ..errors import NotHeard
from ..events import Kind, text_event
from ..journal import Journal
from .steps import Lane

if TYPE_CHECKING:
    pass


class SlowMotion:
    """Who is held before which step.

    Thread: any. A thread that is held sleeps on an event of its own, so that one is let go and the others stay.

    Attributes:
        is_on: Whether all connections are held, those to come included.
        is_used: Whether anybody may be held: asked at each step, before anything else is.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        # Reentrant, because a signal handler may stop the server in a thread that holds it. "Is it slow, then it is
        # held" is one step: else whoever leaves slow motion could overlook one that is about to be held.
        self._lock = threading.RLock()
        self._held: dict[Lane, tuple[str, threading.Event]] = {}
        self._is_over = False
        self.is_on = self.is_used = False

    # ── in the thread that calls the step ──

    def hold(self, lane: Lane, step: str) -> None:
        """Wait before `step`, if this lane is slow."""
        go = threading.Event()
        with self._lock:
            if not self.is_slow(lane):
                return
            self._held[lane] = step, go
        self._journal.announce(text_event(Kind.STEP, time.time(), lane.number, f"held before {step}()"))
        try:
            go.wait()
        finally:  # Ctrl-C in the main thread, which serves itself
            with self._lock:
                self._held.pop(lane, None)

    # ── what people do ──

    def begin(self, lanes: Iterable[Lane] | None = None) -> None:
        """Hold the steps of these lanes, or of all; nothing after the end of the server."""
        if self._is_over:
            return
        lanes = lanes if lanes is None else list(lanes)
        with self._lock:
            self.is_used = True
            has_changed = self._set(lanes, True)
        self._tell_of(has_changed, "slow motion: each step waits for next()")

    def leave(self, lanes: Iterable[Lane] | None = None) -> None:
        """Let these go on, or all, at full speed."""
        lanes = lanes if lanes is None else list(lanes)
        with self._lock:
            has_changed = self._set(lanes, False)
            self._let_go(lanes)
            if lanes is None:
                self.is_used = False
        self._tell_of(has_changed, "slow motion has ended")

    def _set(self, lanes: Iterable[Lane] | None, is_slow: bool) -> bool:
        """Returns whether that is news of the server as a whole."""
        if lanes is None:
            was_on, self.is_on = self.is_on, is_slow
            return was_on is not is_slow
        for lane in lanes:
            lane.is_slow = is_slow
        return False

    def _tell_of(self, has_changed: bool, text: str) -> None:
        # Without our lock: who waits for the journal looks at us with the journal's.
        if has_changed:
            self._journal.announce(text_event(Kind.STEP, time.time(), 0, text))
        else:
            self._journal.wake()

    def end(self) -> None:
        """The server ends: nobody is held any more, and nobody will be."""
        self._is_over = True
        if self.is_used:
            self.leave()

    def next(self, lanes: Callable[[], Iterable[Lane] | None], timeout: float) -> dict[int, str]:
        """Let the step go that each of these lanes, or of all, is held before; waits until there is one.

        Args:
            lanes: Asked at each look: a connection's second thread may have a lane only then.
            timeout: In seconds.

        Returns:
            The steps by the numbers of their connections, 0 for the accept loop's next client.

        Raises:
            NotHeard: None was held in time.
        """
        went: dict[int, str] = {}

        def look() -> bool:
            with self._lock:
                went.update(self._let_go(lanes()))
            return bool(went)

        if not self._journal.wait_for(look, timeout):
            raise NotHeard("no step is held: begin slow_motion() first, and wait until a call is made")
        return went

    def _let_go(self, lanes: Iterable[Lane] | None) -> dict[int, str]:
        went = {}
        for lane in list(self._held) if lanes is None else lanes:
            step, go = self._held.pop(lane, ("", None))
            if go is not None:
                went[lane.number] = step
                go.set()
        return went

    # ── what is known ──

    def is_slow(self, lane: Lane) -> bool:
        """Whether the steps of this lane are held."""
        return not self._is_over and (self.is_on if lane.is_slow is None else lane.is_slow)

    @property
    def held(self) -> dict[int, str]:
        """Before which step who is held, by the connection's number; 0 is the accept loop, for its next client."""
        with self._lock:
            return {lane.number: step for lane, (step, _) in self._held.items()}

    def is_held(self, number: int) -> bool:
        """Whether connection `number` is held."""
        return bool(self.of_number(number))

    def holds(self, thread: str) -> bool:
        """Whether the thread of this name is held, for whomever."""
        with self._lock:
            return any(lane.thread == thread for lane in self._held)

    def of_number(self, number: int) -> list[Lane]:
        """The lanes that are held of connection `number`, or of the accept loop's next client."""
        with self._lock:
            return [lane for lane in self._held if lane.number == number]

    def step_of(self, lanes: Iterable[Lane]) -> str:
        """The step that one of these lanes is held before, or ""."""
        with self._lock:
            return next((self._held[lane][0] for lane in lanes if lane in self._held), "")

    def after_fork(self) -> None:
        """In a forked child: whoever held the lock is not here, and nobody is held."""
        self._lock, self._held = threading.RLock(), {}
        self._is_over, self.is_used = True, False


def wait_held(journal: Journal, held: Callable[[], Any], timeout: float) -> Any:
    """What `held` gives, as soon as that is something. Raises `NotHeard` when it is not in time."""
    found: list[Any] = []

    def look() -> bool:
        found[:] = [held()]
        return bool(found[0])

    if not journal.wait_for(look, timeout):
        raise NotHeard(f"nothing was held before a call within {timeout} s")
    return found[0]
