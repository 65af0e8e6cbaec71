"""The same handler and the same clients on several servers: who waited, where, and how long; and no thread is left."""

from __future__ import annotations

import asyncio
import socketserver
import threading
import time

import pytest

import nbserver
from nbserver import net
from nbserver.bothends import Comparison
from nbserver.errors import NotHeard, UsageError
from nbserver.fleet import until
from nbserver.teach.comparison import Visit, summary

pytestmark = pytest.mark.usefixtures("nothing_left")
WORK = 0.25  # seconds


class Shout(socketserver.BaseRequestHandler):
    def handle(self):
        data = self.request.recv(1024)
        time.sleep(WORK)
        self.request.sendall(data.upper())


async def polite(reader, writer):
    data = await reader.readline()
    await asyncio.sleep(WORK)
    writer.write(data.upper())
    writer.close()


async def rude(reader, writer):
    data = await reader.readline()
    time.sleep(WORK)  # noqa: ASYNC251 - what the lesson is about
    writer.write(data.upper())
    writer.close()


@pytest.fixture
def compared():
    made = []

    def compared(*args, **options) -> Comparison:
        made.append(Comparison(*args, **options).start())
        return made[-1]

    yield compared
    for one in made:
        one.stop()


def states(comparison, column):
    return [[state for _, state in visit.states()] for visit in comparison.visits(column)]


def test_one_at_a_time_waits_in_the_backlog_and_threads_run_together(compared):
    one = compared([socketserver.TCPServer, socketserver.ThreadingTCPServer], Shout).wait(20)
    assert one.state == "done"
    plain, threading_ = one.waited["TCPServer"], one.waited["ThreadingTCPServer"]
    assert plain[0] < WORK / 2 < WORK * 0.9 < plain[1] < WORK * 1.8 < plain[2]
    assert max(threading_) < WORK
    assert states(one, "TCPServer")[2] == ["backlog", "serving", "done"]
    assert one.total["TCPServer"] > 3 * WORK > one.total["ThreadingTCPServer"]
    assert "client 3 waited 0." in one.summary("TCPServer")
    assert one.summary("TCPServer").endswith("in the backlog")
    assert [visit.answered is not None for visit in one.visits("TCPServer")] == [True] * 3
    table = str(one).splitlines()
    assert table[0].split() == ["seconds", "waited", "client", "1", "client", "2", "client", "3"]
    assert [line.split()[0] for line in table[1:3]] == ["TCPServer", "ThreadingTCPServer"]
    assert table[3:] == [f"{name}: {one.summary(name)}" for name in one.columns]


def test_in_a_pool_the_third_is_accepted_and_waits_for_a_worker(compared):
    one = compared([net.pool(2)], Shout).wait(20)
    third = one.visits("pool(2)")[2]
    assert [state for _, state in third.states()][-3:] == ["accepted", "serving", "done"]
    assert third.where == "accepted"
    assert third.waited > WORK * 0.8
    assert "accepted, for a free thread" in one.summary("pool(2)")


def test_an_async_function_serves_all_at_once_until_it_blocks_its_loop(compared):
    one = compared([polite, rude]).wait(20)
    assert one.columns == ["asyncio: polite", "asyncio: rude"]
    assert one.total["asyncio: polite"] < 2 * WORK < 3 * WORK < one.total["asyncio: rude"]
    assert one.waited["asyncio: rude"][2] > WORK * 0.8


class Tutorial(socketserver.BaseRequestHandler):
    def handle(self):
        while 1:
            from_client_msg = self.request.recv(1024)
            print(from_client_msg.decode("utf-8"))
            server_msg = input("服务端说>>>")
            self.request.send(server_msg.encode("utf-8"))


def test_input_of_the_tutorials_handler_gets_the_answer_and_prints_nowhere(compared):
    script = ["hello", until("fine, thanks"), None]
    one = compared(
        [socketserver.TCPServer, socketserver.ThreadingTCPServer], Tutorial, 2, script, answer="fine, thanks"
    )
    assert one.wait(20).state == "done"
    assert all(visit.answered is not None for name in one.columns for visit in one.visits(name))


