"""Waiting for what clients do, as a call and with ``await``: what comes, when nothing comes, and what stays behind."""

from __future__ import annotations

import asyncio
import gc
import math
import socketserver
import threading
import time
import warnings

import pytest

from nbserver import net
from nbserver.errors import ConnectionEnded, NotHeard, UsageError
from nbserver.events import Kind, new_event
from nbserver.net import traffic
from nbserver.net.observation import clock

SOON = 5.0  # seconds that a busy machine may take


@pytest.fixture(params=["call", "await"])
def get(request):
    """Calls a method as ``get(method, *arguments)``: with a limit of time, or awaited in a loop of its own."""
    if request.param == "call":
        return lambda method, *arguments: method(*arguments, timeout=SOON)

    def get(method, *arguments):
        async def main():
            return await asyncio.wait_for(method(*arguments), SOON)

        return asyncio.run(main())

    return get


def waits(server):
    """Whether somebody waits for a fact of a server."""
    return server.journal._waiting > 0


def later(act):
    """Does something in another thread; ended before the test is."""
    thread = threading.Thread(target=act)
    thread.start()
    return thread


def test_the_first_connections_are_returned_when_they_have_come(serve, connect, get, until):
    server = serve(net.Echo)
    connect(server, 1)
    clients = []

    def two_more():
        until(lambda: waits(server))
        clients.extend([connect(server), connect(server)])

    thread = later(two_more)
    assert [c.number for c in get(server.wait_for_connections, 3)] == [1, 2, 3]
    thread.join()


def test_those_that_have_ended_count(serve, connect, get):
    server = serve(net.Echo)
    connect(server, 1).close()
    server[1].wait_closed(SOON)
    assert get(server.wait_for_connections, 1) == [server[1]]


def test_too_few_connections_until_the_time_is_over_or_the_server_stops(serve, connect, get, until):
    server = serve(net.Echo)
    connect(server, 1)
    with pytest.raises(NotHeard, match=r"1 of 3 connections have come within 0\.01 s"):
        server.wait_for_connections(3, 0.01)

    def stop():
        until(lambda: waits(server))
        server.stop()

    thread = later(stop)
    with pytest.raises(NotHeard, match="1 of 2 connections have come until it was stopped"):
        get(server.wait_for_connections, 2)
    thread.join()


def test_each_message_is_received_once(serve, connect, piecemeal, get):
    server = serve(net.Echo)
    client = connect(server, 1)
    piecemeal(server[1], client, [b"one", b"two"])
    assert [get(server[1].receive), get(server[1].receive)] == [b"one", b"two"]
    piecemeal(server[1], client, [b"three"])
    assert get(server[1].receive) == b"three"


def test_a_message_that_is_waited_for_comes_at_once(serve, connect, get, until, monkeypatch):
    """The clock's tick is not waited for, though bytes do not announce themselves."""
    monkeypatch.setattr("nbserver.net.clock.PERIOD", 60.0)
    server = serve(net.Echo)
    client, connection = connect(server, 1), server[1]
    took = []
    for _ in range(5):
        sent = []

        def send(sent=sent):
            until(lambda: waits(server))
            sent.append(time.monotonic())
            client.sendall(b"now")

        thread = later(send)
        assert get(connection.receive) == b"now"
        took.append(time.monotonic() - sent[0])
        thread.join()
        client.recv(10)
    monkeypatch.undo()
    clock.hurry()  # so that its thread sees that nobody needs it
    assert min(took) < 0.02, took


def test_what_was_about_to_be_noted_when_the_waiting_began_is_found_at_the_next_tick(serve, connect, get, until):
    server = serve(net.Echo)
    connect(server, 1)
    note = server[1]._note  # as a handler's thread holds it that was stopped just before it calls it

    def go_on():
        until(lambda: waits(server))
        note(new_event((Kind.RECEIVED, time.time(), 1, b"late", 4)))

    thread = later(go_on)
    assert get(server[1].receive) == b"late"
    thread.join()


