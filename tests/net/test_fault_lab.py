"""The fault lab: what goes wrong on purpose acts on the real stream, is told in words, and is undone in order."""

from __future__ import annotations

import socket
import socketserver
import threading
import time

import pytest

from nbserver import net
from nbserver.errors import ConnectionEnded, NotReading, UsageError
from nbserver.events import Kind
from nbserver.net.sockets import ObservedDatagramSocket, ObservedSocket
from nbserver.net.tls import TLSSocket

STREAMS = pytest.mark.parametrize("family", ["ipv4", "unix"], indirect=True)


class Echo(socketserver.BaseRequestHandler):
    """The textbook's."""

    def handle(self):
        while data := self.request.recv(65_536):
            self.request.sendall(data)


class Lines(socketserver.StreamRequestHandler):
    """The textbook's, by files."""

    def handle(self):
        for line in self.rfile:
            self.wfile.write(line)


class Answers(socketserver.BaseRequestHandler):
    """The textbook's, for datagrams."""

    def handle(self):
        data, sock = self.request
        sock.sendto(data, self.client_address)


class Floods(socketserver.BaseRequestHandler):
    """Sends more than any buffer holds, and says when it is done."""

    size = 2**24

    def handle(self):
        self.request.recv(100)
        self.request.sendall(bytes(self.size))


def heard(client, size, began=0.0):
    """What came until `size` bytes were there: each piece with the seconds since `began`."""
    pieces = []
    while sum(len(data) for _, data in pieces) < size:
        data = client.recv(65_536)
        assert data, pieces
        pieces.append((time.monotonic() - began, data))
    return pieces


def echoed(client, data):
    """What comes back of `data`, which is sent now: each piece with the seconds since then."""
    began = time.monotonic()  # before: the answer may be under way when this thread runs again
    client.sendall(data)
    return heard(client, len(data), began)


def texts(connection, kind=Kind.RECEIVED):
    return [event.data for event in connection.transcript if event.kind is kind]


def is_silent(client, seconds=0.05):
    """Whether nothing comes; to be asked when what could come has been held."""
    client.settimeout(seconds)
    try:
        client.recv(1)
    except TimeoutError:
        return True
    finally:
        client.settimeout(5)
    return False


def is_waiting(server, until):
    until(lambda: server[1].status == "receiving")


@pytest.mark.parametrize(("family", "handler"), [("ipv4", Lines), ("unix", Echo)], indirect=["family"])
def test_delay_is_there_each_way_and_undone_at_once(serve, connect, until, handler):
    server = serve(handler)
    client = connect(server, 1)
    is_waiting(server, until)  # its recv() has begun before the fault is set, and is met all the same
    with server.faults.add("delay", seconds=0.05) as fault:
        for _ in range(2):
            assert echoed(client, b"hello\n")[-1][0] >= 0.1
        assert (fault.acted, fault.seen) == (4, 4)
        fault.values["seconds"] = 60
        client.sendall(b"one\n")
        until(lambda: fault.seen == 5)
    assert heard(client, 4)[0][1] == b"one\n"  # within the client's 5 s, not after 60
    until(lambda: type(server[1].socket) is ObservedSocket and server[1].wire is None)
    assert [text for text in texts(server[1], Kind.NOTICE) if b"fault" in text] == [
        b"fault 1 is set: 0.05 s of delay, both ways",
        b"fault 1 is undone, it acted 5 times: 60 s of delay, both ways",
    ]


def test_a_delay_does_not_hold_up_the_handler(serve, connect, until):
    server = serve(Echo)
    client = connect(server, 1)
    server[1].faults.add("delay", seconds=0.15, direction="to_client")
    began = time.monotonic()
    for number in range(20):
        client.sendall(b"%d" % (number % 10))
        until(lambda number=number: server[1].messages_out == number + 1)
    assert b"".join(data for _, data in heard(client, 20)) == b"01234567890123456789"
    assert time.monotonic() - began < 20 * 0.15  # all were under way at once


def test_jitter_never_changes_the_order_of_a_stream(serve, connect, until):
    server = serve(Echo)
    client = connect(server, 1)
    server.faults.add("delay", seconds=0.03, jitter=0.03)
    sent = b"".join(b"%03d " % number for number in range(40))
    for at in range(0, len(sent), 4):
        client.sendall(sent[at : at + 4])
    assert b"".join(data for _, data in heard(client, len(sent))) == sent


