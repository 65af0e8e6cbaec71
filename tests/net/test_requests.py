"""Request classes of the standard library on every server class, with what their users set and do."""

from __future__ import annotations

import io
import selectors
import socket
import socketserver
import threading

import pytest

from nbserver import net
from nbserver.events import Kind
from nbserver.net import ObservedSocket
from nbserver.states import ConnectionState

STREAMS = [
    socketserver.TCPServer,
    socketserver.ThreadingTCPServer,
    socketserver.UnixStreamServer,
    socketserver.ThreadingUnixStreamServer,
]
DATAGRAMS = [
    socketserver.UDPServer,
    socketserver.ThreadingUDPServer,
    socketserver.UnixDatagramServer,
    socketserver.ThreadingUnixDatagramServer,
]
TCP_AND_THREADS = STREAMS[:2]


def address_for(server_class, folder):
    return str(folder / "s") if server_class.address_family == socket.AF_UNIX else ("127.0.0.1", 0)


def told(connection, kind):
    return [e.data for e in connection.transcript if e.kind is kind]


# ── StreamRequestHandler ──


@pytest.mark.parametrize("server_class", STREAMS)
@pytest.mark.parametrize("buffers", [(-1, 0), (0, 0), (-1, -1), (8192, 8192), (1, 3)], ids=str)
def test_lines_of_a_stream_handler_whatever_its_buffers(serve, connect, tmp_path, server_class, buffers):
    class Lines(socketserver.StreamRequestHandler):
        rbufsize, wbufsize = buffers

        def handle(self):
            for line in self.rfile:
                self.wfile.write(line.upper())
                self.wfile.flush()
                if line == b"ask\n":
                    self.wfile.write(input("what? ").encode())

    server = serve(Lines, server_class, address_for(server_class, tmp_path))
    client = connect(server)
    client.sendall(b"one\ntwo\nask\n")
    answers = client.makefile("rb")
    assert [answers.readline() for _ in range(3)] == [b"ONE\n", b"TWO\n", b"ASK\n"]
    assert server[1].wait_waiting(5)
    server[1].reply("typed")  # in the buffer, if there is one, until finish() flushes it
    client.shutdown(socket.SHUT_WR)
    assert answers.read() == b"typed"
    answers.close()
    server[1].wait_closed(5)
    assert (server[1].state, server[1].note) == (ConnectionState.CLOSED, "the client closed")
    assert (server[1].bytes_in, server[1].bytes_out) == (12, 17)
    assert b"".join(told(server[1], Kind.RECEIVED)) == b"one\ntwo\nask\n"
    assert b"".join(told(server[1], Kind.SENT)) == b"ONE\nTWO\nASK\ntyped"
    assert server.observation.errors == 0


def test_what_waits_in_a_buffer_is_sent_in_one_message(serve, connect):
    class Drips(socketserver.StreamRequestHandler):
        wbufsize = 8192

        def handle(self):
            for _ in range(100):
                self.wfile.write(b"drip ")

    server = serve(Drips)
    assert connect(server, 1).makefile("rb").read() == b"drip " * 100
    server[1].wait_closed(5)
    assert (server[1].messages_out, server[1].bytes_out) == (1, 500)


def test_a_buffer_for_a_client_that_has_gone_is_no_error(serve, connect, until):
    class Keeps(socketserver.StreamRequestHandler):
        wbufsize = -1

        def handle(self):
            self.wfile.write(b"never read")
            self.rfile.read()

    server = serve(Keeps)
    client = connect(server, 1)
    until(lambda: server[1].status == "receiving")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    server[1].wait_closed(5)
    assert (server[1].state, server.observation.errors) == (ConnectionState.RESET, 0)