def test_a_byte_costs_nothing_when_nobody_waits(serve, connect, get, piecemeal):
    server = serve(net.Echo)
    client, connection = connect(server, 1), server[1]
    before = connection._note
    piecemeal(connection, client, [b"x"])
    assert get(connection.receive) == b"x"
    assert connection._note == before == connection.transcript.note
    assert not waits(server)


def test_what_comes_while_somebody_waits_is_heard_however_much_went_by_before(serve, connect, until):
    server = serve(net.Echo)
    client, connection = connect(server, 1), server[1]
    until(lambda: connection.status == "receiving")
    connection.credit = 0  # as after 128 messages within a tenth of a second
    client.sendall(b"too fast")
    until(lambda: connection.bytes_in == 8)

    def send():
        until(lambda: waits(server))
        client.sendall(b"heard")

    thread = later(send)
    assert connection.receive(SOON) == b"heard"
    thread.join()


def test_a_stream_to_the_client_does_not_use_up_what_is_kept_of_its_answer(serve, connect, until):
    class Streams(socketserver.BaseRequestHandler):
        def handle(self):
            for _ in range(3 * traffic.CREDIT):
                self.request.sendall(b".")
            self.request.sendall(b"!")
            self.request.recv(10)
            self.request.recv(10)

    server = serve(Streams)
    client = connect(server, 1)
    answer = []
    thread = later(lambda: answer.append(server[1].receive(SOON)))
    until(lambda: waits(server))
    while not client.recv(1000).endswith(b"!"):
        pass
    client.sendall(b"answer")
    thread.join()
    assert answer == [b"answer"]


def test_two_that_wait_are_given_different_messages(serve, connect, piecemeal, until):
    server = serve(net.Echo)
    client, got = connect(server, 1), []
    threads = [later(lambda: got.append(server[1].receive(SOON))) for _ in range(2)]
    until(lambda: server.journal._waiting == 2)
    piecemeal(server[1], client, [b"a", b"b"])
    for thread in threads:
        thread.join()
    assert sorted(got) == [b"a", b"b"]


def test_nothing_comes_in_time(serve, connect):
    server = serve(net.Echo)
    connect(server, 1)
    with pytest.raises(NotHeard, match=r"connection 1 has sent nothing within 0\.01 s"):
        server[1].receive(0.01)


def test_a_client_that_leaves_ends_the_waiting_after_its_last_message(serve, connect, get, until):
    server = serve(net.Echo)
    client = connect(server, 1)
    client.sendall(b"last words")
    client.close()
    assert get(server[1].receive) == b"last words"
    with pytest.raises(ConnectionEnded, match="connection 1 sends no more"):
        get(server[1].receive)


