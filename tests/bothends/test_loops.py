"""The two loops as data: where each is, and how often it has turned."""

from __future__ import annotations

import socket
import socketserver
import time

import pytest

from nbserver import net
from nbserver.bothends import two_loops

pytestmark = pytest.mark.usefixtures("nothing_left")


class Asking(socketserver.BaseRequestHandler):
    def handle(self):
        while self.request.recv(1024):
            self.request.sendall(input("answer> ").encode())


def until(look, wanted):
    deadline = time.monotonic() + 10
    while (found := look()) != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.01)  # between two looks


@pytest.mark.parametrize(
    ("server_class", "shape", "outer"),
    [
        (socketserver.ThreadingTCPServer, "two", ("select", 0)),
        (socketserver.TCPServer, "one", ("handle", 1)),
    ],
)
def test_where_the_loops_are(server_class, shape, outer):
    with (
        net.listen(Asking, server_class=server_class) as server,
        socket.create_connection(server.address) as client,
    ):
        (connection,) = server.wait_for_connections(1, 5)

        def seen():
            loops = two_loops(server, 1)
            inner = loops["inner"]
            outside = (loops["outer"]["step"], loops["outer"]["serving"])
            return (
                loops["shape"],
                outside,
                loops["outer"]["turns"],
                inner["step"],
                inner["turns"],
                (inner["line"] or [""])[-1],
            )

        until(seen, (shape, outer, 1, "recv", 0, "while self.request.recv(1024):"))
        client.sendall(b"a question")
        connection.wait_waiting(5)
        until(seen, (shape, outer, 1, "think", 1, 'self.request.sendall(input("answer> ").encode())'))
        connection.reply("an answer")
        until(seen, (shape, outer, 1, "recv", 1, "while self.request.recv(1024):"))
        client.close()
        connection.wait_closed(5)
        assert two_loops(server, 1)["inner"]["step"] == "over"


def test_udp_has_one_loop_and_turns_with_each_datagram():
    with net.listen(net.Echo, server_class=socketserver.UDPServer) as server:
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            client.settimeout(5)
            for _ in range(3):
                client.sendto(b"x", server.address)
                client.recv(10)
        seen = two_loops(server, 0)
        assert (seen["shape"], seen["outer"]["turns"], seen["inner"]) == ("datagram", 3, None)
