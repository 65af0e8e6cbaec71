"""Answers by a rule, and saved replies: with real clients, whose handlers ask with input()."""

from __future__ import annotations

import getpass
import socketserver
from concurrent.futures import ThreadPoolExecutor

import pytest

from nbserver.errors import UsageError
from nbserver.events import Kind
from nbserver.net.rules import LONGEST, MOST_A_SECOND, MOST_RULES, received_since_answer
from nbserver.net.savedreplies import MOST_SAVED


@pytest.fixture
def served(serve, connect):
    """A server that replies by hand, and its first client."""
    server = serve()
    return server, connect(server, 1)


@pytest.fixture
def saved(serve):
    """The saved replies of this process, which are empty before and after."""
    saved = serve().saved_replies
    assert not saved
    yield saved
    saved.clear()


def said(connection):
    return [(event.kind.value, event.data.decode()) for event in connection.transcript]


def test_a_rule_answers_in_place_of_a_person_and_the_transcript_says_so(served):
    server, client = served
    rule = server.rules.add("hello", "hi there")
    client.sendall(b"well, Hello!\n")
    assert client.recv(100) == b"hi there"
    assert rule.answered == 1 and list(server.rules) == [rule]
    assert said(server[1])[1:5] == [
        ("received", "well, Hello!\n"),
        ("asked", "reply > "),
        ("notice", "rule 1 answers what contains “hello”"),
        ("answered", "hi there"),
    ]


def test_what_no_rule_fits_waits_for_a_person(served):
    server, client = served
    rule = server.rules.add("hello", "hi")
    client.sendall(b"good morning")
    assert server[1].wait_waiting(5)
    server.reply(1, "by hand")
    assert client.recv(100) == b"by hand"
    assert rule.answered == 0 and "notice" not in dict(said(server[1]))


def test_the_first_that_fits_wins(served):
    server, client = served
    server.rules.add("bye", "see you")
    server.rules.add("", "what?")
    server.rules.add("hello", "never said")
    for text, answer in ((b"hello", b"what?"), (b"bye", b"see you")):
        client.sendall(text)
        assert client.recv(100) == answer
    assert [rule.answered for rule in server.rules] == [1, 1, 0]


@pytest.mark.parametrize(
    "pieces", [[b"he", b"llo"], ["你好".encode()[:2], "你好".encode()[2:]], [b"\xff\xfe h", b"ello \xff"]]
)
def test_a_word_that_comes_in_pieces_is_found(serve, connect, piecemeal, pieces):
    class Twice(socketserver.BaseRequestHandler):
        def handle(self):
            for _ in range(2):
                self.request.recv(100)
            self.request.sendall(input().encode())

    server = serve(Twice)
    client = connect(server, 1)
    server.rules.add("hello", "found")
    server.rules.add("你好", "found")
    piecemeal(server[1], client, pieces)
    assert client.recv(100) == b"found"


def test_what_was_answered_already_is_not_looked_at_again(served):
    server, client = served
    server.rules.add("hello", "hi")
    client.sendall(b"hello")
    assert client.recv(100) == b"hi"
    client.sendall(b"more")
    assert server[1].wait_waiting(5)
    assert received_since_answer(server[1]) == "more"


def test_a_new_rule_answers_those_that_wait_and_leaves_the_others(serve, connect):
    server = serve()
    clients = [connect(server, number) for number in (1, 2, 3)]
    for client, text in zip(clients, (b"hello 1", b"bye", b"hello 3"), strict=True):
        client.sendall(text)
    assert all(server[number].wait_waiting(5) for number in (1, 2, 3))
    rule = server.rules.add("hello", "answer to {text}")
    assert [clients[at].recv(100) for at in (0, 2)] == [b"answer to hello 1", b"answer to hello 3"]
    assert server[2].is_waiting and rule.answered == 2


def test_a_rule_is_switched_off_and_on(served):
    server, client = served
    rule = server.rules.add("", "ruled")
    rule.is_on = False
    client.sendall(b"hello")
    assert server[1].wait_waiting(5)
    rule.is_on = True
    assert client.recv(100) == b"ruled"


def test_a_rule_that_was_removed_answers_no_more(served):
    server, client = served
    rules = [server.rules.add("", "ruled") for _ in range(3)]
    server.rules.remove(rules[0])
    assert list(server.rules) == rules[1:] and [rule.number for rule in server.rules] == [2, 3]
    with pytest.raises(UsageError, match="list\\(server.rules\\)"):
        server.rules.remove(rules[0])
    server.rules.clear()
    assert len(server.rules) == 0
    client.sendall(b"hello")
    assert server[1].wait_waiting(5)
    assert server.rules.add("", "").number == 4, "a number is never given twice"


