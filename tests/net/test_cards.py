"""What goes wrong with a connection is told in words, with the line of the student's own, unchanged handler."""

from __future__ import annotations

import json
import socket
import socketserver
import struct

import pytest

from nbserver import net
from nbserver.console import Program
from nbserver.events import Kind


def line_of(text):
    """The number of the line in this file that ends with a mark."""
    with open(__file__, encoding="utf-8") as source:
        return next(
            n for n, line in enumerate(source, 1) if line.rstrip().endswith(f"# {text}") and "line_of" not in line
        )


def told(console):
    """What its transcript says of cards and errors: the code of a card, or the last line of a traceback."""
    found = []
    for event in console.transcript:
        if event.kind is Kind.CARD:
            found.append(json.loads(event.data)["code"])
        elif event.kind is Kind.ERROR:
            found.append(event.data.decode().rstrip().rpartition("\n")[2])
    return found


class Parrot(socketserver.BaseRequestHandler):
    def handle(self):
        data = self.request.recv(1024)
        self.request.sendall(f"you said {len(data)}")  # str


def test_text_in_place_of_bytes_says_which_bytes_and_comes_before_the_error(serve, connect):
    server = serve(Parrot)
    connect(server, 1).sendall(b"hi")
    server[1].wait_closed(5)
    assert told(server[1]) == ["str-for-bytes", "TypeError: a bytes-like object is required, not 'str'"]
    (card,) = server[1].cards
    assert card.title == "You passed `str`; `.encode('utf-8')` makes these 10 bytes", "known from the call itself"
    assert card.where == f"test_cards.py, line {line_of('str')}"
    assert card.line.startswith('self.request.sendall(f"you said')
    assert f"! You passed str; .encode('utf-8') makes these 10 bytes (test_cards.py, line {line_of('str')})" in str(
        server[1].snapshot()
    )


class Forgetful(socketserver.BaseRequestHandler):
    """The textbook's loop, without the test of what came."""

    def handle(self):
        while not self.server.is_enough:
            data = self.request.recv(1024)  # unlooked
            self.request.sendall(data.upper())


def test_who_does_not_look_at_the_end_is_told_once_and_the_ends_are_counted(serve, connect, until):
    class Server(socketserver.ThreadingTCPServer):
        is_enough = False

    server = serve(Forgetful, Server)
    client = connect(server, 1)
    client.sendall(b"hi")
    assert client.recv(10) == b"HI"
    assert server[1].ends_heard == 0
    client.shutdown(socket.SHUT_WR)
    until(lambda: server[1].ends_heard > 50)
    assert server[1].status == "half-closed"
    server.base.is_enough = True
    server[1].wait_closed(5)
    (card,) = server[1].cards
    assert card.code == "end-ignored" and card.where == f"test_cards.py, line {line_of('unlooked')}"
    assert card.line.startswith("data = self.request.recv(1024)")


@pytest.mark.parametrize("base", [socketserver.BaseRequestHandler, socketserver.StreamRequestHandler])
def test_who_looks_is_told_nothing(serve, connect, base):
    class Careful(base):
        def handle(self):
            if base is socketserver.StreamRequestHandler:
                while self.rfile.read(3):
                    pass
                return
            while self.request.recv(1024):
                pass

    server = serve(Careful)
    client = connect(server, 1)
    client.sendall(b"hi")
    client.shutdown(socket.SHUT_WR)
    server[1].wait_closed(5)
    assert told(server[1]) == [] and server[1].cards == ()


class Slow(socketserver.BaseRequestHandler):
    """Sends to a client that has gone."""

    def handle(self):
        self.request.recv(10)
        self.server.has_gone.wait(5)
        while True:
            self.request.sendall(b"x" * 40)  # vanished


def test_a_vanished_client_is_no_error_and_has_a_card_with_the_bytes_and_the_line(serve, connect):
    import threading

    class Server(socketserver.ThreadingTCPServer):
        has_gone = threading.Event()

    server = serve(Slow, Server)
    client = connect(server, 1)
    client.sendall(b"hi")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    server.base.has_gone.set()
    server[1].wait_closed(5)
    assert server[1].status == "reset" and server.observation.errors == 0
    assert told(server[1]) == ["vanished"]
    (card,) = server[1].cards
    assert card.title == "Client #1 vanished while you were sending 40 bytes"
    assert card.where == f"test_cards.py, line {line_of('vanished')}"


def test_one_that_vanishes_while_it_is_waited_for(serve, connect, until):
    class Patient(socketserver.BaseRequestHandler):
        def handle(self):
            while self.request.recv(1024):
                pass

    server = serve(Patient)
    client = connect(server, 1)
    until(lambda: server[1].status == "receiving")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    server[1].wait_closed(5)
    assert [card.title for card in server[1].cards] == ["Client #1 vanished while you were waiting for it in `recv()`"]


def test_who_is_disconnected_by_hand_has_not_vanished(serve, connect, until):
    class Patient(socketserver.BaseRequestHandler):
        def handle(self):
            while True:
                self.request.sendall(self.request.recv(1024) or b"still here")

    server = serve(Patient)
    connect(server, 1)
    until(lambda: server[1].status == "receiving")
    server[1].close()
    server[1].wait_closed(5)
    assert server[1].cards == ()


