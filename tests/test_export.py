"""A conversation as text: what stands there, how much, and that nothing of a peer's is more than text."""

from __future__ import annotations

import html.parser
import socket
import time

import pytest

from nbserver import net
from nbserver.errors import ConnectionEnded
from nbserver.events import Kind, new_event, text_event
from nbserver.export import MOST_BYTES, MOST_CONSOLES, Snapshot, line_of
from nbserver.fleet import Client, Fleet, Target
from nbserver.journal import Record

NOON = time.mktime((2026, 3, 1, 12, 3, 1, 0, 0, -1)) + 0.125
HOSTILE = "</pre></details><img src=x onerror=alert(1)>\n\n# <b>\u202e\x1b[2J$x$"


@pytest.fixture(autouse=True)
def clean(nothing_left):
    yield
    net.stop_all(0.5)


def record(*events) -> Record:
    made = Record(400)
    for event in events:
        made.append(event)
    return made


class Reader(html.parser.HTMLParser):
    """What a page makes of it: the elements, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, *(name for name, _ in attrs)))

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (text_event(Kind.OPENED, NOON, 1, "127.0.0.1:4"), "opened: 127.0.0.1:4"),
        (new_event((Kind.RECEIVED, NOON, 1, b"hello\n", 6)), r"← hello\n"),
        (new_event((Kind.SENT, NOON, 1, b"\xff\x00\xe4\xbd\xa0", 5)), r"→ \xff\x00你"),
        (new_event((Kind.RECEIVED, NOON, 1, b"a" * 4096, 9000)), f"← {'a' * 500}… (9000 B)"),
        (text_event(Kind.ASKED, NOON, 1, "your answer? "), "? your answer? "),
        (text_event(Kind.ANSWERED, NOON, 1, "yes"), "you: yes"),
        (text_event(Kind.PRINTED, NOON, 1, "\x1b[2J"), r"| \x1b[2J"),
        (text_event(Kind.ERROR, NOON, 1, "Traceback\n  in handle\nValueError: no\n"), "! ValueError: no"),
        (new_event((Kind.PASSED, NOON, 1, b"", 1)), "… 1 message more, not kept"),
        (new_event((Kind.EOF, NOON, 1, b"", 0)), "← (end: the peer has closed its side)"),
        (text_event(Kind.NOTICE, NOON, 1, "speaks HTTP"), "· speaks HTTP"),
    ],
)
def test_each_kind_of_event_is_one_line(event, line):
    assert line_of(event) == f"12:03:01.125 {line}"


def test_a_server_a_connection_and_clients_say_what_was_said():
    with net.listen() as server:
        client = Client(1, Target.at(server.address))
        client.start()
        fleet = Fleet([client])
        client.say("what is it?\n")
        assert server.wait_for_connections(1, 5)[0].wait_waiting(5)
        server.reply(1, "a question")
        assert client.hear() == "a question"
        assert f"\nclient 1 of {server.address_text}, connected\n" in str(client.snapshot())
        assert str(server.snapshot()).startswith("Conversation with 1 client, saved 20")
        assert f"\nThreadingTCPServer on {server.address_text}, serving\n#1 127.0.0.1:" in str(server.snapshot())
        server.stop()
        client.wait_ended(5)
        for made in (server.snapshot(), server[1].snapshot()):
            text = str(made)
            assert " closed (the server was stopped), 1 in, 1 out, 22 B\n" in text
            places = [text.index(said) for said in ("← what is it?\\n", "you: a question", "→ a question")]
            assert places == sorted(places)
        for made in (fleet.snapshot(), client.snapshot()):
            text = str(made)
            assert f"\nclient 1 of {server.address_text}, ended\n" in text
            assert text.index("→ what is it?\\n") < text.index("← a question") < text.index("closed: ended")
        with pytest.raises(ConnectionEnded):
            server.reply(1, "too late")


def test_s14_in_html_all_is_text_of_one_element():
    made = Snapshot.of("Conversation", [(f"#{n}", record(text_event(Kind.RECEIVED, NOON, n, HOSTILE))) for n in (1, 2)])
    page = Reader(made._repr_html_())
    assert page.tags == [("details", "class", "open"), ("summary",), ("pre",)]
    assert page.text.count(r"<img src=x onerror=alert(1)>\n\n# <b>\u202e\x1b[2J$x$") == 2
    assert "\n\n" not in made._repr_html_(), "Markdown would begin anew there"
    assert all(line.isprintable() for line in str(made).splitlines())


def test_a_long_conversation_is_closed_until_somebody_opens_it():
    said = [text_event(Kind.PRINTED, NOON, 1, "line")] * 80
    assert Reader(Snapshot.of("Conversation", [("#1", record(*said))])._repr_html_()).tags[0] == ("details", "class")


def test_s15_bounded_in_consoles_and_lines_and_bytes_and_what_is_left_out_is_counted():
    long = record(*(text_event(Kind.RECEIVED, NOON, 1, f"<{n}>" + "&" * 480) for n in range(300)))
    short = record(text_event(Kind.RECEIVED, NOON, 1, "short"))
    made = Snapshot.of("Conversation", [(f"#{n}", short if n % 2 else long) for n in range(1, 301)], left_out=5)
    text = str(made)
    assert len(made.blocks) == MOST_CONSOLES and made.left_out == 105
    assert "\n… 105 consoles before these left out\n#101\n" in text
    assert text.count("← short") == MOST_CONSOLES // 2, "those that are short are whole"
    sizes = len(text.encode()), len(made._repr_html_().encode())
    assert 0.9 * MOST_BYTES < max(sizes) <= 131_072
    assert "  … 200 lines before these left out\n" in str(
        Snapshot.of("", [("#1", record(*[short.read()[0][1]] * 300))])
    )


def test_promise_09_what_a_peer_sends_is_text():
    with net.listen(net.Echo) as server, socket.create_connection(server.address) as peer:
        peer.sendall(HOSTILE.encode())
        assert peer.recv(1000) == HOSTILE.encode()
        page = Reader(server.snapshot()._repr_html_())
        assert [tag for tag, *_ in page.tags] == ["details", "summary", "pre"]
        assert "<img src=x onerror=alert(1)>" in page.text


def test_it_is_taken_at_the_stop_for_those_who_keep_it():
    kept = []
    with net.listen() as server:
        server.on_snapshot = kept.append
        server.snapshot()
    assert [", serving" in str(one) or ", stopped" in str(one) for one in kept] == [True, True]
    assert ", stopped" in str(kept[-1])


def test_a_large_class_is_written_down_in_a_moment():
    """While others run: only what fits is made safe to show, which takes long."""
    said = record(*(text_event(Kind.PRINTED, NOON, 1, "\x1b[2J你好" * 100) for _ in range(400)))
    began = time.thread_time()
    made = Snapshot.of("Conversation", [(f"#{n}", said) for n in range(300)])
    assert time.thread_time() - began < 0.5
    assert len(made.blocks) == MOST_CONSOLES