@STREAMS
def test_split_makes_two_recv_of_one_send(serve, connect, until):
    server = serve(Echo)
    client = connect(server, 1)
    is_waiting(server, until)
    with server.faults.add("split", at=2, direction="from_client"):
        for _ in range(2):
            client.sendall(b"hello")
            heard(client, 5)
    assert texts(server[1]) == [b"he", b"llo"] * 2
    with server.faults.add("split", at=2, pause=0.2, direction="to_client") as fault:
        client.sendall(b"hello")
        pieces = heard(client, 5)
        assert [data for _, data in pieces] == [b"he", b"llo"]
        client.sendall(b"hi")
        heard(client, 2)
        assert (fault.acted, fault.seen) == (1, 2)


@STREAMS
def test_merge_makes_one_recv_of_several_send(serve, connect, until):
    server = serve(Echo)
    client = connect(server, 1)
    with server.faults.add("merge", size=6, seconds=60, direction="from_client"):
        for part in (b"ab", b"cd", b"ef"):
            assert server[1].bytes_in == 0
            client.sendall(part)
        assert b"".join(data for _, data in heard(client, 6)) == b"abcdef"
    assert texts(server[1])[-1].endswith(b"ef") and len(texts(server[1])) <= 2
    with server.faults.add("merge", size=6, seconds=60, direction="to_client"):
        for part in (b"ab", b"cd", b"ef"):
            out = server[1].messages_out
            client.sendall(part)
            until(lambda out=out: server[1].messages_out > out)
        assert [data for _, data in heard(client, 6)] == [b"abcdef"]
    with server.faults.add("merge", seconds=0.05):
        assert echoed(client, b"x")[0][0] >= 0.1  # long enough is enough, each way


@pytest.mark.parametrize("direction", ["to_client", "from_client"])
def test_bandwidth_lets_so_many_bytes_through_each_second(serve, connect, direction):
    server = serve(Echo)
    client = connect(server, 1)
    with server.faults.add("bandwidth", rate=1000, direction=direction):
        pieces = echoed(client, b"x" * 300)
    assert len(pieces) > 1  # and more, if this thread reads often enough
    assert pieces[-1][0] >= 0.3


@STREAMS
def test_a_slow_reader_blocks_the_handlers_send(serve, connect, until):
    server = serve(Floods)
    client = connect(server, 1)
    fault = server[1].faults.add("slow_reader", rate=0, buffer=2048)
    client.sendall(b"go")
    until(lambda: server[1].status == "sending")
    assert is_silent(client)
    fault.undo()
    assert sum(len(data) for _, data in heard(client, Floods.size)) == Floods.size
    server[1].wait_closed(5)


def test_a_person_is_told_that_a_slow_reader_does_not_read(serve, connect, until):
    server = serve(Echo)
    client = connect(server, 1)
    fault = server[1].faults.add("slow_reader", rate=0, buffer=5)
    with pytest.raises(NotReading, match="5 of 9 bytes were sent"):
        server[1].send(b"too long!", timeout=0.1)
    fault.undo()
    assert b"".join(data for _, data in heard(client, 5)) == b"too l"


@STREAMS
def test_a_black_hole_is_silent_and_loses_nothing(serve, connect, until):
    server = serve(Echo)
    client = connect(server, 1)
    is_waiting(server, until)
    for direction in ("to_client", "from_client"):
        with server.faults.add("black_hole", direction=direction) as fault:
            client.sendall(b"are you ")
            until(lambda fault=fault: fault.seen == 1)
            assert is_silent(client)
            client.sendall(b"there?")
        assert b"".join(data for _, data in heard(client, 14)) == b"are you there?"
    assert not server[1].is_over


def test_a_tick_that_is_late_leaves_the_next_fault_where_it_is(serve, connect, until):
    server = serve(Echo)
    connect(server, 1)
    with server.faults.add("delay", seconds=0):
        gone = server[1].wire
    until(lambda: server[1].wire is None)
    with server.faults.add("black_hole"):
        assert not gone.outgoing.tick()  # as when its handler asks for one while it leaves
        assert server[1].wire is not None


@pytest.mark.parametrize(("name", "args"), [("shutdown", (socket.SHUT_WR,)), ("detach", ()), ("_real_close", ())])
def test_a_call_that_has_begun_when_the_last_fault_goes_is_done(serve, connect, until, name, args):
    server = serve(Echo)
    client = connect(server, 1)
    is_waiting(server, until)
    sock = server[1].socket
    with server.faults.add("delay", seconds=0):
        call = getattr(sock, name)
    until(lambda: type(sock) is ObservedSocket)
    rest = call(*args)
    if name == "detach":
        socket.socket(fileno=rest).close()
    client.close()
    server[1].wait_closed(5)


