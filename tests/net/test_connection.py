"""One connection: its sockets, its replies, its end."""

from __future__ import annotations

import io
import socket
import socketserver
import sys
import threading

import pytest

from nbserver import net
from nbserver.errors import AlreadyAnswered, Busy, NotHeard
from nbserver.events import KEPT_BYTES, Kind
from nbserver.net import address_text, proc
from nbserver.net.connection import Connection
from nbserver.states import CONNECTION_TRANSITIONS, ConnectionState


@pytest.fixture
def handled(serve, connect):
    """Serves one client with a function; gives the connection and the client."""

    def make(function):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                function(self.request)

        server = serve(Handler)
        client = connect(server, 1)
        return server[1], client

    return make


def told(connection, kind):
    return [(e.data, e.size) for e in connection.transcript if e.kind is kind]


def receive_into(sock):
    buffer = bytearray(10)
    return bytes(buffer[: sock.recv_into(buffer)])


def receive_message_into(sock):
    one, two = bytearray(2), bytearray(8)
    size = sock.recvmsg_into([one, two])[0]
    return bytes(one + two)[:size]


RECEIVING = {
    "recv": lambda sock: sock.recv(10),
    "recv_into": receive_into,
    "recvfrom": lambda sock: sock.recvfrom(10)[0],
    "recvfrom_into": receive_into,
    "recvmsg": lambda sock: sock.recvmsg(10)[0],
    "recvmsg_into": receive_message_into,
    "makefile": lambda sock: sock.makefile("rb", buffering=0).read(10),
}
SENDING = {
    "send": lambda sock: sock.send(b"hello"),
    "sendall": lambda sock: sock.sendall(memoryview(b"hello")),
    "sendmsg": lambda sock: sock.sendmsg([b"he", b"llo"]),
    "sendfile": lambda sock: sock.sendfile(io.BytesIO(b"hello")),
    "makefile": lambda sock: sock.makefile("wb", buffering=0).write(b"hello"),
}


@pytest.mark.parametrize("way", RECEIVING)
def test_every_way_to_receive_is_seen(handled, way):
    done = []
    connection, client = handled(lambda sock: [done.append(RECEIVING[way](sock)) for _ in range(2)])
    client.sendall(b"hello")
    client.shutdown(socket.SHUT_WR)
    connection.wait_closed(5)
    assert done == [b"hello", b""]
    assert told(connection, Kind.RECEIVED) == [(b"hello", 5)]
    assert len(told(connection, Kind.EOF)) == 1
    assert (connection.bytes_in, connection.messages_in) == (5, 1)


@pytest.mark.parametrize("way", SENDING)
def test_every_way_to_send_is_seen_once(handled, way):
    connection, client = handled(SENDING[way])
    assert client.recv(10) == b"hello"
    connection.wait_closed(5)
    assert told(connection, Kind.SENT) == [(b"hello", 5)]
    assert connection.bytes_out == 5


def test_a_file_is_sent_and_seen(handled, tmp_path):
    (tmp_path / "file").write_bytes(b"x" * 100_000)

    def send(sock):
        with open(tmp_path / "file", "rb") as file:
            assert sock.sendfile(file) == 100_000

    connection, client = handled(send)
    assert len(client.makefile("rb").read()) == 100_000
    connection.wait_closed(5)
    assert connection.bytes_out == 100_000
    assert sum(size for _, size in told(connection, Kind.SENT)) == 100_000


def test_what_is_looked_at_only_is_not_counted(handled):
    connection, client = handled(lambda sock: (sock.recv(10, socket.MSG_PEEK), sock.recv(10)))
    client.sendall(b"hello")
    connection.wait_closed(5)
    assert connection.bytes_in == 5


def test_a_long_message_is_cut_and_its_size_kept(handled):
    def exchange(sock):
        size = 0
        while size < 100_000:
            size += len(sock.recv(100_000))
        sock.sendall(b"y" * 100_000)

    connection, client = handled(exchange)
    client.sendall(b"x" * 100_000)
    assert len(client.makefile("rb").read()) == 100_000
    connection.wait_closed(5)
    assert (connection.bytes_in, connection.bytes_out) == (100_000, 100_000)
    assert told(connection, Kind.SENT) == [(b"y" * KEPT_BYTES, 100_000)]


def test_a_duplicate_does_not_end_the_connection(handled):
    def duplicate(sock):
        other = sock.dup()
        other.sendall(b"from the duplicate")
        other.close()
        sock.recv(10)
        sock.sendall(b"from the socket")

    connection, client = handled(duplicate)
    assert client.recv(100) == b"from the duplicate"
    assert not connection.is_over
    client.sendall(b"x")
    assert client.recv(100) == b"from the socket"


