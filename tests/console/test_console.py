"""One console: questions, answers, lines."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from nbserver.console import Console
from nbserver.errors import AlreadyAnswered, InputClosed
from nbserver.events import KEPT_BYTES, Kind
from nbserver.journal import Journal

pytestmark = pytest.mark.usefixtures("nothing_left")


def told(console):
    return [(e.kind, e.data.decode()) for e in console.transcript]


@pytest.fixture
def pool():
    with ThreadPoolExecutor(60) as pool:
        yield pool


def test_an_answer_reaches_who_asked_and_stands_in_the_transcript(one, pool):
    asked = pool.submit(one.ask, "who? ")
    assert one.wait_waiting(5)
    assert (one.is_waiting, one.prompt) == (True, "who? ")
    assert one.answer("me")
    assert asked.result(5) == "me"
    assert (one.is_waiting, one.prompt, one.question) == (False, None, None)
    assert told(one) == [(Kind.ASKED, "who? "), (Kind.ANSWERED, "me")]
    assert not one.answer("nobody asks")
    assert not one.wait_waiting(0.01)


def test_questions_of_all_consoles_are_numbered_in_the_order_of_asking(pool):
    consoles = [Console(number, Journal()) for number in range(1, 6)]
    asked = []
    for console in consoles:
        asked.append(pool.submit(console.ask))
        assert console.wait_waiting(5)
    numbers = [console.question.number for console in consoles]
    assert numbers == sorted(set(numbers))
    for console in consoles:
        console.answer("")
    assert [future.result(5) for future in asked] == [""] * 5


def test_each_of_50_answers_given_at_once_is_taken_once(one, pool):
    asked = [pool.submit(one.ask, str(n)) for n in range(50)]
    assert one._journal.wait_for(lambda: len(one._questions) == 50, 5)
    texts = [str(n) for n in range(50)]
    random.shuffle(texts)
    given = [threading.Thread(target=one.answer, args=(text,)) for text in texts]
    for thread in given:
        thread.start()
    for thread in given:
        thread.join(5)
    assert sorted(future.result(5) for future in asked) == sorted(texts)


def test_of_many_who_answer_the_same_question_one_wins(one, pool):
    for _ in range(20):
        asked = pool.submit(one.ask)
        assert one.wait_waiting(5)
        number, start = one.question.number, threading.Barrier(8)

        def answer(text, number=number, start=start):
            start.wait(5)
            try:
                return one.answer(text, number)
            except AlreadyAnswered:
                return False

        won = [text for text, did in zip("abcdefgh", pool.map(answer, "abcdefgh"), strict=True) if did]
        assert won == [asked.result(5)]


def test_a_secret_answer_is_not_in_the_transcript(one, pool):
    asked = pool.submit(one.ask, "password", secret=True)
    assert one.wait_waiting(5)
    assert one.question.secret
    one.answer("hunter2")
    assert asked.result(5) == "hunter2"
    assert told(one) == [(Kind.ASKED, "password"), (Kind.ANSWERED, "•" * 7)]
    assert b"hunter2" not in b"".join(e.data for e in one._journal)


def test_closing_the_input_ends_it_now_and_later(one, pool):
    asked = [pool.submit(one.ask) for _ in range(3)]
    assert one._journal.wait_for(lambda: len(one._questions) == 3, 5)
    one.close_input("the client has gone")
    one.close_input("twice")
    for future in asked:
        with pytest.raises(InputClosed, match="the client has gone"):
            future.result(5)
    with pytest.raises(InputClosed, match="the client has gone"):
        one.ask()
    assert one.wait_waiting() is False  # does not wait for what cannot come


def test_lines_are_told_whole(one):
    one.write("a")
    one.write("b\nc\n\n")
    one.write("d")
    assert [text for _, text in told(one)] == ["ab", "c", ""]
    one.flush()
    one.flush()
    assert [text for _, text in told(one)] == ["ab", "c", "", "d"]


def test_an_unfinished_line_stands_before_the_question(one, pool):
    pool.submit(lambda: (one.write("name: "), one.ask())[1])
    assert one.wait_waiting(5)
    assert told(one) == [(Kind.PRINTED, "name: "), (Kind.ASKED, "")]
    one.answer("")


def test_a_line_without_an_end_is_told_in_pieces(one):
    for _ in range(100):
        assert one.write("x" * 100) == 100
    one.flush()
    pieces = [e.size for e in one.transcript]
    assert sum(pieces) == 10_000 and max(pieces) <= KEPT_BYTES + 100


def test_threads_that_print_at_once_do_not_mix_their_lines(one, pool):
    def say(name):
        for _ in range(7):
            for piece in (name, name, name, "\n"):
                one.write(piece)

    list(pool.map(say, "abcdefgh"))
    assert {text for _, text in told(one)} == {letter * 3 for letter in "abcdefgh"}
    assert len(told(one)) == 56
