"""Which client is at the other end of which connection: found for what nbserver makes, and for unchanged programs."""

from __future__ import annotations

import socket
import socketserver

import pytest

import nbserver
from nbserver import net
from nbserver.bothends import client_of
from nbserver.console import Program
from nbserver.errors import UsageError
from nbserver.fleet import Client, Fleet, Target
from nbserver.widgets.feed import Feed
from nbserver.widgets.requests import Desk, target_of

pytestmark = pytest.mark.usefixtures("nothing_left")


def textbook(address):
    def program():
        with socket.socket() as client:
            client.connect(address)
            while text := client.recv(1024):
                print(text.decode())

    return lambda number: Program(number, program, f"client {number}: program")


FAMILIES = [
    (socketserver.ThreadingTCPServer, ("127.0.0.1", 0)),
    (socketserver.ThreadingTCPServer, ("::1", 0)),
    (socketserver.ThreadingUDPServer, ("127.0.0.1", 0)),
    (socketserver.ThreadingUnixDatagramServer, "{tmp}/datagram"),
]


@pytest.mark.parametrize(("server_class", "address"), FAMILIES)
def test_a_client_of_ours_knows_its_connection(server_class, address, start, tmp_path):
    address = address.format(tmp=tmp_path) if isinstance(address, str) else address
    with net.listen(net.Echo, address, server_class) as server:
        clients = [start(lambda number: Client(number, target_of(server))) for _ in range(3)]
        for client in reversed(clients):
            client.say("hello")
            assert client.hear(5) == "hello"
        assert sorted(client.connection.number for client in clients) == [1, 2, 3]
        for client in clients:
            assert client_of(client.connection) is client
            assert client.connection is server[client.connection.number]


def test_an_unchanged_program_knows_its_connection(start):
    with net.listen() as server:
        programs = [start(textbook(server.address)) for _ in range(2)]
        server.wait_for_connections(2, 5)
        for program in programs:
            assert program._journal.wait_for(lambda program=program: program.ends, 5)
            assert client_of(program.connection) is program
            program.connection.send(f"for {program.number}".encode())
            program.connection.close()
        for program in programs:
            program.wait_ended(5)
            said = [e.data.decode() for e in program.transcript if e.kind == "printed"]
            assert said == [f"for {program.number}"]


def test_two_servers_are_told_apart(start):
    with net.listen(net.Echo) as one, net.listen(net.Echo) as two:
        client = start(lambda number: Client(number, target_of(two)))
        two.wait_for_connections(1, 5)
        assert client.connection is two[1]
        with socket.create_connection(one.address):
            one.wait_for_connections(1, 5)
            assert client_of(one[1]) is None and client_of(two[1]) is client


def test_after_it_ran_again_the_link_is_to_the_new_connection(start):
    with net.listen(net.Echo) as server:
        client = start(lambda number: Client(number, target_of(server)))
        server.wait_for_connections(1, 5)
        assert client.connection.number == 1
        client.run_again()
        server.wait_for_connections(2, 5)
        assert client.connection.number == 2
        assert (client_of(server[1]), client_of(server[2])) == (None, client)


def test_whoever_is_elsewhere_has_no_other_end(start):
    with socket.create_server(("127.0.0.1", 0)) as listener, net.listen() as server:
        client = start(lambda number: Client(number, Target.at(listener.getsockname())))
        assert client.connection is None
        with socket.create_connection(server.address):
            server.wait_for_connections(1, 5)
            assert client_of(server[1]) is None


def test_rows_of_both_ends_name_each_other(fleet, start):
    with net.listen() as server:
        strangers = [socket.create_connection(server.address) for _ in range(2)]
        server.wait_for_connections(2, 5)
        board, consoles = Feed(server, Fleet()), Feed(None, fleet)
        assert board.snapshot()["home"] == consoles.snapshot()["home"]
        program = start(textbook(server.address))
        server.wait_for_connections(3, 5)
        assert program._journal.wait_for(lambda: program.ends, 5)
        assert [row[15] for row in board.snapshot()["connections"]] == [0, 0, program.number]
        assert [row[15] for row in consoles.snapshot()["clients"]] == [3]
        for stranger in strangers:
            stranger.close()


def test_what_the_buttons_do(fleet, start):
    desk = Desk(None, fleet)
    with net.listen(net.Echo) as server:
        client = start(lambda number: Client(number, target_of(server)))
        assert desk.carry_out({"do": "run_client", "rid": "r", "client": client.number})["ok"] and client.runs == 2
        assert desk.carry_out({"do": "add_client", "rid": "r"})["ok"] and len(fleet) == 2
        assert desk.carry_out({"do": "run_clients", "rid": "r"})["ok"]
        assert [one.runs for one in fleet] == [3, 2]
        assert desk.carry_out({"do": "end_input", "rid": "r", "client": client.number})["ok"]
        client.wait_ended(5)
        assert desk.carry_out({"do": "close_clients", "rid": "r"})["ok"]
        assert all(one.has_ended for one in fleet)
    gone = desk.carry_out({"do": "run_client", "rid": "r", "client": client.number})
    assert (gone["ok"], gone["code"]) == (False, "refused") and "nothing listens on" in gone["error"]
    assert desk.carry_out({"do": "run_client", "rid": "r", "client": 99})["code"] == "ended"
    assert desk.refused == 0
    assert not desk.carry_out({"do": "run_client", "rid": "r", "client": "1"})["ok"] and desk.refused == 1


def test_a_servers_program_is_not_run_from_its_console():
    with net.listen() as server:
        server.program = nbserver.kernel.ServerProgram("pass", {}, (), net.Access(), net.Limits())
        ack = Desk(server, Fleet()).carry_out({"do": "run_client", "rid": "r", "client": 0})
        assert not ack["ok"] and "running its cell" in ack["error"]
        with pytest.raises(UsageError):
            server.program.run_again()
        server.program = None
