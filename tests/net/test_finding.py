"""Finding text in conversations."""

from __future__ import annotations

import socketserver
from queue import SimpleQueue

import pytest

from nbserver import net
from nbserver.events import Kind, new_event, text_event

pytestmark = pytest.mark.usefixtures("nothing_left")


class Asks(socketserver.BaseRequestHandler):
    """Tells each message that it read, then prints and asks."""

    read: SimpleQueue[bytes] = SimpleQueue()

    def handle(self):
        while data := self.request.recv(100):
            self.read.put(data)
            if data.endswith(b"\n"):
                print("has said a LINE")
                self.request.sendall(input("What now? ").encode())


def test_text_is_found_in_all_that_was_said(serve, connect):
    server = serve(Asks)
    first, second, third = (connect(server, number) for number in (1, 2, 3))
    for client, parts in ((first, [b"Hel", b"lo W\xc3\x84RE\n"]), (second, ["你好\n".encode()]), (third, [b"hel"])):
        for part in parts:
            client.sendall(part)
            assert Asks.read.get(timeout=5) == part
    for number in (1, 2):
        assert server[number].wait_waiting(5)
    assert server.find("hello wäre") == [1], "two messages that belong together, in small and capital letters"
    assert server.find("你好") == [2]
    assert server.find("hel") == [1, 3]
    assert server.find("what now") == server.find("a line") == [1, 2]
    assert server.find("nobody says so") == []
    server[2].reply("the answer")
    assert second.recv(100) == b"the answer"
    assert server.find("THE ANSWER") == [2]
    server[2].close()
    server[2].wait_closed(5)
    assert server.find("the answer") == [2], "one that has ended is found"


class Said:
    """A console with a transcript made up."""

    def __init__(self, number, *events):
        self.number, self.transcript = number, events


def test_no_word_reaches_over_a_gap():
    cut = new_event((Kind.RECEIVED, 0.0, 1, b"hel", 5000))
    rest = new_event((Kind.RECEIVED, 0.0, 1, b"lo", 2))
    passed = new_event((Kind.PASSED, 0.0, 1, b"", 9))
    whole = new_event((Kind.RECEIVED, 0.0, 1, b"hel", 3))
    other_way = new_event((Kind.SENT, 0.0, 1, b"x", 1))
    consoles = [Said(1, cut, rest), Said(2, whole, passed, rest), Said(3, whole, rest), Said(4, whole, other_way, rest)]
    assert list(net.find(consoles, "hello")) == [3, 4]


def test_printed_lines_are_texts_of_their_own():
    lines = [text_event(Kind.PRINTED, 0.0, 1, text) for text in ("one", "two")]
    assert list(net.find([Said(1, *lines)], "onetwo")) == []


def test_a_search_gives_up_and_says_so():
    found = net.find([Said(1, text_event(Kind.NOTICE, 0.0, 1, "x"))], "x", seconds=-1)
    with pytest.raises(TimeoutError, match="not all"):
        next(found)
