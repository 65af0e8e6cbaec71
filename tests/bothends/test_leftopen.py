"""What is open, and whose it is: of servers, of clients, of clients whose program has ended, and of nobody."""

from __future__ import annotations

import socket

import pytest

from nbserver import net
from nbserver.bothends import left_open
from nbserver.bothends.leftopen import Use
from nbserver.console import Program
from nbserver.fleet import enlist

pytestmark = pytest.mark.usefixtures("nothing_left")


def test_a_program_that_ended_without_closing_has_left_its_socket_open(fleet):
    kept = []
    with net.listen(net.Echo) as server:

        def careless():
            client = socket.create_connection(server.address)
            kept.append(client)
            input()

        program = enlist(lambda number: Program(number, careless, f"client {number}: careless"))
        program.cell = "cell [7]"
        fleet.add(program)
        program.start()
        server.wait_for_connections(1, 5)
        program.wait_waiting(5)
        mine = [one for one in left_open() if one.what == f"client {program.number}"]
        assert [(one.cell, one.sockets, one.threads, one.use) for one in mine] == [("cell [7]", 1, 1, Use.USED)]
        program.answer("")
        program.wait_ended(5)
        (orphan,) = left_open().orphans
        assert (orphan.cell, orphan.sockets, orphan.use) == ("cell [7]", 1, Use.ORPHAN)
        assert "left open: its program has ended" in str(left_open())
        kept.pop().close()
        assert left_open().orphans == []


def test_sockets_that_no_program_has_made_are_counted_where_they_lead():
    with net.listen(net.Echo) as server:
        sockets = [socket.create_connection(server.address) for _ in range(3)]
        server.wait_for_connections(3, 5)
        (loose,) = left_open().orphans
        assert (loose.kind, loose.what, loose.sockets, loose.use) == ("sockets", server.address_text, 3, Use.LOOSE)
        own = next(one for one in left_open() if one.kind == "server")
        assert own.sockets == 4
        for sock in sockets:
            sock.close()
        assert left_open().orphans == []
    assert [one for one in left_open() if one.kind == "server"] == []
