"""A connection's ruler from the handler's end alone: offsets, what is not kept, the handler's line."""

from __future__ import annotations

import socket
import socketserver

import pytest

from nbserver import net

pytestmark = pytest.mark.usefixtures("nothing_left")


class Reader(socketserver.StreamRequestHandler):
    def handle(self):
        while self.request.recv(8):
            pass


class Counter(socketserver.BaseRequestHandler):
    """Answers with the number of bytes that it has received."""

    def handle(self):
        count = 0
        while data := self.request.recv(65_536):
            count += len(data)
            self.request.sendall(b"%d\n" % count)


def test_what_the_handler_received_with_the_line_that_did():
    with net.listen(Reader) as server, socket.create_connection(server.address) as client:
        server.observation.sees_lines = True  # as in a notebook
        client.sendall(b"hello, world")
        server.wait_for_connections(1, 5)
        assert (server[1].receive(5), server[1].receive(5)) == (b"hello, w", b"orld")
        ruler = server[1].ruler()
        assert (ruler.unseen, ruler.is_stream) == ("elsewhere", True)
        way = ruler.ways[0]
        assert way.sends is None and way.groups == [] and way.in_flight is None
        assert [(p.begin, p.data) for p in way.recvs.pieces] == [(0, b"hello, w"), (8, b"orld")]
        assert {p.where.partition(": ")[2] for p in way.recvs.pieces} == {"while self.request.recv(8):"}
        assert "not seen where it is sent" in str(ruler)


def test_what_goes_by_without_being_kept_is_a_gap_and_the_sum_is_right():
    with net.listen(Counter) as server, socket.create_connection(server.address) as client:
        file = client.makefile("rb")
        total = 0
        for _ in range(2_000):
            client.sendall(b"x" * 10)
            total += 10
            file.readline()
        client.sendall(b"the end")
        file.readline()
        file.close()
        recvs = server[1].ruler().ways[0].recvs
        assert recvs.total == total + 7
        assert any(piece.is_gap for piece in recvs.pieces)
        at = 0
        for piece in recvs.pieces:
            assert piece.begin == at
            at = piece.end
        assert at == recvs.total


def test_of_a_large_message_its_beginning_is_known():
    with net.listen(Counter) as server, socket.create_connection(server.address) as client:
        client.sendall(b"y" * 10_000)
        with client.makefile("rb") as file:
            while int(file.readline()) < 10_000:
                pass
        way = server[1].ruler().ways[0]
        assert way.total == 10_000
        assert all(len(piece.data) == min(piece.size, 4096) for piece in way.recvs.pieces)


def test_an_encoding_that_is_none():
    with net.listen(Counter) as server, socket.create_connection(server.address):
        server.wait_for_connections(1, 5)
        with pytest.raises(LookupError):
            server[1].ruler("no-such-encoding")