class Fails(socketserver.BaseRequestHandler):
    def handle(self):
        1 / 0  # noqa: B018


async def asks(reader, writer):
    input("?")  # noqa: ASYNC250


def test_handlers_that_fail_are_lanes_that_say_so(compared):
    one = compared([socketserver.TCPServer, asks], Fails, 2).wait(20)
    assert states(one, "TCPServer")[0][-1] == "failed"
    assert one.visits("TCPServer")[0].note == "ZeroDivisionError: division by zero"
    assert "input() would stop the event loop" in one.visits("asyncio: asks")[1].note


class Hangs(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.recv(1024)
        self.request.recv(1024)


def test_it_ends_at_its_deadline_and_says_who_was_not_served(compared):
    one = compared([socketserver.TCPServer], Hangs, 2, seconds=0.3)
    with pytest.raises(NotHeard):
        one.wait(0.05)
    assert one.told()["state"] == "running"
    assert one.wait(20).state == "late"
    assert one.waited["TCPServer"][0] is not None
    assert not net.servers()


def test_stop_all_ends_it_and_stopping_twice_is_stopping_once(compared):
    one = compared([socketserver.TCPServer, polite], Hangs, script=["no line end"])
    assert one.told()["state"] == "running"
    nbserver.stop_all()
    assert one.is_over
    assert one.state == "stopped"
    one.stop()
    assert [thread.name for thread in threading.enumerate() if "compare" in thread.name] == []


class Forks(getattr(socketserver, "ForkingMixIn", object), socketserver.TCPServer):
    """What a kernel must not have."""


@pytest.mark.parametrize(
    ("servers", "words"),
    [
        ([Forks], "would fork the kernel"),
        ([socketserver.UDPServer], "a question of TCP servers"),
        ([socketserver.UnixStreamServer], "a question of TCP servers"),
        ([print], "server classes"),
        (["TCPServer"], "server classes"),
        ([], "1 to 6 servers"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_the_reason(servers, words):
    with pytest.raises(UsageError, match=words):
        Comparison([socketserver.TCPServer, *servers] if servers else [], Shout)


def test_an_async_function_is_no_handler_of_a_class():
    with pytest.raises(UsageError, match="put it among the servers"):
        Comparison([socketserver.TCPServer], polite)


@pytest.mark.parametrize(
    "options", [{"clients": 0}, {"clients": 21}, {"seconds": 0}, {"seconds": True}, {"script": [{}]}]
)
def test_numbers_and_scripts_are_checked(options):
    with pytest.raises(UsageError):
        Comparison([socketserver.TCPServer], Shout, **options)


def test_a_class_of_the_users_own_is_served_with_every_hook_of_its_own(compared):
    seen = []

    class Own(socketserver.ThreadingTCPServer):
        def finish_request(self, request, client_address):
            seen.append((type(self).__name__, self.RequestHandlerClass))
            super().finish_request(request, client_address)

    compared([Own, Own], Shout, 1).wait(20)
    assert seen == [("Own", Shout)] * 2


def test_a_pool_serves_with_as_many_threads_as_it_says():
    class Names(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.sendall(threading.current_thread().name.encode())

    with net.listen(Names, server_class=net.pool(2)).start() as server:
        fleet = [nbserver.Client(n, nbserver.fleet.Target.at(server.address)) for n in range(1, 7)]
        for client in fleet:
            client.start()
        heard = [client.hear(timeout=5) for client in fleet]
        for client in fleet:
            client.close()
    assert len(set(heard)) <= 2
    with pytest.raises(UsageError):
        net.pool(0)


def test_a_summary_says_where_the_longest_wait_was():
    served = Visit(1, connected=0.0, accepted=0.0, served=0.0, handled=1.0, ended=1.0)
    queued = Visit(2, connected=0.0, accepted=2.0, served=2.0, handled=3.0, ended=3.0)
    assert summary([served]) == "total 1.0 s; nobody waited"
    assert summary([served, queued]) == "total 3.0 s; client 2 waited 2.0 s in the backlog"
    assert Visit(3).states() == []
    assert Visit(3, connected=0.5, ended=0.9).states() == [(0.5, "backlog"), (0.9, "done")]
