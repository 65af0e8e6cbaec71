"""Any bytes in any pieces: what reaches a server is kept, counted and shown as it came, and harms nothing."""

from __future__ import annotations

import io
import os
import socket
import socketserver
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbserver import net
from nbserver.events import Kind
from nbserver.states import ConnectionState
from nbserver.text import Decoder, encoded, safe_text

pytestmark = pytest.mark.usefixtures("survives")
thorough = settings(
    max_examples=int(os.environ.get("EXAMPLES", "60")), deadline=None, print_blob=True, derandomize="CI" in os.environ
)

# Where programs go wrong: line ends and their halves, halves of characters, control characters, markup, numbers.
AWKWARD = [
    b"\n",
    b"\r",
    b"\r\n",
    b"\0",
    b"\x1b[2J",
    b"\x04",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xe2\x80\xae",
    b"<script>",
]
AWKWARD += [b"%s%n", b"{0}", b"\\x00", b"\xff\xff\xff\xff", "你".encode()[:2], "你".encode()[2:], "你".encode("gbk")]
piece = st.one_of(st.sampled_from(AWKWARD), st.binary(min_size=1, max_size=50), st.text(min_size=1).map(encoded))
pieces = st.lists(piece, max_size=8)
answer = st.one_of(st.sampled_from(["", "\n", "\ud83d", "\udcff", "\x1b[2J"]), st.text(st.characters(), max_size=20))


# --- frames -------------------------------------------------------------------------------------------------


def lines(stream):
    return list(stream)


def sized(stream):
    """Each frame behind its length in one byte."""
    return [exactly(size[0], stream) for size in iter(lambda: stream.read(1), b"")]


def exactly(size, stream):
    found = b""
    while len(found) < size and (more := stream.read(size - len(found))):
        found += more
    return found


def ended_by_zero(stream):
    return stream.read().split(b"\0")


@pytest.mark.parametrize("frames", [lines, sized, ended_by_zero])
@pytest.mark.parametrize("buffered", [-1, 0], ids=["buffered", "unbuffered"])
def test_any_split_of_any_bytes_gives_the_same_text_and_the_same_frames(serve, connect, piecemeal, frames, buffered):
    found = []

    class Reads(socketserver.StreamRequestHandler):
        rbufsize = buffered

        def handle(self):
            found.append(frames(self.rfile))

    server = serve(Reads)

    @thorough
    @given(pieces)
    def split(pieces):
        whole, number = b"".join(pieces), server.accepted + 1
        client = connect(server, number)
        piecemeal(server[number], client, pieces)
        client.close()
        server[number].wait_closed(5)
        # From the journal: unbuffered each byte is an event, of which a transcript keeps the last 400.
        told, decoder = [event for event in server.journal if event.connection == number], Decoder()
        received = [event.data for event in told if event.kind is Kind.RECEIVED]
        assert found.pop() == frames(io.BytesIO(whole))
        assert server[number].bytes_in == len(whole)
        passed = [event for event in told if event.kind is Kind.PASSED]
        if not passed:  # else it was read byte by byte, too quick to keep
            assert b"".join(received) == whole
            text = "".join(map(decoder.feed, received)) + decoder.feed(b"", True)
            assert text == whole.decode("utf-8", "backslashreplace")

    split()


# --- whatever comes -----------------------------------------------------------------------------------------


class Strict(socketserver.BaseRequestHandler):
    """As textbooks write it: what is no UTF-8 raises."""

    def handle(self):
        while data := self.request.recv(1024):
            print("heard", data.decode("utf-8"))
            self.request.sendall(data.decode("utf-8").upper().encode("utf-8"))


class Lines(socketserver.StreamRequestHandler):
    def handle(self):
        while line := self.rfile.readline():
            print(line)
            self.wfile.write(line)


