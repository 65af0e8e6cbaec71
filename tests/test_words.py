"""The words: errors, events, states, context, journal, text."""

from __future__ import annotations

import itertools
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbserver import context, errors
from nbserver.events import KEPT_BYTES, Event, Kind, new_event, text_event
from nbserver.journal import Journal, Record
from nbserver.states import (
    CONNECTION_TRANSITIONS,
    SERVER_TRANSITIONS,
    ConnectionState,
    ServerState,
    is_over,
    may_follow,
)
from nbserver.text import Decoder, encoded, escape, safe_text


def event(number):
    return new_event((Kind.SENT, 0.0, number, b"", 0))


# --- errors -------------------------------------------------------------------------------------------------


def test_every_error_is_an_nbserver_error_and_stands_in_the_tree():
    every = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, Exception)]
    assert len(every) == 10
    for error in every:
        assert issubclass(error, errors.NbserverError)
        assert f"{error.__name__}" in errors.__doc__
    known = {"refused", "ended", "answered", "busy", "full"}
    assert {error.code for error in every} == known


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.UsageError, ValueError),
        (errors.AddressError, OSError),
        (errors.NotListening, ConnectionError),
        (errors.ConnectionEnded, ConnectionError),
        (errors.NotReading, TimeoutError),
        (errors.NotHeard, TimeoutError),
        (errors.InputClosed, EOFError),
    ],
)
def test_errors_are_caught_by_the_names_that_python_gives(error, builtin):
    with pytest.raises(builtin, match="a sentence"):
        raise error("a sentence")
    assert str(error("a sentence")) == "a sentence"


def test_a_usage_error_is_shown_as_a_sentence():
    assert errors.UsageError("do this").__class__._render_traceback_(errors.UsageError("x")) == ["UsageError: x"]
    assert str(errors.AddressError("in use", 98)) == "in use" and errors.AddressError("in use", 98).errno == 98


# --- events -------------------------------------------------------------------------------------------------


@given(st.text(st.characters(), max_size=3000))
def test_text_travels_as_utf_8_and_is_cut(text):
    told = text_event(Kind.PRINTED, 1.5, 3, text)
    assert told[:3] == (Kind.PRINTED, 1.5, 3)
    assert len(told.data) <= KEPT_BYTES
    assert told.size >= len(told.data) and told.size >= len(text)


def test_an_event_made_the_short_way_is_an_event():
    assert new_event((Kind.SENT, 1.0, 2, b"x", 1)) == Event(Kind.SENT, 1.0, 2, b"x", 1)
    assert type(event(1)) is Event


# --- states -------------------------------------------------------------------------------------------------

ALLOWED = {
    ("new", "serving"),
    ("new", "stopping"),
    ("serving", "stopping"),
    ("stopping", "stopped"),
    *itertools.product(["accepted"], ["open", "closed", "reset", "failed"]),
    *itertools.product(["open"], ["half-closed", "closed", "reset", "failed"]),
    *itertools.product(["half-closed"], ["closed", "reset", "failed"]),
}


@pytest.mark.parametrize(
    ("table", "old", "new"),
    [
        (table, *pair)
        for table, states in ((SERVER_TRANSITIONS, ServerState), (CONNECTION_TRANSITIONS, ConnectionState))
        for pair in itertools.product(states, states)
    ],
)
def test_every_transition_is_allowed_or_refused(table, old, new):
    assert may_follow(table, old, new) is ((old.value, new.value) in ALLOWED)


def test_what_is_over():
    assert {s.value for s in ConnectionState if is_over(s)} == {"closed", "reset", "failed"}


# --- context ------------------------------------------------------------------------------------------------


def test_each_thread_has_its_own_speaker():
    seen = []
    outer, inner = object(), object()
    with context.speaking_to(outer):
        with pytest.raises(ValueError), context.speaking_to(inner):
            assert context.current() is inner
            raise ValueError
        assert context.current() is outer
        thread = threading.Thread(target=lambda: seen.append(context.current()))
        thread.start()
        thread.join()
    assert context.current() is None
    assert seen == [None]


# --- journal ------------------------------------------------------------------------------------------------


@given(kept=st.integers(1, 50), appended=st.integers(0, 200), since=st.integers(0, 220))
def test_a_cursor_reads_what_is_new_and_kept(kept, appended, since):
    record = Record(kept)
    for number in range(1, appended + 1):
        record.append(event(number))
    first = max(since, appended - kept)  # a first number above since + 1 tells of an overrun
    assert record.read(since) == [(n, event(n)) for n in range(first + 1, appended + 1)]
    assert record.last == appended
    assert len(record) == len(list(record)) == min(kept, appended)


