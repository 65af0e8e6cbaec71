"""input(), getpass(), sys.stdin and print() by thread; everything else untouched."""

from __future__ import annotations

import builtins
import contextlib
import getpass
import io
import sys
import threading

import pytest

from nbserver import console, context
from nbserver.console import routing
from nbserver.events import Kind

pytestmark = pytest.mark.usefixtures("routed")


def printed(one):
    return [e.data.decode() for e in one.transcript if e.kind is Kind.PRINTED]


@pytest.mark.parametrize(
    ("ask", "heard"),
    [
        (lambda: input("? "), "typed"),
        (lambda: getpass.getpass("? "), "typed"),
        (lambda: "".join(sys.stdin.readline()), "typed\n"),
        (lambda: next(iter(sys.stdin)), "typed\n"),
    ],
    ids=["input", "getpass", "readline", "for line in stdin"],
)
def test_a_thread_with_a_console_is_answered_there(one, inside, ask, heard):
    asked = inside(ask)
    assert one.wait_waiting(5)
    one.answer("typed")
    assert asked.result(5) == heard


def test_getpass_is_secret(one, inside):
    asked = inside(getpass.getpass)
    assert one.wait_waiting(5)
    assert one.question.secret and one.prompt == "Password: "
    one.answer("x")
    asked.result(5)


def test_a_prompt_may_be_any_object(one, inside):
    inside(input, 42)
    assert one.wait_waiting(5)
    assert one.prompt == "42"
    one.answer("")


def test_a_thread_without_a_console_reaches_what_was_there_before(monkeypatch, capfd):
    monkeypatch.setattr(sys.stdin, "_base", io.StringIO("one\ntwo\nthree\n"))
    assert input() == "one"
    assert sys.stdin.readline() == "two\n"
    assert list(sys.stdin) == ["three\n"]
    print("out")
    print("err", file=sys.stderr)
    sys.stdout.writelines(["a\n", "b\n"])
    sys.stdout.flush()
    assert capfd.readouterr() == ("out\na\nb\n", "err\n")


def test_print_lands_in_the_transcript(one, inside, capfd):
    def speak():
        print("one", 2, sep="-")
        print("err", file=sys.stderr)
        print("half", end="")
        sys.stdout.flush()
        sys.stdout.writelines(["a\n", "b\n"])

    inside(speak).result(5)
    assert printed(one) == ["one-2", "err", "half", "a", "b"]
    assert capfd.readouterr() == ("", "")


def test_attributes_are_those_of_the_stream_itself(capfd):
    base = sys.stdout._base
    assert sys.stdout.encoding == base.encoding
    assert sys.stdout.fileno() == base.fileno()
    assert sys.stdout.buffer is base.buffer
    sys.stdout.note = "kept"
    assert base.note == "kept"
    with pytest.raises(AttributeError):
        _ = sys.stdout.no_such_thing


def test_redirect_stdout_in_the_main_thread_works_while_a_handler_prints(one, inside, capfd):
    ours = sys.stdout
    inside(print, "before").result(5)
    with contextlib.redirect_stdout(io.StringIO()) as caught:
        print("caught")
    assert sys.stdout is ours
    inside(print, "after").result(5)
    print("main")
    assert caught.getvalue() == "caught\n"
    assert printed(one) == ["before", "after"]
    assert capfd.readouterr().out == "main\n"


def test_ipython_replaces_write_around_each_cell_and_restores_it(one, inside, capfd):
    first = sys.stdout.write
    kept = []
    for number in range(50):  # cells
        stream, original = sys.stdout, sys.stdout.write

        def tee(text, original=original):
            kept.append(text)
            return original(text)

        stream.write = tee
        print("cell", number)
        inside(print, "handler", number).result(5)
        stream.write = original
        assert sys.stdout.write is first  # it neither grows nor calls itself
    assert "".join(kept) == "".join(f"cell {number}\n" for number in range(50))
    assert printed(one) == [f"handler {number}" for number in range(50)]
    assert capfd.readouterr().out == "".join(kept)


def test_a_handler_may_be_a_stranger_to_consoles(inside):
    class Stranger:
        def ask(self, prompt):
            return prompt * 2

        def write(self, text):
            kept.append(text)
            return len(text)

    kept = []
    with context.speaking_to(Stranger()):
        assert (input("a"), getpass.getpass("b")) == ("aa", "bb")
        print("c", flush=True)
    assert "".join(kept) == "c\n"


def test_acquire_and_release_nest():
    ours = builtins.input
    console.acquire()
    console.release()
    assert builtins.input is ours
    assert console.is_routed()


def test_acquire_and_release_from_many_threads():
    def often():
        for _ in range(200):
            console.acquire()
            assert builtins.input.__module__ == routing.__name__
            console.release()

    threads = [threading.Thread(target=often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert console.is_routed()


def test_others_are_installed_before_and_undone_after():
    calls = []
    pair = lambda: calls.append("install"), lambda: calls.append("undo")  # noqa: E731
    try:
        console.also(*pair)
        console.also(*pair)
        assert routing._others.count(pair) == 1
        console.release()
        assert calls == ["undo"]
        console.acquire()
        assert calls == ["undo", "install"]
        console.release()
    finally:
        routing._others.remove(pair)
        console.acquire()


def test_what_somebody_puts_on_top_stays_and_what_they_put_back_does_not_grow(capfd):
    base, ours = sys.stdout._base, sys.stdout
    somebodys = io.StringIO()
    sys.stdout = somebodys  # a replaced sys.stdout during our life
    console.release()
    assert sys.stdout is somebodys
    sys.stdout = ours  # they put back what they found, after we have gone
    print("still works")
    console.acquire()
    assert sys.stdout._base is base  # not one more layer
    print("works")
    assert capfd.readouterr().out == "still works\nworks\n"