@pytest.mark.parametrize("server_class", TCP_AND_THREADS)
@pytest.mark.parametrize("is_caught", [True, False])
def test_the_time_limit_of_a_stream_handler_is_its_own(serve, connect, server_class, is_caught):
    class Hurried(socketserver.StreamRequestHandler):
        timeout = 0.05

        def handle(self):
            try:
                self.rfile.readline()
            except TimeoutError:
                if not is_caught:
                    raise
                self.wfile.write(b"too slow\n")

    server = serve(Hurried, server_class)
    assert connect(server, 1).makefile("rb").read() == (b"too slow\n" if is_caught else b"")
    server[1].wait_closed(5)
    assert server[1].state is (ConnectionState.CLOSED if is_caught else ConnectionState.FAILED)
    assert server[1].note == ("the server closed" if is_caught else "TimeoutError: timed out")
    quick = connect(server, 2)  # the server goes on
    quick.sendall(b"\n")
    assert quick.recv(10) == b""
    assert not server.observation.trouble


def test_the_time_limit_does_not_strike_a_handler_that_waits_for_a_person(serve, connect, until):
    class Hurried(socketserver.StreamRequestHandler):
        timeout = 0.05

        def handle(self):
            self.wfile.write(input("name? ").encode())

    server = serve(Hurried)
    client = connect(server, 1)
    assert server[1].wait_waiting(5)
    assert not server.journal.wait_for(lambda: server[1].is_over, 0.2)
    server[1].reply("Ann")
    assert client.recv(10) == b"Ann"


