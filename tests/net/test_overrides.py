"""Classes that go their own way: past `super()`, with `print()` in their hooks, with a loop or threads of their own."""

from __future__ import annotations

import logging
import socket
import socketserver
import sys
import threading

import pytest

from nbserver import net
from nbserver.errors import UsageError
from nbserver.events import Kind
from nbserver.states import ConnectionState


def echoed(server, data=b"hello"):
    with socket.create_connection(server.address, 5) as client:
        client.sendall(data)
        return client.recv(100)


def printed(connection):
    return [e.data.decode() for e in connection.transcript if e.kind is Kind.PRINTED]


class ByName(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Calls the classes below by name, so that what stands between is not found."""

    def __init__(self, *args):
        socketserver.TCPServer.__init__(self, *args)

    def server_bind(self):
        socketserver.TCPServer.server_bind(self)

    def server_activate(self):
        socketserver.TCPServer.server_activate(self)

    def get_request(self):
        return socketserver.TCPServer.get_request(self)

    def process_request(self, request, client_address):
        socketserver.ThreadingMixIn.process_request(self, request, client_address)

    def finish_request(self, request, client_address):
        socketserver.TCPServer.finish_request(self, request, client_address)

    def shutdown_request(self, request):
        socketserver.TCPServer.shutdown_request(self, request)

    def server_close(self):
        socketserver.TCPServer.server_close(self)


class LoopByName(ByName):
    def serve_forever(self, poll_interval=0.5):
        socketserver.TCPServer.serve_forever(self, 0.05)

    def shutdown(self):
        socketserver.TCPServer.shutdown(self)


class ShutsDownToClose(ByName):
    def server_close(self):
        socketserver.TCPServer.shutdown(self)
        socketserver.TCPServer.server_close(self)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("server_class", [ByName, LoopByName, ShutsDownToClose])
def test_classes_below_called_by_name_are_observed_and_stopped(serve, connect, server_class):
    server = serve(net.Echo, server_class)
    assert echoed(server) == b"hello"
    client = connect(server, 2)
    report = server.stop()
    assert report.seconds < 1 and not report.stragglers
    assert client.recv(1) == b""
    assert (server[1].bytes_in, server[1].bytes_out) == (5, 5)
    assert server[2].note == "the server was stopped"
    assert server.observation.errors == 0 and not server.observation.trouble


@pytest.mark.timeout(20)
def test_a_shutdown_by_name_ends_our_loop(serve):
    server = serve(net.Echo)
    assert echoed(server) == b"hello"
    socketserver.TCPServer.shutdown(server.base)
    server.wait_stopped(5)


def test_datagrams_sent_after_a_get_request_by_name_are_seen(serve, connect, until):
    class Own(socketserver.ThreadingUDPServer):
        def get_request(self):
            return socketserver.UDPServer.get_request(self)

    server = serve(net.Echo, Own)
    client = connect(server)
    client.send(b"hello")
    assert client.recv(100) == b"hello"
    until(lambda: server[1].messages_out == 1)
    assert (server[1].messages_in, server[1].bytes_in, server[1].bytes_out) == (1, 5, 5)


def test_idle_workers_end_although_the_close_is_the_users_own(serve, until):
    class Own(socketserver.ThreadingTCPServer):
        def server_close(self):
            self.socket.close()

    server = serve(net.Echo, Own)
    assert echoed(server) == b"hello"
    server[1].wait_closed(5)
    server.stop()
    mine = f"nbserver-{server.address[1]}-worker"
    until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith(mine)])


@pytest.mark.parametrize("server_class", [socketserver.TCPServer, socketserver.ThreadingTCPServer])
def test_what_hooks_print_is_on_the_row(serve, server_class):
    class Talks(server_class):
        def verify_request(self, request, client_address):
            print("verify_request")
            return super().verify_request(request, client_address)

        def process_request(self, request, client_address):
            print("process_request")
            super().process_request(request, client_address)

        def handle_error(self, request, client_address):
            print("handle_error", sys.exc_info()[0].__name__)

        def shutdown_request(self, request):
            print("shutdown_request")
            super().shutdown_request(request)

    class Fails(socketserver.BaseRequestHandler):
        def handle(self):
            raise ValueError(self.request.recv(10))

    server = serve(Fails, Talks)
    assert echoed(server) == b""
    server[1].wait_closed(5)
    assert server[1].state is ConnectionState.FAILED
    assert printed(server[1]) == ["verify_request", "process_request", "handle_error ValueError", "shutdown_request"]


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_log_handler_made_before_the_server_logs_to_the_row(serve, stream):
    handler = logging.StreamHandler(getattr(sys, stream))
    logger = logging.getLogger(f"nbserver-test-{stream}")
    logger.propagate = False
    logger.addHandler(handler)

    class Logs(socketserver.BaseRequestHandler):
        def handle(self):
            logger.warning("heard %s", self.request.recv(10))
            self.request.sendall(b"done")

    try:
        server = serve(Logs)
        assert echoed(server) == b"done"
        server[1].wait_closed(5)
        assert printed(server[1]) == ["heard b'hello'"]
        server.stop()
        assert handler.stream is getattr(sys, stream)
    finally:
        logger.removeHandler(handler)


def test_a_server_that_is_served_already_is_refused_until_it_is_shut_down():
    base = socketserver.ThreadingTCPServer(("127.0.0.1", 0), net.Echo)
    base.daemon_threads, base.service_actions = True, (started := threading.Event()).set
    thread = threading.Thread(target=base.serve_forever, args=(0.01,), name="its own")
    thread.start()
    assert started.wait(5)
    with pytest.raises(UsageError, match="ThreadingTCPServer is served already, by its own: call its shutdown"):
        net.Server(base)
    assert type(base) is socketserver.ThreadingTCPServer
    base.shutdown()
    thread.join(5)
    with net.Server(base) as server:
        assert echoed(server) == b"hello"
        assert (server[1].bytes_in, server.accepted) == (5, 1)