def test_appends_of_many_threads_are_numbered_without_holes_or_doubles():
    count, each = 8, 20_000
    journal, got, is_over = Journal(kept=1000), [], threading.Event()

    def write(thread):
        for number in range(each):
            journal.append(new_event((Kind.SENT, 0.0, thread, b"", number)))

    def read():
        cursor = 0
        while True:
            is_last = is_over.is_set()
            fresh = journal.read(cursor)
            got.extend(fresh)
            cursor = fresh[-1][0] if fresh else cursor
            if is_last:
                return

    writers = [threading.Thread(target=write, args=(thread,)) for thread in range(count)]
    reader = threading.Thread(target=read)
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join(60)
    is_over.set()
    reader.join(60)
    numbers = [number for number, _ in got]
    assert numbers == sorted(set(numbers))
    assert journal.last == numbers[-1] == count * each
    assert [n for n, _ in journal.read()] == list(range(count * each - 999, count * each + 1))
    for thread in range(count):  # each thread's own are in its order
        own = [e.size for _, e in got if e.connection == thread]
        assert own == sorted(set(own))


def test_who_waits_is_woken_by_an_announcement():
    journal = Journal()
    thread = threading.Thread(target=lambda: journal.announce(event(1)))
    thread.start()
    assert journal.wait_for(lambda: journal.last == 1, 5)
    thread.join()
    assert not journal.wait_for(lambda: False, 0.01)


# --- text ---------------------------------------------------------------------------------------------------


@given(st.one_of(st.text(st.characters()), st.binary()), st.integers(1, 50))
def test_safe_text_is_printable_and_short(value, limit):
    shown = safe_text(value, limit)
    assert shown.isprintable() or shown == ""
    assert len(shown) <= limit * 10 + 1
    is_longer = len(value if isinstance(value, str) else value.decode("utf-8", "surrogateescape")) > limit
    assert shown.endswith("…") or not is_longer
    assert safe_text(value).replace("\\\\", "").count("\\") >= 0


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=200))
def test_safe_text_is_reversible(text):
    shown = safe_text(text)
    if not any(ord(c) > 0xFF for c in shown):  # then Python itself can read the escapes
        assert shown.encode("latin-1").decode("unicode_escape") == text


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_bytes_and_text_are_shown_alike(text):
    assert safe_text(text.encode()) == safe_text(text)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"\xff\x00\n", r"\xff\x00\n"),
        ("a\\b\t", r"a\\b\t"),
        ("\u202egnp", r"\u202egnp"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\u2028\u200b\ufeff\u3164", r"\u2028\u200b\ufeff\u3164"),
        ("\U000e0001\ud800", r"\U000e0001\ud800"),
        ("a" + "\u0301" * 6, "a" + "\u0301" * 4 + r"\u0301\u0301"),
        ("汉字 é", "汉字 é"),
        ("", ""),
    ],
)
def test_safe_text_of_each_kind_of_character(value, shown):
    assert safe_text(value) == shown


def test_a_cut_is_marked():
    assert safe_text("x" * 11, 10) == "x" * 10 + "…"
    assert safe_text("x" * 10, 10) == "x" * 10
    assert safe_text("\U0001f600".encode() * 11, 10) == "\U0001f600" * 10 + "…"
    assert safe_text(b"\xff" * 1000, 2) == r"\xff\xff…"
    assert escape("\n") == r"\n"


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "latin-1"])
@given(data=st.binary(max_size=60), cuts=st.lists(st.integers(0, 60), max_size=6), text=st.text(max_size=20))
def test_any_split_decodes_alike(encoding, data, cuts, text):
    for whole in (data, text.encode(encoding, "ignore") + data):
        edges = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
        pieces = [whole[a:b] for a, b in itertools.pairwise(edges)]
        decoder = Decoder(encoding)
        assert "".join(map(decoder.feed, pieces)) + decoder.feed(b"", True) == Decoder(encoding).feed(whole, True)


@given(st.text(max_size=50))
def test_whole_text_is_decoded_as_it_is(text):
    assert Decoder().feed(text.encode()) == text


def test_half_a_character_waits_for_its_other_half():
    decoder = Decoder()
    assert decoder.feed("é".encode()[:1]) == ""
    assert decoder.feed("é".encode()[1:]) == "é"


@given(st.text(st.characters()))
def test_any_text_can_be_sent(text):
    assert isinstance(encoded(text), bytes)


@given(st.binary())
def test_bytes_that_are_no_utf_8_come_back_as_they_were(data):
    assert encoded(data.decode("utf-8", "surrogateescape")) == data
