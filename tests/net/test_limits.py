"""Limits: each is settable, each bites, and each says so."""

from __future__ import annotations

import socket

import pytest

from nbserver import net
from nbserver.errors import UsageError


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