def test_reply_while_the_handler_sends_is_refused_and_leaves_no_trace(handled, until):
    connection, _ = handled(lambda sock: sock.sendall(b"x" * 50_000_000))
    until(lambda: connection.status == "sending")
    with pytest.raises(Busy, match="connection 1 is sending"):
        connection.reply("now?")
    assert told(connection, Kind.ANSWERED) == []


def test_two_that_reply_at_once_do_not_mix(handled):
    connection, client = handled(lambda sock: sock.recv(1))
    texts = ["a" * 3_000_000, "b" * 3_000_000]
    repliers = [threading.Thread(target=connection.reply, args=(text,), kwargs={"timeout": 5}) for text in texts]
    for thread in repliers:
        thread.start()
    heard = bytearray()
    while len(heard) < 6_000_000:
        heard += client.recv(1_000_000)
    assert bytes(heard).decode() in ("".join(texts), "".join(reversed(texts)))
    for thread in repliers:
        thread.join(5)


def test_an_answer_to_a_question_that_waits_no_more(handled):
    connection, client = handled(lambda sock: [sock.sendall(input(f"{n}?").encode()) for n in range(2)])
    assert connection.wait_waiting(5)
    first = connection.question.number
    connection.reply("one", ask=first)
    assert client.recv(10) == b"one"
    assert connection.wait_waiting(5)
    with pytest.raises(AlreadyAnswered):
        connection.reply("one again", ask=first)
    assert connection.prompt == "1?"
    connection.reply("two", ask=connection.question.number)
    assert client.recv(10) == b"two"
    connection.wait_closed(5)
    assert connection.wait_waiting() is False  # none can come any more: it does not wait for ever


def test_reset_is_seen_by_the_client_even_while_it_sends_without_end(handled):
    def swallow(sock):
        while sock.recv(100_000):
            pass

    connection, client = handled(swallow)
    flooding = threading.Event()

    def flood():
        try:
            while True:
                client.sendall(b"x" * 10_000)
                flooding.set()
        except ConnectionError as error:
            ends.append(error)

    ends = []
    thread = threading.Thread(target=flood)
    thread.start()
    assert flooding.wait(5)
    connection.reset()
    connection.wait_closed(5)
    thread.join(5)
    assert len(ends) == 1
    assert (connection.state, connection.note) == (ConnectionState.CLOSED, "reset by you")
    connection.reset()
    connection.close()


def test_reset_gives_connection_reset(handled):
    connection, client = handled(lambda sock: sock.recv(10))
    connection.reset()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    connection.wait_closed(5)


@pytest.mark.parametrize("act", [Connection.close, Connection.reset])
def test_closing_wakes_a_handler_that_sends(handled, until, act):
    connection, _ = handled(lambda sock: sock.sendall(b"x" * 50_000_000))
    until(lambda: connection.status == "sending")
    act(connection)
    connection.wait_closed(5)
    assert connection.state is ConnectionState.CLOSED
    assert "by you" in connection.note
    assert told(connection, Kind.ERROR) == []


def test_an_error_after_a_reset_is_told(handled, until):
    def fails(sock):
        try:
            while sock.recv(10):
                pass
        except ConnectionResetError:
            raise ValueError("in the clean-up") from None

    connection, client = handled(fails)
    until(lambda: connection.status == "receiving")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    connection.wait_closed(5)
    assert connection.state is ConnectionState.FAILED
    assert b"in the clean-up" in told(connection, Kind.ERROR)[0][0]


def test_wait_closed_gives_up(handled):
    connection, _ = handled(lambda sock: sock.recv(1))
    with pytest.raises(NotHeard, match=r"within 0\.01 s"):
        connection.wait_closed(0.01)


def test_connections_that_ended_are_forgotten_after_a_while_and_counted(serve):
    server = serve(net.Echo)
    for number in range(1, 1101):
        connection = server.observation.open(("127.0.0.1", number), None)
        connection.received(b"x", 1)
        connection.end()
    assert len(server.connections) == 1000
    assert server.observation.forgotten == [100, 100, 0, 100, 0]


def test_a_connection_cannot_come_back(serve):
    connection = serve(net.Echo).observation.open(("127.0.0.1", 1), None)
    connection.end("first")
    connection.served()
    connection.peer_closed()
    connection.end("second")
    assert not CONNECTION_TRANSITIONS[connection.state]
    assert connection.note == "first"
    assert len(told(connection, Kind.CLOSED)) == 1


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (("127.0.0.1", 8008), "127.0.0.1:8008"),
        (("::1", 8008, 0, 0), "[::1]:8008"),
        ("/run/\x1b[2J", r"/run/\x1b[2J"),
        ("", "(unnamed)"),
        (None, "(unnamed)"),
        (b"\0abstract", "@abstract"),
    ],
)
def test_addresses_are_safe_to_show(address, text):
    assert address_text(address) == text