def test_nagles_algorithm_is_switched_off_where_the_handler_says_so(serve, connect):
    class Quick(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self):
            self.wfile.write(b"%d" % self.connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    assert connect(serve(Quick), 1).recv(1) != b"0"


# ── DatagramRequestHandler ──


@pytest.mark.parametrize("server_class", DATAGRAMS)
def test_a_datagram_handler_answers_with_one_datagram(serve, until, tmp_path, server_class):
    class Upper(socketserver.DatagramRequestHandler):
        def handle(self):
            self.wfile.write(self.rfile.read().upper())
            self.wfile.write(input("and? ").encode())

    server = serve(Upper, server_class, address_for(server_class, tmp_path))
    with socket.socket(server.base.address_family, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        if server_class.address_family == socket.AF_UNIX:
            client.bind(str(tmp_path / "c"))
        client.connect(server.address)
        for text, answer in [(b"one ", b"ONE more"), (b"", b"more")]:
            client.send(text)
            server.wait_for_connections(1, 5)
            assert server[1].wait_waiting(5)
            server[1].reply("more")
            assert client.recv(100) == answer
    assert server.accepted == 1
    # Heard before sendto() has returned here, and told by two threads.
    until(lambda: sorted(told(server[1], Kind.SENT)) == [b"ONE more", b"more"])
    assert (server[1].messages_in, server[1].bytes_in, server[1].messages_out, server[1].bytes_out) == (2, 4, 2, 12)


def test_fault_54_a_datagram_handler_that_writes_nothing_answers_nobody(serve, connect, until):
    """The standard library's would answer with an empty datagram whomever the sender says that he is."""

    class Selects(socketserver.DatagramRequestHandler):
        def handle(self):
            data = self.rfile.read()
            self.wfile.write(data if data != b"anybody?" else b"")

    server = serve(Selects, socketserver.UDPServer)
    client = connect(server)
    client.send(b"anybody?")
    client.send(b"me")
    assert client.recv(10) == b"me", "the first that is heard is the answer to the second"
    until(lambda: server[1].messages_out == 1)
    assert told(server[1], Kind.SENT) == [b"me"]
    server.base.socket.sendto(b"", client.getsockname())  # an empty datagram that somebody means is sent
    assert client.recv(10) == b""


@pytest.mark.parametrize("server_class", DATAGRAMS[:2])
def test_an_error_in_a_datagram_handler_is_on_its_row_and_the_peer_is_heard_again(serve, connect, server_class):
    class Fails(socketserver.DatagramRequestHandler):
        def handle(self):
            self.wfile.write(b"%d" % (12 // int(self.rfile.read())))

    server = serve(Fails, server_class)
    client = connect(server)
    client.send(b"0")
    server.wait_for_connections(1, 5)
    assert server.journal.wait_for(lambda: server.observation.errors == 1, 5)
    assert server[1].note == "ZeroDivisionError: integer division or modulo by zero"
    client.send(b"4")
    assert client.recv(10) == b"3"
    assert server.accepted == 1


# ── what a handler does with its socket ──


@pytest.fixture
def handled(serve, connect):
    """Serves one client with a function of the socket; gives the connection and the client."""

    def make(function, server_class=socketserver.ThreadingTCPServer):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                function(self.request)

        server = serve(Handler, server_class)
        client = connect(server, 1)
        return server[1], client

    return make


SELECTORS = [
    getattr(selectors, name)
    for name in ("SelectSelector", "PollSelector", "EpollSelector", "KqueueSelector")
    if hasattr(selectors, name)
]


@pytest.mark.parametrize("selector_class", SELECTORS)
def test_a_handler_may_wait_with_selectors_and_without_blocking(handled, selector_class):
    def echo(sock):
        sock.setblocking(False)
        with selector_class() as selector, pytest.raises(BlockingIOError):
            selector.register(sock, selectors.EVENT_READ)
            while selector.select(5) and (data := sock.recv(100)):
                sock.sendall(data)
                if data == b"two":
                    sock.recv(100)

    connection, client = handled(echo)
    for text in (b"one", b"two"):
        client.sendall(text)
        assert client.recv(10) == text
    assert client.recv(10) == b""
    connection.wait_closed(5)
    assert (connection.state, connection.note) == (ConnectionState.CLOSED, "the server closed")
    assert (connection.messages_in, connection.messages_out) == (2, 2)


def test_a_handler_that_waits_with_selectors_is_ended_by_the_stop(serve, connect):
    waiting = threading.Event()

    class Waits(socketserver.BaseRequestHandler):
        def handle(self):
            with selectors.DefaultSelector() as selector:
                selector.register(self.request, selectors.EVENT_READ)
                waiting.set()
                selector.select()
                assert self.request.recv(1) == b""

    server = serve(Waits)
    connect(server, 1)
    assert waiting.wait(5)
    report = server.stop()
    assert (report.ended, report.stragglers) == (1, ())
    assert server.observation.errors == 0


def test_a_detached_socket_is_its_new_owners_and_not_closed_for_him(serve, connect):
    taken, given = [], threading.Event()

    class GivesAway(socketserver.BaseRequestHandler):
        def handle(self):
            taken.append(socket.socket(fileno=self.request.detach()))

        def finish(self):
            given.set()

    server = serve(GivesAway)
    client = connect(server, 1)
    assert given.wait(5)
    server[1].wait_closed(5)
    assert server[1].state is ConnectionState.CLOSED and server.observation.errors == 0
    with taken.pop() as owner:
        owner.sendall(b"still here")
        assert client.recv(100) == b"still here"
        assert not server.stop().stragglers
        client.sendall(b"after the stop")
        assert owner.recv(100) == b"after the stop"


def test_a_socket_that_is_detached_and_wrapped_again_in_the_handler_is_one_row(handled):
    def wrap(sock):
        with socket.socket(fileno=sock.detach()) as other:
            other.sendall(other.recv(10))

    connection, client = handled(wrap)
    client.sendall(b"x")
    assert client.recv(10) == b"x"
    assert client.recv(10) == b""
    connection.wait_closed(5)
    assert connection.state is ConnectionState.CLOSED


def test_ancillary_data_passes_a_file_through_an_observed_socket(serve, connect, tmp_path):
    class Takes(socketserver.BaseRequestHandler):
        def handle(self):
            assert isinstance(self.request, ObservedSocket)
            message, files, *_ = socket.recv_fds(self.request, 100, 1)
            with open(files[0], "rb") as file:
                socket.send_fds(self.request, [message, file.read()], [file.fileno()])

    server = serve(Takes, socketserver.ThreadingUnixStreamServer, str(tmp_path / "s"))
    client = connect(server)
    (tmp_path / "file").write_bytes(b"in the file")
    with open(tmp_path / "file", "rb") as file:
        socket.send_fds(client, [b"read this: "], [file.fileno()])
    message, files, *_ = socket.recv_fds(client, 100, 1)
    with open(files[0], "rb") as file:
        assert (message, file.read()) == (b"read this: in the file", b"")
    server[1].wait_closed(5)
    assert told(server[1], Kind.RECEIVED) == [b"read this: "]
    assert told(server[1], Kind.SENT) == [b"read this: in the file"]


@pytest.mark.parametrize("mode", ["r", "w", "rw", "rb", "wb", "rwb"])
def test_a_file_made_of_the_socket_outlives_it_in_the_handler(handled, mode):
    def exchange(sock):
        with sock.makefile(mode) as file:
            sock.close()  # the standard library keeps the descriptor while the file lives
            if "r" in mode:
                assert len(file.readline()) == 6
            if "w" in mode:
                file.write(b"world\n" if "b" in mode else "world\n")

    connection, client = handled(exchange)
    if "r" in mode:
        client.sendall(b"hello\n")
    assert client.makefile("rb").read() == (b"world\n" if "w" in mode else b"")
    connection.wait_closed(5)
    assert connection.state is ConnectionState.CLOSED
    assert connection.bytes_in == (6 if "r" in mode else 0)
    assert connection.bytes_out == (6 if "w" in mode else 0)


def test_a_part_of_a_file_is_sent(handled):
    connection, client = handled(lambda sock: sock.sendfile(io.BytesIO(b"0123456789"), offset=2, count=5))
    assert client.makefile("rb").read() == b"23456"
    connection.wait_closed(5)
    assert connection.bytes_out == 5


def test_a_message_is_received_into_a_part_of_a_buffer(handled):
    def receive(sock):
        buffer = bytearray(b"." * 10)
        sock.recv_into(memoryview(buffer)[2:], 3)
        sock.sendall(buffer)

    connection, client = handled(receive)
    client.sendall(b"hello")
    assert client.recv(20) == b"..hel....."
    connection.wait_closed(5)
    assert told(connection, Kind.RECEIVED) == [b"hel"]


# ── what a server class sets and overrides ──


@pytest.mark.parametrize("server_class", [socketserver.TCPServer, socketserver.UDPServer])
def test_service_actions_are_called_while_nobody_comes(serve, server_class):
    class Counts(server_class):
        def service_actions(self):
            called.release()

    called = threading.Semaphore(0)
    serve(net.Echo, Counts)
    for _ in range(2):
        assert called.acquire(timeout=5)


def test_the_backlog_that_a_class_asks_for_is_what_it_gets(serve, connect):
    class Short(socketserver.TCPServer):
        request_queue_size = 1

    class Waits(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(1)

    server = serve(Waits, Short)
    connect(server, 1)
    for _ in range(2):
        connect(server)  # Linux lets one more than the backlog wait
    with socket.socket() as fourth:
        fourth.setblocking(False)
        with pytest.raises(BlockingIOError):
            fourth.connect(server.address)
        assert not server.journal.wait_for(lambda: server.accepted > 1, 0.1)
        with selectors.DefaultSelector() as selector:
            selector.register(fourth, selectors.EVENT_WRITE)
            assert selector.select(0.2) == []


@pytest.mark.parametrize("server_class", DATAGRAMS)
def test_the_largest_datagram_that_a_class_asks_for(serve, tmp_path, server_class):
    class Small(server_class):
        max_packet_size = 4

    server = serve(net.Echo, Small, address_for(server_class, tmp_path))
    with socket.socket(server.base.address_family, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        if server_class.address_family == socket.AF_UNIX:
            client.bind(str(tmp_path / "c"))
        client.sendto(b"123456", server.address)
        assert client.recv(10) == b"1234"
    assert "was cut to max_packet_size, 4 bytes" in server.observation.trouble