class Prints(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(1024):
            print(data.decode("latin-1"), end="")
        print()


def is_text(data):
    try:
        return data.decode("utf-8") is not None
    except UnicodeDecodeError:
        return False


def check_shown(server, connection):
    """All that a board shows of a connection is printable, whoever wrote it."""
    for text in (repr(connection), connection.note, server.observation.trouble):
        assert text.isprintable()
    for event in connection.transcript:
        assert safe_text(event.data).isprintable()


def heard_to_the_end(client):
    client.shutdown(socket.SHUT_WR)
    with client.makefile("rb") as file:
        return file.read()


@pytest.mark.parametrize("handler", [net.Echo, Lines, Prints, Strict])
@pytest.mark.parametrize("family", ["ipv4", "unix"], indirect=True)
def test_any_bytes_are_carried_counted_and_shown(serve, connect, piecemeal, handler):
    server = serve(handler)

    @thorough
    @given(pieces)
    def exchange(pieces):
        number, errors, whole = server.accepted + 1, server.observation.errors, b"".join(pieces)
        client, connection = connect(server, number), server[number]
        fails = handler is Strict and not all(map(is_text, pieces))
        if fails:
            pieces = pieces[: [*map(is_text, pieces)].index(False) + 1]
        piecemeal(connection, client, pieces)
        if not fails:
            heard = heard_to_the_end(client)
            expected = {Prints: b"", Strict: whole.decode("utf-8", "replace").upper().encode()}
            assert heard == expected.get(handler, whole)
            assert connection.bytes_out == len(heard)
        connection.wait_closed(5)
        client.close()
        assert connection.bytes_in == len(b"".join(pieces))
        assert connection.state is (ConnectionState.FAILED if fails else ConnectionState.CLOSED)
        assert server.observation.errors == errors + fails
        check_shown(server, connection)
        if handler is Prints:
            printed = [event.data.decode() for event in connection.transcript if event.kind is Kind.PRINTED]
            assert "\n".join(printed) == whole.decode("latin-1")

    exchange()


@pytest.mark.parametrize("leave", ["half-close", "close", "reset"])
def test_any_bytes_can_be_answered_by_hand_with_any_text(serve, connect, piecemeal, leave):
    server = serve(net.Conversation)

    @thorough
    @given(st.lists(st.tuples(piece, answer), max_size=5))
    def converse(turns):
        number = server.accepted + 1
        client, connection = connect(server, number), server[number]
        for data, text in turns:
            piecemeal(connection, client, [data])
            assert connection.wait_waiting(5)
            connection.reply(text)
        answers = b"".join(encoded(text) for _, text in turns)
        if leave == "half-close":
            assert heard_to_the_end(client) == answers
        elif leave == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        connection.wait_closed(5)
        assert connection.state in (ConnectionState.CLOSED, ConnectionState.RESET)
        typed = [event.data for event in connection.transcript if event.kind is Kind.ANSWERED]
        assert typed == [text.encode("utf-8", "backslashreplace") for _, text in turns]
        check_shown(server, connection)
        assert not server.observation.errors and not server.observation.trouble

    converse()


def test_any_bytes_reach_everybody_else_in_a_chat_room(serve, connect, piecemeal):
    server = serve(net.ChatRoom)
    others = [connect(server, number).makefile("rb") for number in (1, 2)]
    assert server.journal.wait_for(lambda: len(getattr(server.base, "nbserver_chat_room", ())) == 2, 5)

    @thorough
    @given(pieces)
    def chat(pieces):
        number = server.accepted + 1
        client = connect(server, number)
        piecemeal(server[number], client, pieces)
        assert heard_to_the_end(client) == b""
        server[number].wait_closed(5)
        client.close()
        told = b"".join(b"#%d: %s" % (number, data) for data in pieces)
        for other in others:
            assert other.read(len(told)) == told
        check_shown(server, server[number])
        assert not server.observation.errors and not server.observation.trouble

    chat()
    for other in others:
        other.close()


# --- datagrams ----------------------------------------------------------------------------------------------


class Capitals(socketserver.DatagramRequestHandler):
    """Answers with its lines in capitals; what is no UTF-8 raises."""

    def handle(self):
        self.wfile.write(b"> ")  # goes out, whatever comes after it
        self.wfile.write(b"".join(line.decode("utf-8").upper().encode("utf-8") for line in self.rfile))


@pytest.mark.parametrize("server_class", [socketserver.UDPServer, socketserver.ThreadingUDPServer])
@pytest.mark.parametrize("handler", [net.Echo, Capitals])
@pytest.mark.parametrize("family", ["ipv4", "ipv6", "unix"], indirect=True)
def test_any_datagrams_are_messages(serve, connect, until, server_class, handler):
    server = serve(handler, server_class)
    client = connect(server)
    client.send(b"the first")
    client.recv(100)
    connection = server[1]
    large = st.integers(1000, 65_000).map(lambda size: b"\xe4\xbd\xa0" * (size // 3))

    @thorough
    @given(st.lists(st.one_of(piece, st.just(b""), large), max_size=5))
    def exchange(datagrams):
        messages, size, errors = connection.messages_in, connection.bytes_in, server.observation.errors
        for data in datagrams:
            client.send(data)
            capitals = data.decode().upper().encode() if is_text(data) else b""
            assert client.recv(70_000) == (data if handler is net.Echo else b"> " + capitals)
        until(lambda: connection.messages_in == messages + len(datagrams))
        assert connection.bytes_in == size + len(b"".join(datagrams))
        fails = sum(not is_text(data) for data in datagrams) if handler is Capitals else 0
        until(lambda: connection.messages_out == connection.messages_in)
        until(lambda: server.observation.errors == errors + fails)
        check_shown(server, connection)

    exchange()
