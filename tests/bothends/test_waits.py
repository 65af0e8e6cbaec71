"""Who waits for whom: found for what nbserver makes, and for unchanged programs, in every call that waits."""

from __future__ import annotations

import contextlib
import queue
import socket
import socketserver
import threading
import time

import pytest

from nbserver import net
from nbserver.bothends import two_loops, who_waits
from nbserver.bothends.calls import Why
from nbserver.bothends.picture import picture_of
from nbserver.bothends.waits import NEXT, YOU, Who, who_is
from nbserver.console import Program
from nbserver.fleet import Client, enlist
from nbserver.widgets.requests import target_of

pytestmark = pytest.mark.usefixtures("nothing_left")
PATIENCE = 10.0


class Asking(socketserver.BaseRequestHandler):
    def handle(self):
        while self.request.recv(1024):
            self.request.sendall(input("answer> ").encode())


@pytest.fixture
def textbook(fleet):
    """Runs the tutorial's client against a server."""

    def textbook(server, program=None):
        def talk():
            with socket.socket() as client:
                client.connect(server.address)
                answer = b"-"
                with contextlib.suppress(ConnectionError):  # the server was stopped with a message unread
                    while answer:
                        client.send(input("> ").encode())
                        answer = client.recv(1024)

        made = enlist(lambda number: Program(number, program or talk, f"client {number}: program"))
        fleet.add(made)
        made.start()
        return made

    return textbook


def until(look, patience=PATIENCE):
    """What `look` gives, as soon as it is something; looked again and again."""
    deadline = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < deadline, who_waits()
        time.sleep(0.01)  # between two looks
    return found


def wait_of(who, why, whom=None):
    """The wait of somebody, once it waits for that (and for `whom`: a moment after its connect() a client is known)."""
    return until(lambda: (wait := who_waits().of(who)) and wait.why is why and whom in (None, wait.whom) and wait)


def test_each_end_says_the_call_the_line_and_whom_it_waits_for(textbook):
    with net.listen(Asking) as server:
        client = textbook(server)
        (connection,) = server.wait_for_connections(1, PATIENCE)
        there = wait_of(connection, Why.RECEIVE, who_is(client))
        assert (there.call, there.line.text) == ("recv", "while self.request.recv(1024):")
        here = wait_of(client, Why.PERSON)
        assert (here.call, here.whom, here.line.text) == ("input", YOU, 'client.send(input("> ").encode())')
        loop = wait_of(server, Why.CLIENT)
        assert (loop.call, loop.whom) == ("select", NEXT)
        client.answer("hello")
        wait_of(connection, Why.PERSON)
        connection.wait_waiting(PATIENCE)
        assert wait_of(connection, Why.PERSON).since == connection.question.since
        wait_of(client, Why.RECEIVE, who_is(connection))
        assert "waits in input() for you" in str(who_waits(server))


def test_who_is_held_in_slow_motion_waits_for_you():
    with net.listen(Asking) as server, socket.create_connection(server.address) as client:
        (connection,) = server.wait_for_connections(1, PATIENCE)
        wait_of(connection, Why.RECEIVE)
        server.slow_motion()
        client.shutdown(socket.SHUT_WR)
        assert str(wait_of(connection, Why.HELD, YOU)).startswith("#1 is held before finish(), ")
        with socket.create_connection(server.address):
            loop = wait_of(server, Why.HELD, YOU)
            assert str(loop).startswith("the accept loop is held before _handle_request_noblock(), ")
            loops = two_loops(server, 1)
            assert (loops["outer"]["state"], loops["inner"]["why"], loops["inner"]["call"]) == (
                "held",
                "held",
                "finish",
            )
            server.slow_motion(False)
            connection.wait_closed(PATIENCE)


