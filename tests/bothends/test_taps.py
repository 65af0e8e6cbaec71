"""Both ends of a connection side by side: an unchanged program's, and one of ours."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from types import SimpleNamespace

import pytest

from nbserver import net
from nbserver.console import Program
from nbserver.fleet import Client
from nbserver.widgets.looks import LOOKS
from nbserver.widgets.requests import Desk, target_of

pytestmark = pytest.mark.usefixtures("nothing_left")


may_read = threading.Event()


class Late(socketserver.BaseRequestHandler):
    """Reads when it may, eight bytes at a time."""

    def handle(self):
        assert may_read.wait(10)
        while data := self.request.recv(8):
            self.request.sendall(data)


def test_two_sends_become_one_recv_and_one_becomes_two(start):
    may_read.clear()
    with net.listen(Late) as server:
        server.observation.sees_lines = True  # as in a notebook

        def program():
            sock = socket.create_connection(server.address)
            sock.send(b"abcd")
            sock.send(b"efgh")
            sock.send(b"0123456789ab")
            may_read.set()
            heard = b""
            while len(heard) < 20:
                heard += sock.recv(100)
            input("done")

        client = start(lambda number: Program(number, program, f"client {number}: program"))
        assert client.wait_waiting(10)
        ruler = server[1].ruler()
        assert (ruler.client, ruler.unseen) == (f"client {client.number}", "")
        there, back = ruler.ways
        assert [(g.sends, g.recvs, g.kind) for g in there.groups] == [(2, 1, "merged"), (1, 2, "split")]
        assert there.in_flight == back.in_flight == 0
        assert there.sends.pieces[0].where.endswith(': sock.send(b"abcd")')
        assert there.recvs.pieces[0].where.endswith(": while data := self.request.recv(8):")
        assert back.total == 20
        client.close()
        server[1].wait_closed(5)
        assert server[1].ruler().ways[0].groups == there.groups, "it stays when both have ended"


def test_a_client_that_is_gone_is_remembered_when_another_has_its_number(start):
    with net.listen(net.Echo) as server:
        for text in ("one", "two"):
            client = start(lambda number: Client(number, target_of(server)))
            client.say(text)
            client.hear(5)
            client.close()
            client.wait_ended(5)
        rulers = [server[number].ruler() for number in (1, 2)]
        assert rulers[0].client == rulers[1].client
        assert [ruler.ways[0].sends.pieces[0].data for ruler in rulers] == [b"one", b"two"]


def test_a_page_is_told_in_the_encoding_of_its_board_and_nothing_of_what_is_not_there(start):
    with net.listen(net.Echo) as server:
        client = start(lambda number: Client(number, target_of(server)))
        client.say("你")
        client.hear(5)
        look = LOOKS["ruler"]
        told = look(server, 1)
        assert (told["encoding"], told["client"], told["over"]) == ("utf-8", client.name, False)
        assert told["ways"][0]["halves"] == []
        server.panel = SimpleNamespace(mirror=SimpleNamespace(encoding="ascii"))
        (half,) = look(server, 1)["ways"][0]["halves"]
        assert half[4].startswith("UnicodeDecodeError: 'ascii' codec can't decode byte 0xe4 in position 0")
        assert look(server, 0) is look(server, 2) is look(None, 1) is None


@pytest.mark.parametrize("server_class", [socketserver.ThreadingTCPServer, socketserver.ThreadingUDPServer])
def test_a_client_of_ours(start, server_class):
    with net.listen(net.Echo, ("127.0.0.1", 0), server_class) as server:
        client = start(lambda number: Client(number, target_of(server)))
        for text in ("one", "two"):
            client.say(text)
            assert client.hear(5)
        deadline = time.monotonic() + 5
        while server[1].messages_out < 2 and time.monotonic() < deadline:
            time.sleep(0.001)
        there, back = server[1].ruler().ways
        assert [g.kind for g in there.groups] == ["whole", "whole"]
        assert [g.kind for g in back.groups] == ["whole", "whole"]
        assert there.sends.pieces[0].where.endswith(": client.say(text)")
        assert there.is_stream == (server_class is socketserver.ThreadingTCPServer)


def test_a_lens_is_chosen_by_code_or_by_a_page(fleet, start):
    with net.listen(net.Echo) as server:
        client = start(lambda number: Client(number, target_of(server)))
        client.say("one\ntwo\nthr")
        client.hear(5)
        desk = Desk(server, fleet)
        assert desk.carry_out({"do": "lens", "rid": "1", "lens": "line"})["ok"]
        seen = server[1].ruler().ways[0].framed
        assert len(seen.messages) == 2 and seen.have == 3
        for wrong in ("lines", 3, None, ["line"], "function"):
            assert not desk.carry_out({"do": "lens", "rid": "2", "lens": wrong})["ok"]
        assert desk.refused == 4
        server.lens(lambda data: [3, 1, 100])
        seen = server[1].ruler().ways[0].framed
        assert [m.size for m in seen.messages] == [3, 1] and seen.needs == 93
        assert "incomplete message at 4" in str(server[1].ruler())


class Shouter(socketserver.BaseRequestHandler):
    def handle(self):
        data, sock = self.request
        sock.sendto(data.upper(), self.client_address)


def test_a_textbook_program_that_sends_datagrams_without_connecting(start):
    with net.listen(Shouter, ("127.0.0.1", 0), socketserver.UDPServer) as server:
        heard = []

        def program():
            client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            for text in (b"one", b"two"):
                client.sendto(text, server.address)
                heard.append(client.recvfrom(1024))
            input("done")

        client = start(lambda number: Program(number, program, f"client {number}: program"))
        assert client.wait_waiting(10), client.error
        assert [data for data, _ in heard] == [b"ONE", b"TWO"]
        assert client.connection is server[1]
        deadline = time.monotonic() + 5  # a datagram may be heard before its handler has noted that it is sent
        while server[1].messages_out < 2 and time.monotonic() < deadline:
            time.sleep(0.001)
        there, back = server[1].ruler().ways
        assert [g.kind for g in (*there.groups, *back.groups)] == ["whole"] * 4
        assert [piece.call for piece in there.sends.pieces] == ["sendto", "sendto"]
        assert {piece.where.partition(": ")[2] for piece in there.sends.pieces} == {
            "client.sendto(text, server.address)"
        }
    client.close()
    client.wait_ended(5)
    assert "sendto" not in vars(socket.socket)
