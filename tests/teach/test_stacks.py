"""Where a thread is: the call of C that it is in, on every Python."""

from __future__ import annotations

import queue
import socket
import sys
import threading
import time

import pytest

from nbserver.teach import stacks


class Holder:
    def __getattr__(self, name):
        raise AssertionError(f"{name} was asked for")


ours, theirs = socket.socketpair()
holder = Holder()
holder.sock = ours
lock = threading.Lock()
things = queue.SimpleQueue()


def attribute():
    print(holder.sock.recv(1024).decode())


def argument():
    theirs.send(ours.recv(10)[:0])


def chinese():
    "你好", time.sleep(5)  # noqa: B018 - columns are in bytes


def block():
    with lock:
        pass


def keywords():
    things.get(timeout=5)


def lines():
    ours.recv(
        1024,
    )


CALLS = [
    (attribute, "recv", ("holder", "sock"), ours),
    (argument, "recv", ("ours",), ours),
    (chinese, "sleep", ("time",), time),
    (block, "__enter__", ("lock",), lock),
    (keywords, "get", ("things",), things),
    (lines, "recv", ("ours",), ours),
]


@pytest.mark.parametrize(("function", "name", "on", "value"), CALLS, ids=[call[0].__name__ for call in CALLS])
def test_the_call_of_c_that_a_thread_is_in_and_what_it_is_called_on(function, name, on, value):
    lock.acquire()
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while True:
        frame = sys._current_frames().get(thread.ident)
        if frame is not None and frame.f_code is function.__code__ and stacks.call_in(frame).name == name:
            break
        assert time.monotonic() < deadline
        time.sleep(0.005)  # between two looks
    assert stacks.call_in(frame) == (name, on)
    assert stacks.value_of(frame, on) is value
    lock.release()
    if value is things:
        things.put(None)
    if value is ours:
        theirs.send(b"x")
    if function is not chinese:
        thread.join(10)


def test_what_is_not_found_is_none_and_nothing_is_asked_for():
    frame = sys._getframe()
    assert stacks.value_of(frame, ("holder", "nothing")) is None
    assert stacks.value_of(frame, ()) is None
