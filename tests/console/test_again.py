"""A program that is run again: the same program, fresh; and the end of its input."""

from __future__ import annotations

import re
import socket
import sys
import threading

import pytest

from nbserver import console
from nbserver.console import Program
from nbserver.errors import InputClosed, NotHeard, UsageError
from nbserver.events import Kind

pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.fixture
def run():
    """Starts a function as a program; ends it after the test."""
    made = []

    def start(function):
        program = Program(1, function, "a program")
        made.append(program)
        program.start()
        return program

    yield start
    for program in made:
        program.close()
        program.wait_ended(5)
    assert not console.is_routed()


def ask():
    return input()  # looked up when it runs: then it is the console's


def told(program, *kinds):
    return [e.data.decode() for e in program.transcript if e.kind in kinds]


def test_it_runs_again_below_what_it_has_shown(run):
    program = run(lambda: print(input("name? ")))
    assert program.wait_waiting(5)
    program.answer("Anna")
    program.wait_ended(5)
    program.run_again()
    assert program.wait_waiting(5) and (program.runs, program.has_ended) == (2, False)
    program.answer("Bo")
    program.wait_ended(5)
    lines = told(program, Kind.PRINTED, Kind.OPENED, Kind.CLOSED)
    lines = [re.sub(r"after [\d.]+ s", "after a while", line) for line in lines]
    assert lines == ["Anna", "ended after a while", "run 2", "Bo", "ended after a while"]


def test_one_that_runs_is_ended_first_and_what_was_typed_ahead_is_forgotten(run):
    program = run(lambda: print(input(), input()))
    assert program.wait_waiting(5)
    first = program.thread
    program.answer("one")
    assert program.wait_waiting(5)
    program.run_again()
    first.join(5)
    assert not first.is_alive() and program.wait_waiting(5)
    program.answer("two")
    program.answer("ahead")
    program.wait_ended(5)
    assert told(program, Kind.PRINTED) == ["two ahead"]
    assert "stopped after" in told(program, Kind.CLOSED)[0]


def test_the_error_of_the_run_before_is_forgotten(run):
    failures = [ValueError("once")]

    def program():
        if failures:
            raise failures.pop()

    program = run(program)
    program.wait_ended(5)
    assert isinstance(program.error, ValueError)
    program.run_again()
    program.wait_ended(5)
    assert program.error is None


def test_two_who_ask_at_once_leave_one_that_runs(run):
    program = run(ask)
    threads = [threading.Thread(target=program.run_again) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert program.wait_waiting(5) and program.runs == 3
    assert sum(thread.name == "a program" for thread in threading.enumerate()) == 1


def test_one_that_cannot_be_ended_is_not_run_twice(run):
    lock = threading.Lock()
    lock.acquire()
    program = run(lock.acquire)  # nothing wakes it
    with pytest.raises(NotHeard, match="has not ended"):
        program.run_again()
    assert program.runs == 1
    lock.release()


def test_it_cannot_run_itself_again(run):
    ready = threading.Event()

    def own():
        ready.wait(5)
        program.run_again()

    program = run(own)
    ready.set()
    program.wait_ended(5)
    assert isinstance(program.error, UsageError)


@pytest.mark.parametrize(
    ("code", "number", "printed", "how"),
    [(None, 0, [], "ended"), (0, 0, [], "ended"), (3, 3, [], "exit code 3"), ("no", 1, ["no"], "exit code 1")],
)
def test_exit_means_what_it_means_for_a_process(run, code, number, printed, how):
    program = run(lambda: sys.exit(code))
    program.wait_ended(5)
    assert (program.exit_code, program.error, told(program, Kind.PRINTED)) == (number, None, printed)
    assert told(program, Kind.CLOSED)[0].startswith(f"{how} after ")


def test_the_end_of_its_input_is_an_error_as_in_a_terminal(run):
    program = run(lambda: input("name? "))
    assert program.wait_waiting(5)
    program.end_input()
    program.wait_ended(5)
    assert type(program.error) is EOFError
    with pytest.raises(InputClosed):
        program.end_input()


def test_the_end_of_its_input_ends_the_reading_of_lines(run):
    program = run(lambda: print([line for line in sys.stdin]))
    assert program.wait_waiting(5)
    program.answer("one")
    assert program.wait_waiting(5)
    program.end_input()
    program.wait_ended(5)
    assert told(program, Kind.PRINTED) == [r"['one\n']"]


def test_its_traceback_holds_its_own_lines_only(run):
    def wrong():
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = free.getsockname()
        with socket.socket() as sock:
            sock.connect(address)

    program = run(wrong)
    program.wait_ended(5)
    report = told(program, Kind.ERROR)[0]
    assert report.count("File ") == 1 and "in wrong" in report
    assert report.endswith("Connection refused\n")