def test_two_who_wait_in_recv_for_each_other_are_a_circle_until_one_speaks(textbook):
    def silent():
        with socket.create_connection(server.address) as client:
            client.recv(1024)
            client.sendall(b"after you")
            client.recv(1024)

    with net.listen(Asking) as server:
        client = textbook(server, silent)
        (connection,) = server.wait_for_connections(1, PATIENCE)
        (circle,) = until(lambda: who_waits(server).cycles)
        assert {wait.who for wait in circle} == {who_is(connection), who_is(client)}
        assert {wait.line.text for wait in circle} == {"client.recv(1024)", "while self.request.recv(1024):"}
        connection.send(b"go on")
        wait_of(connection, Why.PERSON)
        assert who_waits(server).cycles == []


def test_an_empty_message_of_either_end_sends_nothing_and_is_named(textbook):
    with net.listen(Asking) as server:
        one, two = textbook(server), textbook(server)
        server.wait_for_connections(2, PATIENCE)
        one.wait_waiting(PATIENCE)
        two.wait_waiting(PATIENCE)
        one.answer("")
        two.answer("a question")
        two.connection.wait_waiting(PATIENCE)
        two.connection.reply("")
        until(lambda: len(who_waits(server).cycles) == 2)
        empty = {wait.who for wait in who_waits(server) if wait.is_empty}
        assert empty == {who_is(one), who_is(two.connection)}


def test_a_client_that_can_be_spoken_to_is_in_no_deadlock(fleet):
    with net.listen(Asking) as server:
        client = enlist(lambda number: Client(number, target_of(server)))
        fleet.add(client)
        client.start()
        (connection,) = server.wait_for_connections(1, PATIENCE)
        there = wait_of(connection, Why.RECEIVE)
        assert who_waits().of(client).whom == who_is(connection)
        until(lambda: time.time() - there.since > 0.5)
        assert who_waits(server).cycles == []


def test_who_waits_in_the_backlog_waits_for_the_loop_that_serves_one_itself(textbook):
    with net.listen(Asking, server_class=socketserver.TCPServer) as server:
        clients = [textbook(server) for _ in range(3)]
        (connection,) = server.wait_for_connections(1, PATIENCE)
        serving = wait_of(server, Why.SERVE)
        assert serving.whom == who_is(connection)
        others = [client for client in clients if client.connection is not connection]
        for client in others:
            client.wait_waiting(PATIENCE)
            client.answer("me too")
            wait_of(client, Why.RECEIVE, who_is(server))
        assert who_waits(server).backlog == {server.address_text: [who_is(client) for client in others]}
        assert f"{who_is(others[0])} is connected to {server.address_text}, and not yet accepted" in str(who_waits())


