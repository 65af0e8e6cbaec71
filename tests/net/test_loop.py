"""What an accept loop is doing, and who waits in the backlog meanwhile."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import time

import pytest

from nbserver import net
from nbserver.net import proc
from nbserver.states import LoopState

pytestmark = pytest.mark.usefixtures("nothing_left")


def until(condition, seconds: float = 5.0) -> None:
    """Look again until something is so: the system tells nobody when a client is in the backlog."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to be so"
        time.sleep(0.005)


class Held:
    """A handler that holds its connection until it is let go."""

    def __init__(self) -> None:
        self.go_on = threading.Event()

    def __call__(self, request, client_address, server) -> None:
        self.go_on.wait(10)


@pytest.fixture
def held():
    held = Held()
    yield held
    held.go_on.set()


@pytest.fixture
def connect():
    with contextlib.ExitStack() as sockets:
        yield lambda server: sockets.enter_context(socket.create_connection(server.address))


def test_a_server_without_threads_serves_itself_and_the_others_wait_in_the_backlog(held, connect):
    with net.listen(held, server_class=socketserver.TCPServer) as server:
        until(lambda: server.loop is LoopState.SELECTING)
        assert server.serving is None and server.backlog_peers == []
        connect(server)
        until(lambda: server.loop is LoopState.SERVING)
        assert server.serving is server[1]
        others = [connect(server).getsockname() for _ in range(2)]
        until(lambda: server.backlog == 2)
        assert sorted(server.backlog_peers) == sorted(others)
        held.go_on.set()
        server.wait_for_connections(3, 5)
        until(lambda: server.loop is LoopState.SELECTING)
        assert server.serving is None and server.backlog_peers == []


def test_a_threading_server_is_back_in_select_while_its_handlers_run(held, connect):
    with net.listen(held) as server:
        for _ in range(3):
            connect(server)
        server.wait_for_connections(3, 5)
        until(lambda: server.loop is LoopState.SELECTING)
        assert server.serving is None and len(server.observation.live) == 3


def test_a_full_server_says_so_and_names_who_waits(held, connect):
    with net.listen(held, limits=net.Limits(max_connections=1)) as server:
        connect(server)
        until(lambda: server.loop is LoopState.FULL)
        waiting = connect(server).getsockname()
        until(lambda: server.backlog_peers == [waiting])


def test_a_client_that_has_left_again_still_waits_there(held, connect):
    with net.listen(held, server_class=socketserver.TCPServer) as server:
        connect(server)
        until(lambda: server.loop is LoopState.SERVING)
        gone = connect(server)
        peer = gone.getsockname()
        gone.shutdown(socket.SHUT_WR)
        until(lambda: server.backlog_peers == [peer])


def test_a_loop_that_pauses_a_loop_of_the_users_own_and_a_server_that_does_not_run(held):
    class Own(socketserver.TCPServer):
        def serve_forever(self, poll_interval=0.5):
            held.go_on.wait(10)

    server = net.listen(held)
    assert server.loop is LoopState.ENDED
    with server:
        until(lambda: server.loop is LoopState.SELECTING)
        server._loop.paused_until = time.monotonic() + 60
        assert server.loop is LoopState.PAUSED
    assert server.loop is LoopState.ENDED and server.serving is None and server.backlog_peers == []
    with net.listen(held, server_class=Own) as own:
        assert own.loop is LoopState.UNSEEN
        held.go_on.set()


def test_a_listener_on_every_address_of_both_kinds_names_its_clients_as_accept_does(held, connect):
    class Both(socketserver.TCPServer):
        address_family = socket.AF_INET6

        def server_bind(self):
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            super().server_bind()

    with (
        Both(("::", 0), held) as server,
        socket.create_connection(("127.0.0.1", server.server_address[1])) as client,
    ):
        until(lambda: proc.backlog(server.socket) == 1)
        assert proc.backlog_peers(server.socket) == [("::ffff:127.0.0.1", client.getsockname()[1])]
        accepted, address = server.get_request()
        accepted.close()
        assert address[:2] == ("::ffff:127.0.0.1", client.getsockname()[1])


def test_the_clients_of_another_listener_on_that_port_are_not_ours():
    with (
        socket.create_server(("127.0.0.1", 0)) as ours,
        socket.create_server(("127.0.0.2", ours.getsockname()[1])) as theirs,
        socket.create_connection(theirs.getsockname()),
    ):
        until(lambda: proc.backlog(theirs) == 1)
        assert len(proc.backlog_peers(theirs)) == 1 and proc.backlog_peers(ours) == []
    assert proc.backlog_peers(ours) == [], "it is closed"