def test_a_fault_does_not_hold_the_end_of_who_was_hung_up_on_before(serve, connect, until):
    may_read = threading.Event()

    class Busy(socketserver.BaseRequestHandler):
        def handle(self):
            may_read.wait(5)
            self.request.recv(1)

    server = serve(Busy)
    connect(server, 1)
    server[1].close()
    server.faults.add("black_hole")
    may_read.set()
    server[1].wait_closed(5)


@pytest.mark.parametrize("end", ["close", "reset", "stop", "client"])
@pytest.mark.parametrize("fault", ["black_hole", "delay"])
def test_nothing_is_in_the_way_of_an_end(serve, connect, until, end, fault):
    server = serve(Echo)
    client = connect(server, 1)
    is_waiting(server, until)
    server.faults.add(fault, direction="to_client", **({"seconds": 60} if fault == "delay" else {}))
    client.sendall(b"x")
    until(lambda: server[1].messages_out == 1)  # it is in the queue
    if fault == "black_hole":
        server.faults.add(fault, direction="from_client")
    began = time.monotonic()
    {"close": server[1].close, "reset": server[1].reset, "stop": server.stop, "client": client.close}[end]()
    if end == "client" and fault == "black_hole":
        server.stop()  # a black hole hides the end, too
    server[1].wait_closed(5)
    assert time.monotonic() - began < 2
    if end == "reset":
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    elif end != "client":
        assert b"".join(iter(lambda: client.recv(9), b"")) == (b"x" if fault == "delay" else b"")


