"""A lens that is a function of the user's: in a thread of its own, with a deadline, and nobody is held up by it."""

from __future__ import annotations

import threading
import time

import pytest

from nbserver.errors import UsageError
from nbserver.net.lens import Lens

pytestmark = pytest.mark.usefixtures("nothing_left")


def test_names_are_answered_at_once_and_others_refused():
    lens = Lens()
    lens.choose("line")
    assert len(lens.look("a", b"one\ntwo\n", 0).messages) == 2
    for unknown in ("lines", "function", 3, None):
        with pytest.raises(UsageError, match="a lens is one of raw, line"):
            lens.choose(unknown)
    assert lens.name == "line"


def test_a_function_runs_in_a_thread_of_its_own():
    threads = []
    lens = Lens()
    lens.choose(lambda data: threads.append(threading.current_thread()) or [2])
    assert [m.size for m in lens.look("a", b"abcd", 7, patience=5).messages] == [2]
    assert threads[0] is not threading.current_thread()
    assert lens.look("a", b"abcd", 7) is not None and len(threads) == 1, "the same bytes are not asked about again"
    lens.choose("raw")
    lens.choose("function")
    assert lens.look("a", b"abcd", 7).messages


def test_nobody_is_held_up_by_one_that_never_ends_and_it_is_said():
    lens = Lens()

    def endless(data):
        while True:
            pass

    lens.choose(endless)
    began = time.monotonic()
    assert lens.look("a", b"abc", 0) is None
    assert time.monotonic() - began < 0.5
    assert lens.look("a", b"abc", 0, patience=3).trouble == ("late", 1.0)
    lens.choose(lambda data: [3])
    assert lens.look("a", b"abc", 0, patience=5).messages, "it was struck, and the next one has its turn"


def test_meanwhile_what_it_gave_last_is_shown():
    lens, may_go_on = Lens(), threading.Event()

    def slow(data):
        assert len(data) == 1 or may_go_on.wait(5)
        return [1] * len(data)

    lens.choose(slow)
    assert len(lens.look("a", b"1", 0, patience=5).messages) == 1
    assert len(lens.look("a", b"12", 0).messages) == 1
    may_go_on.set()
    assert len(lens.look("a", b"12", 0, patience=5).messages) == 2