def test_who_holds_a_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert proc.port_holder(port).kind == "here"
    assert proc.port_holder(port).kind in ("", "waiting")  # a client of an earlier test may have had this port


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_whether_a_peer_lives(family):
    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    with socket.create_server((host, 0), family=family) as listener:
        client = socket.create_connection(listener.getsockname()[:2])
        accepted, peer = listener.accept()
        client.shutdown(socket.SHUT_WR)
        assert accepted.recv(1) == b""
        own = accepted.getsockname()[:2]
        assert proc.is_alive(*peer[:2], *own) is True
        client.close()
        assert proc.is_alive(*peer[:2], *own) is False
        accepted.close()
    assert proc.is_alive("not an address", 1, "", 0) is None
    assert proc.is_alive("203.0.113.1", 1, "127.0.0.1", 1) is None


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is not known which peer lives")
def test_another_socket_with_the_port_of_one_that_has_gone_is_not_it():
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        clients = [socket.socket(), socket.socket()]
        address = ("127.0.0.1", 0)
        for client in clients:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            client.bind(address)
            address = client.getsockname()
        for client, listener in zip(clients, (one, two), strict=True):
            client.connect(listener.getsockname())
        with one.accept()[0] as accepted, clients[1]:
            clients[0].close()
            assert accepted.recv(1) == b""
            peer, own = clients[1].getsockname(), accepted.getsockname()
            assert proc.is_alive(*peer, *own) is False
            assert proc.is_alive(*peer, *two.getsockname()) is True


def test_a_flood_is_counted_whole_and_kept_in_part():
    """256 KiB of transcript while it lives, and what came since it was cut last; 64 KiB when it has ended."""
    with net.listen(net.Echo) as server, socket.create_connection(server.address) as sock:
        for _ in range(400):
            sock.sendall(b"x" * 4096)
            got = 0
            while got < 4096:
                got += len(sock.recv(65_536))
        kept = [len(event.data) for event in server[1].transcript]
        assert server[1].bytes_in == 400 * 4096
        assert 2**16 < sum(kept) <= 2**18 + 2 * 64 * 4096
        sock.shutdown(socket.SHUT_WR)
        server[1].wait_closed(5)
        assert sum(len(event.data) for event in server[1].transcript) <= 2**16
        told = {kind: [e for e in server.journal if e.kind is kind] for kind in Kind}
        passed = sum(event.size for event in told[Kind.PASSED])
        assert passed > 0, "a flood is not kept whole"
        carried = server[1].messages_in + server[1].messages_out
        assert len(told[Kind.RECEIVED]) + len(told[Kind.SENT]) + passed == carried


def test_what_is_slow_is_kept_whole(handled, until):
    """Credit is renewed: a connection that is quick for a moment, and then slow, loses nothing of what is slow."""
    connection, client = handled(lambda sock: [sock.sendall(sock.recv(100)) for _ in range(1001)])
    for _ in range(1000):
        client.sendall(b"quick")
        assert client.recv(100) == b"quick"
    until(lambda: connection.credit > 2)  # the clock has ticked
    passed = [event.size for event in connection.transcript if event.kind is Kind.PASSED]
    assert passed, "so many at once are not kept whole"
    client.sendall(b"slow")
    assert client.recv(100) == b"slow"
    connection.wait_closed(5)
    assert [event.data for event in connection.transcript if event.data == b"slow"] == [b"slow", b"slow"]


def test_whoever_has_waited_for_a_connection_finds_it(serve, connect, monkeypatch):
    class Slow(Connection):
        def __init__(self, *args):
            super().__init__(*args)
            self._journal.wait_for(lambda: False, 0.1)  # told already that it is there: those who wait look now

    monkeypatch.setattr(net.observation, "Connection", Slow)
    server = serve(net.Echo)
    connect(server, 1)
    assert server[1].number == server.accepted == 1


def read_all(sock):
    while sock.recv(100):
        pass


def test_what_goes_past_the_handler_stands_above_the_answer_to_it(handled):
    """A client that answers at once may be heard before send() has returned here."""
    connection, client = handled(read_all)

    def answer():
        while question := client.recv(100):
            client.sendall(question.upper())

    answering = threading.Thread(target=answer)
    answering.start()
    for n in range(60):  # within what is kept of a connection at once
        connection.send(b"question %d" % n)
        assert connection.receive(timeout=5) == b"QUESTION %d" % n
    connection.close()
    answering.join(5)
    kinds = [event.kind for event in connection.transcript if event.kind in (Kind.SENT, Kind.RECEIVED)]
    assert kinds == [Kind.SENT, Kind.RECEIVED] * 60