def test_a_client_that_closes_its_side_sends_no_more_though_its_handler_goes_on(serve, connect, get, until):
    done = threading.Event()

    class Stays(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(10)
            done.wait()

    server = serve(Stays)
    client = connect(server, 1)

    def shut():
        until(lambda: waits(server))
        client.shutdown(1)

    thread = later(shut)
    with pytest.raises(ConnectionEnded, match="the client has closed"):
        get(server[1].receive)
    thread.join()
    done.set()


def test_ask_answers_the_handlers_input_and_returns_what_the_client_says_to_it(serve, connect, get, until):
    server = serve()
    client = connect(server, 1)
    client.sendall(b"an earlier message")
    assert server[1].wait_waiting(SOON)

    def answer():
        if client.recv(100) == b"your name?":
            client.sendall("Zoë \N{SNOWMAN}".encode() + b"\xff")

    thread = later(answer)
    assert get(server.ask, 1, "your name?") == "Zoë \N{SNOWMAN}\N{REPLACEMENT CHARACTER}"
    thread.join()


def test_ask_reaches_no_other_client(serve, connect):
    server = serve(net.Echo)
    one, two = connect(server, 1), connect(server, 2)
    two.sendall(b"from the other")
    assert two.recv(100) == b"from the other"
    with pytest.raises(NotHeard):
        server.ask(1, "hello", timeout=0.05)
    assert one.recv(100) == b"hello"
    with pytest.raises(UsageError, match="no connection #3"):
        server.ask(3, "hello", timeout=1)


def test_ask_is_sent_only_when_it_is_awaited(serve, connect):
    server = serve(net.Echo)
    client = connect(server, 1)
    server.ask(1, "never").close()
    server.reply(1, "said")
    assert client.recv(100) == b"said"


@pytest.mark.parametrize("name", ["Server.wait_for_connections", "Connection.receive", "Server.ask"])
def test_what_is_never_awaited_warns_as_a_coroutine_does(serve, connect, name):
    server = serve(net.Echo)
    connect(server, 1)
    calls = {
        "Server.wait_for_connections": lambda: server.wait_for_connections(1),
        "Connection.receive": server[1].receive,
        "Server.ask": lambda: server.ask(1, "x"),
    }
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        calls[name]()
        gc.collect()
    assert [str(w.message) for w in caught] == [f"coroutine '{name}' was never awaited"]


def test_for_ever_is_a_time_limit_too(serve, connect, until):
    server = serve(net.Echo)

    def come():
        until(lambda: waits(server))
        connect(server).sendall(b"at last")

    thread = later(come)
    (connection,) = server.wait_for_connections(1, timeout=math.inf)
    assert connection.receive(timeout=math.inf) == b"at last"
    thread.join()


def test_cancelled_it_leaves_nobody_who_waits_and_no_thread(serve, connect, until):
    server = serve(net.Echo)
    client, connection = connect(server, 1), server[1]

    async def main():
        before = threading.active_count()
        tasks = [asyncio.ensure_future(w) for w in (server.wait_for_connections(9), connection.receive())]
        tasks += [asyncio.ensure_future(connection.receive()) for _ in range(100)]
        await asyncio.sleep(0)
        assert server.journal._waiting == 102
        assert threading.active_count() <= before + 1  # the one clock of this process
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(error, asyncio.CancelledError) for error in ended)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(connection.receive(), 0.01)

    asyncio.run(main())
    assert (server.journal._waiting, server.journal._told) == (0, [])
    assert connection._note == connection.transcript.note
    client.sendall(b"not lost")
    assert connection.receive(SOON) == b"not lost"
    until(lambda: not any(t.name == "nbserver-clock" for t in threading.enumerate()))


def test_a_loop_that_was_closed_is_told_no_more(serve, connect):
    server = serve(net.Echo)
    loop = asyncio.new_event_loop()
    task = loop.create_task(server.wait_for_connections(2))
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.close()
    connect(server, 1)
    connect(server, 2)
    assert len(server.wait_for_connections(2, SOON)) == 2
    task._log_destroy_pending = False


def test_other_tasks_run_and_many_clients_are_asked_at_once(serve, connect):
    server = serve()
    clients = [connect(server, n) for n in range(1, 6)]

    async def answer(n, client):
        loop = asyncio.get_running_loop()
        client.setblocking(False)
        await loop.sock_sendall(client, b"hello")
        question = await loop.sock_recv(client, 100)
        await loop.sock_sendall(client, question + b" answered")

    async def main():
        connections = await server.wait_for_connections(5)
        tasks = [asyncio.ensure_future(answer(n, client)) for n, client in enumerate(clients)]
        assert [await c.receive() for c in connections] == [b"hello"] * 5
        answers = await asyncio.gather(*(server.ask(c.number, f"question {c.number}") for c in connections))
        await asyncio.gather(*tasks)
        return answers

    assert asyncio.run(main()) == [f"question {n} answered" for n in range(1, 6)]


def test_datagram_peers_are_waited_for_and_heard(serve, connect, get):
    server = serve(net.Echo, socketserver.ThreadingUDPServer)
    connect(server).send(b"a datagram")
    (peer,) = get(server.wait_for_connections, 1)
    assert get(peer.receive) == b"a datagram"
