"""What a program's own socket carries is seen while the program runs; other sockets are left alone."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading

import pytest

from nbserver.console import Program, Tap

pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.fixture
def echo():
    """A listener, without nbserver, that echoes to one client at a time; its address."""

    def serve():
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with sock:
                while data := sock.recv(4096):
                    sock.sendall(data)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def run(function) -> Program:
    program = Program(1, function, "a program")
    program.start()
    program.wait_ended(10)
    assert program.error is None, program.error
    return program


def pieces(track) -> list[tuple[int, bytes, str]]:
    return [(piece.begin, piece.data, piece.call) for piece in track.row.pieces]


def test_every_way_to_send_and_to_receive(echo):
    def program():
        with socket.create_connection(echo) as sock:
            sock.send(b"a")
            assert sock.recv(10) == b"a"
            sock.sendall(b"bb")
            assert sock.recv_into(bytearray(10)) == 2
            sock.sendmsg([b"cc", b"c"])
            assert sock.recvmsg(10)[0] == b"ccc"
            sock.sendto(b"dddd", echo)
            assert sock.recv(2, socket.MSG_PEEK) == b"dd"
            assert sock.recvfrom(10)[0] == b"dddd"
            sock.send(b"ee")
            assert sock.recvmsg_into([bytearray(1), bytearray(5)])[0] == 2
            with sock.makefile("rwb") as file:
                file.write(b"line\n")
                file.flush()
                assert file.readline() == b"line\n"

    (tap,) = run(program).taps
    assert pieces(tap.sent) == [
        (0, b"a", "send"),
        (1, b"bb", "sendall"),
        (3, b"ccc", "sendmsg"),
        (6, b"dddd", "sendto"),
        (10, b"ee", "send"),
        (12, b"line\n", "send"),
    ]
    calls = ["recv", "recv_into", "recvmsg", "recvfrom", "recvmsg_into", "recv_into"]
    assert [call for *_, call in pieces(tap.received)] == calls
    assert tap.received.row.total == tap.sent.row.total == 17
    lines = [piece.where.partition(": ")[2] for piece in tap.sent.row.pieces]
    assert lines[0] == 'sock.send(b"a")' and lines[-1] == "file.flush()"


def test_asyncio_is_seen(echo):
    def program():
        async def main():
            reader, writer = await asyncio.open_connection(*echo)
            writer.write(b"hello\n")
            assert await reader.readline() == b"hello\n"
            writer.close()
            await writer.wait_closed()

        asyncio.run(main())

    (tap,) = run(program).taps
    assert tap.sent.row.total == tap.received.row.total == 6


def test_for_the_program_it_is_a_plain_socket_and_afterwards_it_is_one(echo):
    kept = []

    def program():
        sock = socket.create_connection(echo)
        kept.append(sock)
        assert isinstance(sock, socket.socket)
        assert repr(sock).startswith("<socket.socket fd=")
        with sock.dup() as duplicate:
            assert type(duplicate) is socket.socket

    run(program)
    assert type(kept[0]) is socket.socket
    kept[0].close()


def test_sockets_of_others_keep_their_class(echo):
    mine = socket.create_connection(echo)
    listening = socket.create_server(("127.0.0.1", 0))

    def program():
        with socket.create_connection(echo), socket.socket() as unconnected:
            assert type(mine) is type(listening) is type(unconnected) is socket.socket

    with mine, listening:
        run(program)


def test_one_that_goes_on_in_tls_says_that_it_is_not_seen(echo):
    def program():
        with socket.create_connection(echo) as sock:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.wrap_socket(sock, do_handshake_on_connect=False).close()

    (tap,) = run(program).taps
    assert tap.unseen == "tls"


def test_a_program_that_connects_again_and_again_is_remembered_by_the_last(echo):
    def program():
        for number in range(12):
            with socket.create_connection(echo) as sock:
                sock.sendall(b"%d" % number)
                sock.recv(10)

    taps = run(program).taps
    assert [tap.sent.row.pieces[0].data for tap in taps] == [b"%d" % number for number in range(4, 12)]


@pytest.mark.parametrize(("name", "args"), [("recv", (9,)), ("send", (b"x",)), ("detach", ())])
def test_a_call_that_has_begun_when_the_program_ends_is_done(name, args):
    mine, other = socket.socketpair()
    with mine, other:
        tap = Tap(None, None, "a program")
        tap.watch(mine)
        call = getattr(mine, name)
        tap.let_go()
        other.send(b"late")
        rest = call(*args)
        assert name == "detach" or rest in (b"late", 1)
        if name == "detach":
            socket.close(rest)
