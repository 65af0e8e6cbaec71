"""Limits: each is settable, each bites, and each says so."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import time

import pytest

from nbserver import net
from nbserver.errors import NotHeard, UsageError
from nbserver.events import Kind
from nbserver.states import ConnectionState


@pytest.mark.parametrize(
    "values", [{"max_connections": None}, {"max_connections": 0}, {"max_line": 1.5}, {"idle_seconds": "3"}, {"x": 1}]
)
def test_a_limit_that_is_none_is_refused_with_its_name(values):
    with pytest.raises(UsageError, match=next(iter(values))):
        net.Limits.of(**values)
    for name, value in values.items():
        with pytest.raises(UsageError, match=name):
            setattr(net.Limits(), name, value)


def test_a_peer_beyond_its_limit_is_told_why_and_room_is_made_when_one_leaves(serve, connect):
    server = serve(net.Echo, limits=net.Limits(max_per_peer=2))
    first, _ = connect(server, 1), connect(server, 2)
    third = connect(server)
    assert third.makefile().read() == "2 connections from its address are open, the most allowed\n"
    assert len(server.connections) == 2
    assert server.observation.turned_away == 1 and "127.0.0.1 was turned away" in server.observation.trouble
    first.close()
    server[1].wait_closed(5)
    again = connect(server, 3)
    again.sendall(b"hello")
    assert again.recv(100) == b"hello"


def test_a_limit_that_is_raised_lets_in_those_who_wait(serve, connect):
    server = serve(net.Echo, limits=net.Limits(max_connections=1))
    connect(server, 1)
    waiting = connect(server)
    waiting.sendall(b"let me in")
    waiting.settimeout(0.2)
    with pytest.raises(socket.timeout):
        waiting.recv(100)
    server.limits.max_connections = 2
    waiting.settimeout(5)
    assert waiting.recv(100) == b"let me in"


# ── limits of time: each bites, says so on the row, and holds nobody else up ──


class Reads(socketserver.StreamRequestHandler):
    """Answers each line; says `flood` to be sent more than it reads."""

    def handle(self):
        while line := self.rfile.readline():
            self.wfile.write(line if line != b"flood\n" else b"x" * 50_000_000)


@pytest.fixture
def limited(serve, connect):
    """A server with limits, one client of it, and another who is no trouble."""

    def make(**limits):
        server = serve(Reads, limits=net.Limits(**limits))
        return server, connect(server, 1), connect(server, 2)

    return make


def is_answered(client):
    client.sendall(b"fine\n")
    return client.recv(100) == b"fine\n"


def ended(server, client, words):
    """Whether client 1 was hung up on for the reason that `words` gives."""
    with contextlib.suppress(ConnectionResetError):  # it was sending when it was hung up on
        while client.recv(1_000_000):
            pass
    server[1].wait_closed(5)
    assert server[1].note == f"{words}, the most allowed"
    assert server[1].state is ConnectionState.CLOSED
    return server.observation.errors == 0 and is_echoed_elsewhere(server)


def is_echoed_elsewhere(server):
    with socket.create_connection(server.address, 2) as other:
        return is_answered(other)


def test_fault_09_a_client_that_drips_is_ended_by_a_deadline_for_the_whole_request(limited, until):
    server, drips, fine = limited(request_seconds=0.5)
    began = time.monotonic()

    def drop():
        with contextlib.suppress(OSError):  # it was hung up on
            drips.send(b".")
        assert is_answered(fine)  # a request each that is quick
        return server[1].is_over

    until(drop)
    assert 0.4 < time.monotonic() - began < 4
    assert ended(server, drips, "its request was not complete after 0.5 s")


def test_fault_10_a_client_that_never_sends(limited):
    server, silent, fine = limited(first_byte_seconds=0.3)
    assert is_answered(fine)
    assert ended(server, silent, "it sent nothing for 0.3 s after it had connected")
    assert not server[2].is_over and is_answered(fine)


def test_a_client_that_falls_idle(limited, until):
    server, idle, busy = limited(idle_seconds=0.5)
    assert is_answered(idle)
    until(lambda: is_answered(busy) and server[1].is_over)
    assert ended(server, idle, "it was idle for 0.5 s")
    assert is_answered(busy)


def test_fault_08_a_client_that_does_not_read_is_ended_by_a_deadline(limited):
    server, slow, fine = limited(send_seconds=0.3)
    slow.sendall(b"flood\n")
    assert server.journal.wait_for(lambda: server[1].is_over, 5)
    assert is_answered(fine)
    assert ended(server, slow, "it did not read for 0.3 s")


def test_the_time_in_which_a_person_thinks_is_not_the_clients(serve, connect, until):
    class Asks(socketserver.BaseRequestHandler):
        def handle(self):
            while self.request.recv(100):
                self.request.sendall(input("> ").encode())

    server = serve(Asks, limits=net.Limits(idle_seconds=0.3, first_byte_seconds=0.3, request_seconds=0.3))
    client = connect(server, 1)
    client.sendall(b"question")
    assert server[1].wait_waiting(5)
    other = connect(server, 2)
    server[2].wait_closed(5)  # this one was silent: by then the first has waited just as long
    assert other.recv(1) == b""
    server[1].reply("answer")
    assert client.recv(100) == b"answer"


def test_a_limit_of_time_that_is_set_later_holds_for_those_who_are_there(serve, connect):
    server = serve(Reads)
    connect(server, 1)
    server.limits.first_byte_seconds = 0.2
    server[1].wait_closed(5)
    assert "sent nothing for 0.2 s" in server[1].note


def test_fault_51_the_wall_clock_jumps_and_no_limit_minds(limited, monkeypatch):
    server, _, fine = limited(idle_seconds=60, first_byte_seconds=60, request_seconds=60)
    now = time.time
    for hours in (1, -1):
        monkeypatch.setattr(time, "time", lambda hours=hours: now() + hours * 3600)
        with pytest.raises(NotHeard):
            server[1].wait_closed(0.3)  # three looks of the clock
        assert is_answered(fine)
    monkeypatch.undo()


# ── long lines ──


def test_fault_13_a_line_that_is_too_long_is_cut_and_the_client_is_told(limited):
    server, client, fine = limited(max_line=1000)
    client.sendall(b"short\n")
    assert client.recv(100) == b"short\n"
    with contextlib.suppress(ConnectionError):  # hung up on in the middle
        client.sendall(b"x" * 20_000_000)
    server[1].wait_closed(5)
    assert server[1].note == "its line is longer than 1000 bytes, the most allowed"
    assert b"line too long: 1000 bytes are the most allowed\r\n" in [e.data for e in server[1].transcript]
    assert server[1].bytes_in < 200_000, "its end was not waited for"
    assert server.observation.errors == 0
    assert is_answered(fine)


@pytest.mark.parametrize("asked", [None, -1, 5, 100_000])
def test_a_line_within_the_limit_is_read_as_ever(serve, connect, asked):
    class Asked(socketserver.StreamRequestHandler):
        def handle(self):
            lines.append(self.rfile.readline(asked))
            lines.extend(self.rfile)

    lines = []
    server = serve(Asked, limits=net.Limits(max_line=50))
    client = connect(server, 1)
    client.sendall(b"hello world\nbye\nno end")
    client.shutdown(socket.SHUT_WR)
    server[1].wait_closed(5)
    assert lines == ([b"hello", b" world\n"] if asked == 5 else [b"hello world\n"]) + [b"bye\n", b"no end"]


# ── many from one address, and the backlog ──


def test_fault_19_a_thousand_connects_from_one_address_are_refused_with_a_reason(serve, connect):
    server = serve(Reads, limits=net.Limits(max_per_peer=5))
    clients = [connect(server, number) for number in range(1, 6)]
    heard = set()
    for _ in range(1000):
        with socket.create_connection(server.address, 5) as one, contextlib.suppress(ConnectionResetError):
            heard.add(one.recv(100))
    assert heard <= {b"5 connections from its address are open, the most allowed\r\n", b""}
    assert server.observation.turned_away == 1000
    assert len([e for e in server.journal if e.kind is Kind.TROUBLE]) <= 11, "a flood does not flood the journal"
    assert all(is_answered(client) for client in clients)


@pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="only Linux tells how many wait")
def test_fault_20_how_many_wait_in_the_backlog_is_known(serve, connect, until):
    server = serve(Reads, limits=net.Limits(max_connections=2))
    clients = [connect(server, number) for number in (1, 2)] + [connect(server) for _ in range(3)]
    until(lambda: server.backlog == 3)
    clients[0].close()
    until(lambda: server.backlog == 2)
    assert is_answered(clients[2])