def test_half_a_character_is_told_with_its_bytes(serve, connect):
    class Reader(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(1024).decode()

    server = serve(Reader)
    connect(server, 1).sendall("你好".encode()[:5])
    server[1].wait_closed(5)
    (card,) = server[1].cards
    assert card.title == "Half a character: 1 byte more" and "`e5 a5`" in card.text


def test_a_udp_handler_that_takes_the_pair_for_a_connection(serve, connect, until):
    class Wrong(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.sendall(b"hello")

    server = serve(Wrong, socketserver.ThreadingUDPServer)
    connect(server).send(b"hi")
    until(lambda: server.accepted and server[1].cards)
    (card,) = server[1].cards
    assert card.code == "udp-pair" and "`sendall`" in card.text and "sendto(data, self.client_address)" in card.todo


def test_a_request_class_without_handle_is_told_so_and_a_slip_of_the_pen_is_named(serve, connect):
    class Empty(socketserver.BaseRequestHandler):
        pass

    class Slip(socketserver.BaseRequestHandler):
        def Handel(self):
            self.request.sendall(b"hello")

    class SetUp(socketserver.BaseRequestHandler):
        def setup(self):
            self.request.sendall(b"hello")

    titles = []
    for handler in (Empty, Slip, SetUp):
        server = serve(handler)
        connect(server, 1)
        server[1].wait_closed(5)
        titles.append([card.title for card in server[1].cards])
    assert titles == [["`Empty` has no `handle()`"], ["`Slip` has no `handle()`, but `Handel()`"], []]


def test_a_class_that_is_no_request_class_and_a_method_without_self(serve, connect):
    class Bare:
        def handle(self):
            pass

    class Selfless(socketserver.BaseRequestHandler):
        def handle():  # without
            pass

    cards = []
    for handler in (Bare, Selfless):
        server = serve(handler)
        connect(server, 1)
        server[1].wait_closed(5)
        cards += server[1].cards
    assert [card.code for card in cards] == ["no-base", "no-self"]
    assert cards[1].where == f"test_cards.py, line {line_of('without')}"


def test_an_error_that_is_not_known_is_shown_as_it_is(serve, connect):
    class Odd(socketserver.BaseRequestHandler):
        def handle(self):
            raise KeyError("nobody knows")

    server = serve(Odd)
    connect(server, 1)
    server[1].wait_closed(5)
    assert told(server[1]) == ["KeyError: 'nobody knows'"] and server[1].cards == ()


def test_the_last_twenty_cards_are_kept(serve, connect):
    class Wrong(socketserver.BaseRequestHandler):
        def handle(self):
            self.request[1].sendto("text", self.client_address)

    server = serve(Wrong, socketserver.UDPServer)
    client = connect(server)
    for _ in range(25):
        client.send(b"x")
    server.journal.wait_for(lambda: server.accepted and server[1].messages_in == 25 and len(server[1].cards) == 20, 5)
    assert len(server[1].cards) == 20 and {card.code for card in server[1].cards} == {"str-for-bytes"}


# --- a client's program -------------------------------------------------------------------------------------


def run(function):
    program = Program(1, function, "client 1")
    program.start()
    program.wait_ended(5)
    return program


def test_a_client_that_nobody_listens_to(serve):
    server = serve()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

        def talk():
            with socket.socket() as sock:
                sock.connect(("127.0.0.1", port))

        program = run(talk)
    (card,) = program.cards
    assert card.title == f"Connection refused: nothing listens on {port}", "the address is known from the call"
    assert f"nbserver listens on `{server.address_text}`" in card.text
    assert told(program) == ["refused", "ConnectionRefusedError: [Errno 111] Connection refused"]


def test_a_client_whose_server_has_gone(serve, until):
    server = serve(net.Conversation)

    def talk():
        with socket.socket() as sock:
            sock.connect(server.address)
            sock.sendall(b"a question")
            until(lambda: server.accepted and server[1].bytes_in == 10)
            server[1].reset()
            sock.recv(1024)

    program = run(talk)
    assert [card.code for card in program.cards] == ["server-gone"]
    assert "(“connection reset”)" in program.cards[0].text


def test_a_client_that_gives_host_and_port_one_by_one_is_told_by_connect_itself():
    def talk():
        with socket.socket() as sock:
            sock.connect("127.0.0.1", 8008)

    program = run(talk)
    (card,) = program.cards
    assert "connect(('127.0.0.1', 8008))" in card.todo
    assert "_connect" not in str(program.error), "our step in front of connect() is not named"


def test_nothing_is_left_of_the_network_in_a_card(serve, connect):
    server = serve(Parrot)
    connect(server, 1).sendall(b"hi")
    server[1].wait_closed(5)
    (card,) = server[1].cards
    assert {type(value) for value in vars(card).values()} <= {str, int, type(card.en)}
    assert net.Echo is not None


def test_the_nothing_that_such_a_loop_sends_back_does_not_push_the_card_out(serve, connect, until):
    class Server(socketserver.ThreadingTCPServer):
        is_enough = False

    server = serve(Forgetful, Server)
    connect(server, 1).shutdown(socket.SHUT_WR)
    until(lambda: server[1].ends_heard > 5000)
    assert told(server[1]) == ["end-ignored"] and server[1].messages_out <= 2
    server.base.is_enough = True
    server[1].wait_closed(5)