def test_a_sendall_that_is_blocked_says_how_far_what_was_sent_has_come(textbook):
    read = threading.Event()

    class Sends(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.sendall(b"x" * 1000)
            self.request.sendall(b"x" * 30_000_000)

    def reads_late():
        with socket.create_connection(server.address) as client:
            client.recv(400)
            read.wait()

    with net.listen(Sends) as server:
        client = textbook(server, reads_late)
        (connection,) = server.wait_for_connections(1, PATIENCE)
        wait_of(client, Why.EVENT)
        assert wait_of(connection, Why.SEND, who_is(client)).call == "sendall"
        carried = until(lambda: (now := who_waits().of(connection).carried).read == 400 and now)
        assert (carried.sent, carried.sending) == (1000, 30_000_000)
        assert carried.read + carried.unread + carried.queued == 30_001_000
        read.set()


def test_a_broadcast_waits_for_the_one_who_does_not_read(textbook):
    there = []

    class Broadcasts(socketserver.BaseRequestHandler):
        def handle(self):
            there.append(self.request)
            while self.request.recv(1024):
                for one in there:
                    one.sendall(b"x" * 30_000_000)

    with net.listen(Broadcasts) as server:
        slow = textbook(server)
        server.wait_for_connections(1, PATIENCE)
        slow.wait_waiting(PATIENCE)
        until(lambda: there)
        quick = textbook(server)
        quick.wait_waiting(PATIENCE)
        quick.answer("all")
        server.wait_for_connections(2, PATIENCE)
        wait_of(until(lambda: quick.connection), Why.SEND, who_is(slow))
        now = who_waits()
        assert now.of(slow.connection).carried.sending == 30_000_000  # whoever does it: it is that client's bar
        assert now.of(quick.connection).carried.sending == 0
        assert wait_of(slow.connection, Why.RECEIVE)  # its own thread goes on as it was
        there.clear()


def test_locks_threads_queues_and_sleep_are_told_apart(nothing_left):
    lock, held, things, ended = threading.Lock(), threading.RLock(), queue.Queue(), threading.Event()
    lock.acquire()
    held.acquire()

    def takes():
        with lock:
            pass

    def owns():
        with held:
            pass

    def joins():
        first.join()

    def gets():
        things.get()

    def sleeps():
        while not ended.is_set():
            time.sleep(0.3)

    functions = (takes, owns, joins, gets, sleeps)
    threads = [threading.Thread(target=one, name=one.__name__) for one in functions]
    first = threads[0]
    for thread in threads:
        thread.start()

    def whys():
        by = {wait.thread: wait for wait in who_waits()}
        return {name: (by[name].why, by[name].whom) for name in by.keys() & {one.name for one in threads}}

    main = Who("thread", threading.get_ident(), "MainThread")
    wanted = {
        "takes": (Why.LOCK, Who("lock", 0, "a lock")),
        "owns": (Why.LOCK, main),
        "joins": (Why.THREAD, Who("thread", first.ident, "takes")),
        "gets": (Why.QUEUE, None),
        "sleeps": (Why.TIME, None),
    }
    until(lambda: whys() == wanted)
    lock.release()
    held.release()
    things.put(None)
    ended.set()
    for thread in threads:
        thread.join()


def test_a_circle_of_two_reentrant_locks_is_a_deadlock():
    one, two = threading.RLock(), threading.RLock()
    met = threading.Barrier(2)
    stop = threading.Event()

    def takes(first, second):
        with first:
            met.wait()
            while not stop.is_set():
                if second.acquire(timeout=1.5):
                    second.release()

    names = ("one then two", "two then one")
    threads = [
        threading.Thread(target=takes, args=pair, name=n)
        for pair, n in zip(((one, two), (two, one)), names, strict=True)
    ]
    for thread in threads:
        thread.start()
    circle = until(lambda: [cycle for cycle in who_waits().cycles if len(cycle) == 2])[0]
    assert {wait.thread for wait in circle} == set(names)
    stop.set()
    for thread in threads:
        thread.join()


def test_nothing_of_the_students_runs_when_somebody_looks(textbook):
    touched = []

    class Hostile:
        def __getattr__(self, name):
            touched.append(name)
            raise RuntimeError(name)

        def __repr__(self):
            touched.append("repr")
            return "x"

        def __eq__(self, other):
            touched.append("eq")
            return False

        __hash__ = None

        @property
        def recv(self):
            touched.append("recv")

    class Keeps(socketserver.BaseRequestHandler):
        def handle(self):
            self.trap = trap = Hostile()
            self.request.recv(1024)
            del trap

    with net.listen(Keeps) as server:
        textbook(server)
        (connection,) = server.wait_for_connections(1, PATIENCE)
        wait_of(connection, Why.RECEIVE)
        picture_of(server, 1)
        assert touched == []


def test_of_many_the_picture_has_a_few_and_counts_the_others(fleet):
    with net.listen(Asking) as server:
        sockets = [socket.create_connection(server.address) for _ in range(30)]
        connections = server.wait_for_connections(30, PATIENCE)
        sockets[20].sendall(b"me")
        connections_by = {connection.peer: connection for connection in connections}
        asking = connections_by[sockets[20].getsockname()]
        asking.wait_waiting(PATIENCE)
        until(lambda: sum(wait.why is Why.RECEIVE for wait in who_waits(server)) == 29)
        seen = picture_of(server, 25)
        shown = [left["who"][1] for left, _ in seen["rows"]]
        assert len(shown) == 12
        assert {25, asking.number} <= set(shown)
        assert seen["more"] == {"receive": 18}
        assert all(right["who"][0] == "peer" for _, right in seen["rows"])
        for sock in sockets:
            sock.close()
