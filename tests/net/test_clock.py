"""The thread that ticks: nothing that befalls one, or the machine for a while, leaves the others without it."""

from __future__ import annotations

import errno
import threading
from queue import SimpleQueue

import pytest

from nbserver.net import Clock


class Ticked:
    """Gives, tick by tick, each of its answers: whether to be called again, or what it raises."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.ticks: SimpleQueue[int] = SimpleQueue()

    def tick(self) -> bool:
        self.ticks.put(len(self.answers))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def wait_ticks(self, count: int) -> list[int]:
        return [self.ticks.get(timeout=5) for _ in range(count)]


@pytest.fixture
def clock():
    return Clock("a clock")


def test_ticks_until_it_needs_no_more(clock):
    ticked = Ticked(True, True, False)
    clock.add(ticked)
    clock.add(ticked)
    assert ticked.wait_ticks(3) == [3, 2, 1]


def test_what_is_added_in_its_own_last_tick_ticks_on(clock):
    class Asked(Ticked):
        def tick(self) -> bool:
            if len(self.answers) == 2:
                clock.add(self)  # as a view's request does, in a thread of its own
            return super().tick()

    ticked = Asked(False, False)
    clock.add(ticked)
    assert ticked.wait_ticks(2) == [2, 1]


def test_one_that_fails_is_told_and_ticks_on_and_so_do_the_others(clock, monkeypatch):
    told = SimpleQueue()
    monkeypatch.setattr(threading, "excepthook", told.put)
    failing, other = Ticked(OSError(errno.EMFILE, "too many open files"), False), Ticked(True, True, False)
    clock.add(failing)
    clock.add(other)
    assert (failing.wait_ticks(2), other.wait_ticks(3)) == ([2, 1], [3, 2, 1])
    args = told.get(timeout=5)
    assert (args.exc_value.errno, args.thread.name) == (errno.EMFILE, "a clock")


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), MemoryError()])
def test_fault_25_and_26_without_a_thread_it_begins_when_it_is_asked_again(clock, monkeypatch, error):
    def no_start(thread):
        raise error

    ticked = Ticked(False)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_start)
        clock.add(ticked)
    clock.add(ticked)
    assert ticked.wait_ticks(1) == [1]


def test_a_clock_with_a_shorter_period_is_through_first(clock):
    often, seldom = Ticked(*[True] * 19, False), Ticked(*[True] * 19, False)
    clock.add(seldom)
    Clock("an eager clock", 0.01).add(often)
    often.wait_ticks(20)
    assert seldom.answers
    seldom.wait_ticks(20)


def test_a_clock_that_was_ended_ticks_no_more_whatever_is_added(clock):
    ticked = Ticked(*[True] * 100)
    clock.add(ticked)
    ticked.wait_ticks(1)
    clock.end()
    assert "a clock" not in {thread.name for thread in threading.enumerate()}
    left = len(ticked.answers)
    clock.add(ticked)
    clock.hurry()
    assert "a clock" not in {thread.name for thread in threading.enumerate()}
    assert len(ticked.answers) == left
