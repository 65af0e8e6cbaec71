"""What threads do with something that they share: races are seen with the naive code, and none where a lock is."""

from __future__ import annotations

import ast
import contextlib
import http.server
import socket
import socketserver
import sys
import threading
import time

import pytest

from nbserver import net
from nbserver.console import Program
from nbserver.errors import UsageError
from nbserver.teach.shared import Span, races, sentence, together, uses_of

pytestmark = pytest.mark.usefixtures("nothing_left")

count = 0
users: list[object] = []
lock = threading.Lock()
tracers: list[object] = []


class Naive(socketserver.BaseRequestHandler):
    def handle(self):
        global count
        while self.request.recv(1024):
            n = count
            time.sleep(0.05)
            count = n + 1
            self.request.sendall(b"ok")


class Locked(socketserver.BaseRequestHandler):
    def handle(self):
        global count
        self.request.recv(1024)
        with lock:
            n = count
            time.sleep(0.05)
            count = n + 1
        self.request.sendall(b"ok")


class Listed(socketserver.BaseRequestHandler):
    def handle(self):
        users.append(self)
        self.request.recv(1024)
        for _ in users:
            time.sleep(0.03)
        users.remove(self)
        self.request.sendall(b"ok")


class OnServer(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.recv(1024)
        n = self.server.seats
        time.sleep(0.05)
        self.server.seats = n - 1
        self.request.sendall(b"ok")


@pytest.fixture
def visited():
    """Serves three clients at once with a handler, while a name is watched; returns what was seen."""
    with contextlib.ExitStack() as stack:

        def visited(handler, name, before=lambda server: None):
            server = stack.enter_context(net.listen(handler))
            before(server.base)
            watch = server.watch_shared(name)
            clients = [stack.enter_context(socket.create_connection(server.address, timeout=5)) for _ in range(3)]
            server.wait_for_connections(3, timeout=5)
            for client in clients:
                client.sendall(b"now")
            assert [client.recv(10) for client in clients] == [b"ok"] * 3
            for client in clients:
                client.close()
            server.journal.wait_for(lambda: not server.observation.live, 5)
            return server, watch

        yield visited


def line_of(text):
    with open(__file__, encoding="utf-8") as source:
        return next(n for n, line in enumerate(source, 1) if text in line)


def test_two_between_reading_and_writing_are_a_race_and_a_change_is_lost(visited, monkeypatch):
    monkeypatch.setitem(globals(), "count", 0)
    _, watch = visited(Naive, "count")
    assert count < 3
    assert {race.is_lost for race in watch.races} >= {True}
    assert {span.number for span in watch.spans} == {1, 2, 3}
    first = line_of("n = count")
    assert {(span.first, span.last, span.writes) for span in watch.spans} == {(first, first + 2, True)}
    assert f"both between reading and writing `count` (lines {first} to {first + 2}): one change is lost" in str(watch)


def test_with_a_lock_there_is_no_race_and_who_waited_is_told(visited, monkeypatch):
    monkeypatch.setitem(globals(), "count", 0)
    _, watch = visited(Locked, "count")
    assert count == 3
    assert watch.races == []
    assert len(watch.spans) == 3
    assert {(wait.text, wait.line) for wait in watch.waits} == {("lock", line_of("with lock:"))}
    assert 1 <= len(watch.waits) <= 2  # on a busy machine one may come when the lock is free
    assert max(wait.end - wait.begin for wait in watch.waits) > 0.05
    assert "waited" in str(watch)


def test_a_list_that_is_changed_while_another_thread_goes_through_it(visited):
    _, watch = visited(Listed, "users")
    told = [sentence("users", race) for race in watch.races]
    assert any("changed `users` while" in text for text in told)
    assert all(not race.is_lost for race in watch.races)


def test_an_attribute_of_the_server(visited):
    server, watch = visited(OnServer, "server.seats", lambda base: vars(base).update(seats=10))
    assert server.base.seats > 7
    assert any(race.is_lost for race in watch.races)


def test_names_that_handlers_may_share(visited):
    server, _ = visited(OnServer, "server.seats", lambda base: vars(base).update(seats=10))
    assert server.shared_names == ["server.seats"]
    assert net.listen(Naive).stop().ended == 0
    with net.listen(Listed) as listed:
        assert listed.shared_names == ["users"]
    with net.listen(http.server.SimpleHTTPRequestHandler, server_class=http.server.ThreadingHTTPServer) as web:
        assert web.shared_names == []


def test_nothing_is_traced_before_and_after_and_one_watch_takes_the_place_of_another(monkeypatch):
    class Tells(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.sendall(b"traced" if sys.gettrace() else b"free")

    def ask(server):
        with socket.create_connection(server.address, timeout=5) as client:
            return client.recv(10)

    with net.listen(Tells).start() as server:
        assert ask(server) == b"free"
        first = server.watch_shared("count")
        assert ask(server) == b"traced"
        second = server.watch_shared("users")
        assert (first.is_on, second.is_on, server.shared) == (False, True, second)
        second.stop()
        second.stop()
        assert ask(server) == b"free"
        last = server.watch_shared("count")
    assert not last.is_on


def test_another_tracer_is_left_alone_and_it_is_said(monkeypatch):
    """A debugger sets its own in the threads: here the handler's server does, before the handler is made."""
    calls = []

    class Debugged(socketserver.ThreadingTCPServer):
        def process_request_thread(self, request, client_address):
            mine = lambda frame, event, arg: calls.append(frame.f_code.co_name)  # noqa: E731
            sys.settrace(mine)
            super().process_request_thread(request, client_address)
            tracers.append(sys.gettrace() is mine)
            sys.settrace(None)

    tracers.clear()
    with net.listen(Naive, server_class=Debugged).start() as server:
        watch = server.watch_shared("count")
        with socket.create_connection(server.address, timeout=5) as client:
            client.sendall(b"x")
            assert client.recv(10) == b"ok"
        server.journal.wait_for(lambda: not server.observation.live, 5)
        deadline = time.monotonic() + 5
        while not tracers and time.monotonic() < deadline:
            time.sleep(0.005)
    assert tracers == [True]
    assert watch.spans == []
    assert "another tracer" in watch.note
    assert "handle" in calls


def test_a_thread_can_be_traced_when_a_program_has_ended():
    """In CPython 3.11 an exception that was taken back from a thread lets each traced thread spin for ever."""
    program = Program(1, lambda: None, "short")
    program.start()
    program.wait_ended(5)
    seen = []

    def nothing():
        pass

    def traced():
        sys.settrace(lambda frame, event, arg: seen.append(event))
        nothing()
        sys.settrace(None)

    thread = threading.Thread(target=traced, daemon=True)
    thread.start()
    thread.join(5)
    assert not thread.is_alive()
    assert "call" in seen


@pytest.mark.parametrize("name", ["", "a b", "a..b", "1", "x" * 101, None, "a.b()"])
def test_what_is_no_name_is_refused(name):
    with net.listen(Naive) as server, pytest.raises(UsageError, match="takes the name of"):
        server.watch_shared(name)


USES = [
    ("n = x", "x", {1: "r"}),
    ("x = n", "x", {1: "w="}),
    ("x += 1", "x", {1: "rw="}),
    ("x = x + 1", "x", {1: "rw="}),
    ("x[1][2] = 3", "x", {1: "w"}),
    ("x[1] += 3", "x", {1: "rw"}),
    ("del x[1]", "x", {1: "w"}),
    ("x.append(1)", "x", {1: "w"}),
    ("x[0].append(1)", "x", {1: "w"}),
    ("x.index(1)", "x", {1: "r"}),
    ("x.name = 1", "x", {1: "w"}),
    ("x.y = 1", "s.y", {1: "w="}),
    ("y = 1", "s.y", {}),
    ("for a in x:\n  pass\n  pass", "x", {1: "r to 3"}),
    ("text.count(1)", "count", {}),
]


@pytest.mark.parametrize(("source", "name", "wanted"), USES, ids=[source for source, _, _ in USES])
def test_what_a_line_does_with_a_name(source, name, wanted):
    found = {}
    for line, use in uses_of(ast.parse(source), name).lines.items():
        letters = "r" * use.reads + "w" * use.writes + "=" * use.assigns
        found[line] = letters + (f" to {use.until}" if use.until > line else "")
    assert found == wanted


def test_guards_are_the_with_around_a_use_and_acquire_before_it():
    source = "def f():\n  with a.lock:\n    x = 1\n  with other: pass\ndef g():\n  lock.acquire()\n  x = 2\n"
    guards = uses_of(ast.parse(source), "x").guards
    assert {line: guard.text for line, guard in guards.items()} == {2: "a.lock", 6: "lock.acquire()"}


def test_only_different_threads_that_overlap_and_write_are_a_race():
    one, two = Span(1, 0.0, 1.0, 5, 7, writes=True), Span(2, 0.5, 1.5, 5, 7)
    assert [(race.one.number, race.other.number, race.begin, race.end) for race in races([two, one], 9.0)] == [
        (1, 2, 0.5, 1.0)
    ]
    assert races([Span(1, 0.0, 1.0, 5, 5), two], 9.0) == []
    assert races([one, Span(1, 0.5, 1.5, 5, 7, writes=True)], 9.0) == []
    assert races([one, Span(2, 1.0, 1.5, 5, 7, writes=True)], 9.0) == []
    assert together([one, two, Span(3, 9.0, None, 5, 5)]) == [Span(3, 9.0, None, 5, 5)]
