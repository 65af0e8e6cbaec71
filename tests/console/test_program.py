"""A program in a sibling thread: typed ahead, ended from outside, its error kept."""

from __future__ import annotations

import asyncio
import gc
import re
import socket
import sys
import threading
import time

import pytest

from nbserver import console
from nbserver.console import Program
from nbserver.errors import InputClosed, NotHeard
from nbserver.events import Kind

pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.fixture
def run():
    """Starts a function as a program; ends it after the test."""
    made = []

    def start(function, inherited=()):
        program = Program(1, function, "a program", inherited)
        made.append(program)
        program.start()
        return program

    yield start
    for program in made:
        program.close()
        program.wait_ended(5)
        program.thread.join(5)
        assert not program.thread.is_alive()
    assert not console.is_routed()


@pytest.fixture
def no_collection():
    """No destructor and no weak reference's callback runs in a program that is struck: Python prints what it gets."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def told(program, kind):
    return [e.data.decode() for e in program.transcript if e.kind is kind]


def test_what_it_prints_and_asks_is_its_own(run, capfd):
    program = run(lambda: print("hello", input("name? ")))
    assert program.wait_waiting(5)
    program.answer("you")
    program.wait_ended(5)
    assert (program.error, program.has_ended) == (None, True)
    assert told(program, Kind.PRINTED) == ["hello you"]
    assert [re.sub(r"[\d.]+", "0", text) for text in told(program, Kind.CLOSED)] == ["ended after 0 s"]
    assert not console.is_routed()  # whoever has waited for the end finds everything put back
    assert capfd.readouterr() == ("", "")


def test_what_is_typed_before_it_is_asked_for_is_kept(run):
    go = threading.Event()
    program = run(lambda: (go.wait(), print(input("1 "), input("2 "))))
    assert program.answer("one") and program.answer("two")
    go.set()
    program.wait_ended(5)
    assert told(program, Kind.PRINTED) == ["one two"]
    assert [e.kind for e in program.transcript][:4] == [Kind.ASKED, Kind.ANSWERED, Kind.ASKED, Kind.ANSWERED]
    with pytest.raises(InputClosed, match="a program has ended"):
        program.answer("too late")


def test_its_error_is_kept(run):
    program = run(lambda: 1 / 0)
    program.wait_ended(5)
    assert isinstance(program.error, ZeroDivisionError)
    assert "ZeroDivisionError: division by zero" in told(program, Kind.ERROR)[0]
    ends = [re.sub(r"[\d.]+", "0", text) for text in told(program, Kind.CLOSED)]
    assert ends == ["ended by ZeroDivisionError after 0 s"]


@pytest.mark.parametrize("leave", [lambda: sys.exit(3), lambda: exit(0)])
def test_exit_ends_it_quietly(run, leave):
    program = run(leave)
    program.wait_ended(5)
    assert program.error is None
    assert told(program, Kind.ERROR) == []


def test_wait_ended_gives_up(run):
    program = run(input)
    with pytest.raises(NotHeard, match=r"a program has not ended within 0\.01 s"):
        program.wait_ended(0.01)


def receives():
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as client:
        print("ready")
        client.recv(1)
        print("went on")


def reads_lines():
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as client:
        file = client.makefile()
        print("ready")
        file.readline()
        print("went on")


def accepts():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print("ready")
        listener.accept()
        print("went on")


def sends():
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as client:
        print("ready")
        client.sendall(b"x" * 50_000_000)
        print("went on")


def asks():
    print("ready")
    input()
    print("went on")


def serves_with_asyncio():
    async def serve():
        server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        print("ready")
        await server.serve_forever()

    asyncio.run(serve())
    print("went on")


def computes():
    print("ready")
    while True:
        pass


def never_gives_up():
    print("ready")
    try:
        while True:
            time.sleep(0.001)
    finally:
        print("cleaned up")


PROGRAMS = [receives, reads_lines, accepts, sends, asks, serves_with_asyncio, computes, never_gives_up]


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("function", PROGRAMS)
@pytest.mark.parametrize("turn", range(3))
def test_close_ends_it_wherever_it_is(run, function, turn):
    program = run(function)
    deadline = time.monotonic() + 5
    while told(program, Kind.PRINTED) != ["ready"]:
        assert time.monotonic() < deadline
        time.sleep(0.001)  # until it has come there; printing announces nothing
    if function is asks:
        assert program.wait_waiting(5)
    program.close()
    program.close()
    program.wait_ended(2)
    assert program.error is None, told(program, Kind.ERROR)
    assert "went on" not in told(program, Kind.PRINTED)
    assert (told(program, Kind.PRINTED)[1:] == ["cleaned up"]) is (function is never_gives_up)


def test_close_ends_a_program_that_swallows_the_first_stroke(run):
    struck = threading.Event()

    def swallows():
        try:
            print("ready")
            struck.set()
            while True:
                pass
        except SystemExit:
            pass
        while True:
            pass

    program = run(swallows)
    assert struck.wait(5)
    program.close()
    program.wait_ended(5)
    assert program.error is None


def test_a_clean_up_is_left_alone(run):
    struck = threading.Event()

    def cleans_up():
        try:
            struck.set()
            while True:
                pass
        finally:
            time.sleep(0.3)  # longer than the time to the next stroke
            print("done")

    program = run(cleans_up)
    assert struck.wait(5)
    program.close()
    program.wait_ended(5)
    assert told(program, Kind.PRINTED) == ["done"]


@pytest.mark.usefixtures("no_collection")
def test_close_leaves_alone_what_it_has_inherited(run):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        go = threading.Event()

        def uses(sock=theirs):
            sock.settimeout(5)
            go.set()
            while True:
                sock.send(b"x")
                time.sleep(0.001)

        program = run(uses, inherited=[theirs])
        assert go.wait(5)
        program.close()
        program.wait_ended(5)
        theirs.send(b"y")  # still open
        assert ours.recv(1_000_000).endswith(b"y")


def test_close_in_a_race_with_its_own_end(run):
    for turn in range(300):
        program = Program(1, lambda: None, "short")
        program.start()
        for _ in range(turn % 5):
            program.close()
        program.close()
        program.wait_ended(5)
        program.thread.join(5)
    assert not console.is_routed()


def test_close_before_the_start():
    Program(1, input, "never started").close()


def test_a_start_that_fails_leaves_nothing(monkeypatch):
    def no_start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_start)
    with pytest.raises(RuntimeError):
        Program(1, input, "never started").start()
    assert not console.is_routed()