def test_what_is_under_way_outlives_its_handler_and_the_end_comes_after_it(serve, connect):
    class Once(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.sendall(b"good ")
            self.request.sendall(b"bye")

    server = serve(Once)
    fault = server.faults.add("delay", seconds=0.1)
    client = connect(server, 1)
    server[1].wait_closed(5)
    assert b"".join(data for _, data in heard(client, 8)) == b"good bye"
    assert client.recv(1) == b""
    fault.undo()
    fault = server.faults.add("black_hole")
    client = connect(server, 2)
    server[2].wait_closed(5)
    assert is_silent(client)
    fault.undo()
    assert b"".join(iter(lambda: client.recv(99), b"")) == b"good bye"
    server.faults.add("black_hole")
    client = connect(server, 3)
    server[3].wait_closed(5)
    server.stop()
    assert client.recv(1) == b""


def test_who_connects_later_is_met_and_one_fault_can_be_for_one(serve, connect, until):
    server = serve(Echo)
    first = connect(server, 1)
    hole = server[1].faults.add("black_hole")
    server.faults.add("delay", seconds=0.05)
    second = connect(server, 2)
    first.sendall(b"x")
    assert echoed(second, b"x")[0][0] >= 0.1
    until(lambda: hole.seen == 1)
    assert is_silent(first)
    assert texts(server[2], Kind.NOTICE) == [b"fault 2 is set: 0.05 s of delay, both ways"]
    assert [len(server.faults), len(server[1].faults), len(server[2].faults)] == [2, 1, 0]
    first.close()
    server[1].faults.clear()
    server[1].wait_closed(5)
    assert [fault.number for fault in server.faults] == [2]
    server.faults.clear()
    second.sendall(b"x")
    assert heard(second, 1)[0][1] == b"x"
    with pytest.raises(ConnectionEnded):
        server[1].faults.add("delay")


def test_no_fault_is_on_no_bytes_path(serve, connect, until):
    server = serve(Echo)
    client = connect(server, 1)
    fault = server.faults.add("split")
    assert type(server[1].socket) is not ObservedSocket
    fault.undo()
    until(lambda: type(server[1].socket) is ObservedSocket)
    client.sendall(b"x")
    assert heard(client, 1) and server[1].wire is None


def test_half_close_the_client_reads_the_end_and_can_still_send(serve, connect):
    class Counts(socketserver.BaseRequestHandler):
        def handle(self):
            while self.request.recv(100):
                pass
            self.request.sendall(b"too late")

    server = serve(Counts)
    client = connect(server, 1)
    server[1].half_close()
    assert client.recv(1) == b""
    client.sendall(b"still here")
    assert server[1].receive(timeout=5) == b"still here"
    client.shutdown(socket.SHUT_WR)
    server[1].wait_closed(5)
    assert server[1].note.startswith("BrokenPipeError")  # its own doing: the peer has not vanished
    with pytest.raises(ConnectionEnded):
        server[1].half_close()


@pytest.mark.parametrize("kind", ["delay", "split", "black_hole"])
def test_under_tls_it_acts_on_the_records(serve, until, kind):
    certificate = net.throwaway_certificate()
    server = serve(Lines, access=net.Access(tls=certificate))
    fault = server.faults.add("delay", seconds=0.02)  # the handshake takes longer, and is done
    with certificate.client.wrap_socket(
        socket.create_connection(server.address, 5), server_hostname="localhost"
    ) as client:
        client.sendall(b"hello\n")
        assert client.recv(100) == b"hello\n"
        fault.undo()
        with server.faults.add(
            kind, **{"delay": {"seconds": 0.05}, "split": {"at": 3, "pause": 0.02}}.get(kind, {})
        ) as fault:
            client.sendall(b"again\n")
            if kind == "black_hole":
                until(lambda: fault.seen)
                assert is_silent(client)
            else:
                assert client.recv(100) == b"again\n"
        if kind == "black_hole":
            assert client.recv(100) == b"again\n"
        assert type(server[1].socket) is TLSSocket or server[1].wire is not None
    server[1].wait_closed(5)


def test_a_handler_with_a_time_limit_meets_it(serve, connect, until):
    found = []

    class Impatient(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.settimeout(0.05)
            try:
                found.append(self.request.recv(10))
            except TimeoutError as error:
                found.append(str(error))
            self.request.settimeout(None)
            self.request.sendall(self.request.recv(10))

    server = serve(Impatient)
    server.faults.add("delay", seconds=0.2, direction="from_client")
    client = connect(server)
    client.sendall(b"late")
    assert heard(client, 4)[0][1] == b"late"
    assert found == ["timed out"]


def test_what_cannot_be_had_is_refused_in_words(serve, connect):
    server = serve(Echo)
    connect(server, 1)
    for name, values, said in (
        ("nonsense", {}, "there is no fault 'nonsense'; there are: delay"),
        ("drop", {}, "no 'drop' for a stream"),
        ("delay", {"seconds": "soon"}, "seconds of delay is seconds from 0 to 60, not 'soon'"),
        ("delay", {"seconds": float("nan")}, "seconds of delay"),
        ("delay", {"seconds": -1}, "from 0 to 60, not -1"),
        ("delay", {"jitter": True}, "not True"),
        ("split", {"at": 1.5}, "at of split is a whole number of bytes from 1 to 65536, not 1.5"),
        ("split", {"wide": 1}, "split has no 'wide'; it takes: at, pause"),
        ("bandwidth", {"rate": 0}, "rate of bandwidth is bytes per second from 1"),
        ("slow_reader", {"direction": "from_client"}, "the direction of slow_reader is one of 'to_client'"),
        ("delay", {"direction": "up"}, "'both', 'to_client', 'from_client'"),
    ):
        with pytest.raises(UsageError, match="^.*" + said.replace("(", r"\(")):
            server[1].faults.add(name, **values)
    assert list(server.faults) == []
    for _ in range(net.MOST_FAULTS):
        server.faults.add("delay")
    with pytest.raises(UsageError, match="at most 50 faults"):
        server.faults.add("delay")
    server.stop()
    with pytest.raises(UsageError, match="the server has been stopped"):
        server.faults.add("delay")


class TestDatagrams:
    """Of datagrams some are lost, come twice, or are overtaken; a seed makes it repeatable."""

    @pytest.fixture
    def client(self, serve, connect):
        self.server = serve(Answers, socketserver.UDPServer)
        return connect(self.server)

    def say(self, client, count):
        for number in range(count):
            client.send(b"%d" % number)

    def came(self, client, count):
        """So many answers, in the order in which they came, and no more than these."""
        found = [int(client.recv(100)) for _ in range(count)]
        assert is_silent(client)
        return found

    @pytest.mark.parametrize(
        ("family", "direction"), [("ipv4", "to_client"), ("unix", "from_client")], indirect=["family"]
    )
    def test_drop(self, client, until, direction):
        found = []
        for _ in range(2):
            with self.server.faults.add("drop", share=0.5, seed=4, direction=direction) as fault:
                self.say(client, 20)
                until(lambda fault=fault: fault.seen == 20)
                found.append(self.came(client, 20 - fault.acted))
        assert found[0] == found[1] == sorted(found[0])  # the same seed, the same losses
        assert 0 < len(found[0]) < 20
        self.say(client, 20)
        assert self.came(client, 20) == list(range(20))
        until(lambda: type(self.server.base.socket) is ObservedDatagramSocket)

    def test_duplicate_and_reorder(self, client, until):
        with self.server.faults.add("duplicate", share=1, direction="to_client"):
            self.say(client, 3)
            assert self.came(client, 6) == [0, 0, 1, 1, 2, 2]
        with self.server.faults.add("duplicate", share=1, direction="from_client"):
            self.say(client, 3)
            assert sorted(self.came(client, 6)) == [0, 0, 1, 1, 2, 2]
        with self.server.faults.add("reorder", share=0.5, seed=1, direction="from_client") as fault:
            self.say(client, 10)
            until(lambda: fault.seen == 10)
        found = self.came(client, 10)
        assert found != sorted(found) == list(range(10))

    def test_delay_and_a_black_hole(self, client, until):
        with self.server.faults.add("black_hole", direction="to_client") as fault:
            self.say(client, 3)
            until(lambda: self.server.connections and self.server[1].messages_out == 3)  # what the handler did
            assert self.came(client, 0) == [] and fault.acted == 3  # what the fault did is told
        self.say(client, 3)
        assert self.came(client, 3) == [0, 1, 2]
        for direction in ("to_client", "from_client"):
            with self.server.faults.add("delay", seconds=60, direction=direction) as fault:
                self.say(client, 3)
                until(lambda fault=fault: fault.seen == 3)
                assert self.came(client, 0) == []
            assert self.came(client, 3) == [0, 1, 2]  # undone, they go on at once

    def test_a_handler_that_outlives_its_server_leaves_nothing_to_carry(self, serve, connect, until):
        is_stopped, found = threading.Event(), []

        class Late(socketserver.BaseRequestHandler):
            def handle(self):
                is_stopped.wait(5)
                try:
                    self.request[1].sendto(b"too late", self.client_address)
                except OSError as error:
                    found.append(error)

        server = serve(Late, socketserver.ThreadingUDPServer)
        server.faults.add("delay", seconds=60, direction="to_client")
        connect(server).send(b"x")
        until(lambda: server.connections)
        server.stop(0)
        is_stopped.set()
        until(lambda: found)  # as from any closed socket

    def test_a_call_that_has_begun_when_the_last_fault_goes_is_done(self, client, until):
        sock = self.server.base.socket
        with self.server.faults.add("delay", seconds=0):
            carry_out = sock.carry_out
        until(lambda: type(sock) is ObservedDatagramSocket)
        self.say(client, 1)
        assert self.came(client, 1) == [0]
        assert carry_out(b"1", self.server[1].peer) == 1
        assert self.came(client, 1) == [1]

    def test_for_one_peer_alone(self, serve, connect):
        server = serve(Answers, socketserver.UDPServer)
        first, second = connect(server), connect(server)
        for client in (first, second):
            client.send(b"x")
            client.recv(1)
        server[1].faults.add("black_hole")
        first.send(b"x")
        second.send(b"x")
        assert second.recv(1) == b"x"
        assert is_silent(first)
        server.faults.add("delay", seconds=60)
        second.send(b"x")  # held when the server is stopped
        with pytest.raises(UsageError, match="datagrams have no end"):
            server[1].half_close()
        for name in ("split", "merge", "bandwidth", "slow_reader"):
            with pytest.raises(UsageError, match=r"datagrams \(UDP\); there are: delay, black_hole, drop"):
                server.faults.add(name)


def test_many_set_and_undo_while_bytes_go_by(serve, connect):
    server = serve(Echo)
    client = connect(server, 1)
    is_done = threading.Event()

    def meddle():
        while not is_done.is_set():
            for name, values in (
                ("split", {"at": 3, "pause": 0}),
                ("delay", {"seconds": 0.001, "jitter": 0.001}),
                ("merge", {"size": 50, "seconds": 0.002}),
                ("bandwidth", {"rate": 10**6}),
                ("black_hole", {}),
            ):
                with server.faults.add(name, **values):
                    time.sleep(0.001)  # no wait for anything: the meddling itself

    thread = threading.Thread(target=meddle)
    thread.start()
    sent = bytes(range(256)) * 40
    try:
        sender = threading.Thread(target=lambda: [client.sendall(sent[at : at + 7]) for at in range(0, len(sent), 7)])
        sender.start()
        assert b"".join(data for _, data in heard(client, len(sent))) == sent
        sender.join(5)
    finally:
        is_done.set()
        thread.join(5)