def test_a_password_is_left_to_a_person(serve, connect):
    class Asks(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.sendall(getpass.getpass().encode())

    server = serve(Asks)
    server.rules.add("", "ruled")
    client = connect(server, 1)
    assert server[1].wait_waiting(5)
    server.rules.add("", "nor is it when it waits")
    assert server[1].is_waiting
    server.reply(1, "secret")
    assert client.recv(100) == b"secret"


def test_a_client_that_echoes_is_not_answered_for_ever(served):
    server, client = served
    server.rules.add("", "ping")
    too_many = ("notice", f"rules have answered {MOST_A_SECOND} times within a second: a person must go on")

    def echo():
        heard = b"ping"
        while heard != b"enough":
            client.sendall(heard)
            heard = client.recv(100)

    with ThreadPoolExecutor(1) as pool:
        echoing = pool.submit(echo)
        assert server.journal.wait_for(lambda: too_many in said(server[1]), 5)
        assert server[1].is_waiting
        server.reply(1, "enough")
        echoing.result(5)
    client.sendall(b"and then?")
    assert client.recv(100) == b"ping", "after the person's answer the rules go on"


def test_what_stands_for_the_received_text_is_replaced_and_no_more(served):
    server, client = served
    server.rules.add("", "{text}! {0} {text.__class__} {{text}}")
    client.sendall(b"{text} %s\r\n")
    assert client.recv(1000) == b"{text} %s! {0} {text.__class__} {{text} %s}"
    client.sendall(b"x" * 4000)
    assert len(client.recv(10_000)) < 2200, "an answer does not grow with what a client sends"


def test_datagrams_are_answered_too(serve, connect):
    server = serve(server_class=socketserver.ThreadingUDPServer)
    server.rules.add("hello", "hi")
    client = connect(server)
    client.send(b"hello")
    assert client.recv(100) == b"hi"


def test_each_answer_reaches_the_connection_that_asked(serve, connect):
    """Promise 10, with rules: many at once, each answered with its own words."""
    server = serve()
    server.rules.add("", "for {text}")

    def talk(number):
        client = connect(server)
        heard = []
        for turn in range(10):
            client.sendall(f"{number}.{turn}".encode())
            heard.append(client.recv(100).decode())
        return heard

    with ThreadPoolExecutor(20) as pool:
        for number, heard in enumerate(pool.map(talk, range(20))):
            assert heard == [f"for {number}.{turn}" for turn in range(10)]
    assert [rule.answered for rule in server.rules] == [200]


def test_rules_are_texts_of_bounded_length_and_number(served):
    server, _ = served
    for given in ((1, "x"), ("x", None), (b"x", "y"), ("x" * (LONGEST + 1), "y"), ("\ud800", "y"), ("x", "\udfff")):
        with pytest.raises(UsageError, match="is a text of"):
            server.rules.add(*given)
    for _ in range(MOST_RULES):
        server.rules.add("x", "y")
    with pytest.raises(UsageError, match="remove one first"):
        server.rules.add("x", "y")
    assert len(server.rules) == MOST_RULES


def test_a_repr_says_what_a_rule_does(served):
    server, _ = served
    rule = server.rules.add("a\x1b", "b")
    rule.is_on = False
    assert repr(rule) == "<Rule 1 (off) 'a\\\\x1b' → 'b', answered 0>"


def test_saved_replies_are_kept_for_every_server(saved, serve):
    saved.add("well done")
    saved.add("try again")
    saved.add("well done")
    assert list(serve().saved_replies) == ["well done", "try again"]
    assert (saved[1], saved[:1], len(saved), "try again" in saved) == ("try again", ("well done",), 2, True)
    saved.remove("well done")
    assert list(saved) == ["try again"]


def test_saved_replies_are_texts_of_bounded_length_and_number(saved):
    for given in (None, 1, "x" * (LONGEST + 1), "", "\ud800"):
        with pytest.raises(UsageError):
            saved.add(given)
    with pytest.raises(UsageError, match="not among"):
        saved.remove("never saved")
    for number in range(MOST_SAVED):
        saved.add(str(number))
    with pytest.raises(UsageError, match="remove one first"):
        saved.add("one more")
    saved.add("7")
    assert len(saved) == MOST_SAVED


def test_nothing_is_told_of_an_answer_that_a_person_gave_first(served):
    server, client = served
    client.sendall(b"hello")
    assert server[1].wait_waiting(5)
    question = server[1].question
    server.reply(1, "by hand")
    assert client.recv(100) == b"by hand"
    assert not server[1].stand_in(question, "too late", "said too late")
    assert [event.kind for event in server[1].transcript].count(Kind.ANSWERED) == 1
    assert b"said too late" not in [event.data for event in server[1].transcript]
