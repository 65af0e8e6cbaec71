"""The words: errors, events, states, context, journal, text."""

from __future__ import annotations

import itertools
import re
import threading
import unicodedata

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


ESCAPE = re.compile(r"\\(?:([nrt\\])|x(..)|u(....)|U(........))", re.DOTALL)


def read_back(shown: str) -> str:
    """What `safe_text` was given, from what it shows."""

    def unescape(found: re.Match[str]) -> str:
        name, *numbers = found.groups()
        return (
            {"n": "\n", "r": "\r", "t": "\t", "\\": "\\"}[name]
            if name
            else chr(int("".join(filter(None, numbers)), 16))
        )

    return ESCAPE.sub(unescape, shown)


# Hypothesis alone would hardly come upon what is meant to be hidden, or to climb.
TEXTS = st.text(
    st.characters() | st.sampled_from("\\\n\x1b\x9b\u202e\u2066\u2028\u200d\ufe0f\u0301\u0489\u3164❤\ufffd"),
    max_size=100,
)


@given(TEXTS | st.binary(), st.integers(1, 50))
def test_s02_what_is_shown_is_printable_and_short(value, limit):
    shown = safe_text(value, limit)
    assert shown.isprintable()
    assert len(shown) <= limit * 10 + 1
    is_longer = len(value if isinstance(value, str) else value.decode("utf-8", "surrogateescape")) > limit
    assert shown.endswith("…") or not is_longer


@given(TEXTS)
def test_s02_what_is_shown_can_be_read_back(text):
    lone = {
        chr(code): chr(code - 0xDC00) for code in range(0xDC80, 0xDD00)
    }  # of bytes that were no text: shown as \xff
    assert read_back(safe_text(text)) == text.translate(str.maketrans(lone))


@given(TEXTS)
def test_s02_what_needs_no_escape_is_shown_alike_again(text):
    shown = safe_text(text)
    assert ("\\" in shown) == (shown != text)
    assert safe_text(shown) == shown.replace("\\", "\\\\")  # no other character needs an escape of its own


@given(TEXTS)
def test_s02_marks_do_not_climb(text):
    longest = max((len(run) for run in re.findall(r"\ue000+", "".join(map(mark_or_not, safe_text(text))))), default=0)
    assert longest <= 4


def mark_or_not(character: str) -> str:
    return "\ue000" if unicodedata.category(character).startswith("M") else "x"


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_bytes_and_text_are_shown_alike(text):
    assert safe_text(text.encode()) == safe_text(text)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("", ""),
        ("汉字 é ❤️ 👍🏽", "汉字 é ❤️ 👍🏽"),
        (b"\xff\x00\n", r"\xff\x00\n"),
        (b"\xc0\xaf\xed\xa0\x80", r"\xc0\xaf\xed\xa0\x80"),  # an overlong form, half of a surrogate pair
        ("a\\b\t", r"a\\b\t"),
        ("\r\nX: y", r"\r\nX: y"),
        ("\x1b[2J\x9b2J\x07\x7f", r"\x1b[2J\x9b2J\x07\x7f"),  # Cc: ESC, and CSI in one byte
        ("\u202egnp\u2066\u061c", r"\u202egnp\u2066\u061c"),  # Cf: the direction of writing
        ("\u200b\ufeff\xad\u0600\U000e0041", r"\u200b\ufeff\xad\u0600\U000e0041"),  # Cf: what is not seen
        ("\u2028\u2029\x85", r"\u2028\u2029\x85"),  # Zl, Zp and NEL: a new line to some
        ("\xa0\u2003", r"\xa0\u2003"),  # Zs: a blank of another width
        ("\ue000\U0010ffff\u0378", r"\ue000\U0010ffff\u0378"),  # Co, Cn
        ("\ud800", r"\ud800"),  # Cs
        ("\u3164\u115f\uffa0\u2800", r"\u3164\u115f\uffa0\u2800"),  # letters and a symbol that are blank
        ("a\u034fb\ufe01c\U000e0101", r"a\u034fb\ufe01c\U000e0101"),  # marks that are not seen
        ("a\ufe0f\u2800\ufe0f", r"a\ufe0f\u2800\ufe0f"),  # no picture before it
        ("a" + "\u0301" * 6, "a" + "\u0301" * 4 + r"\u0301\u0301"),
        ("a" + "\u0489" * 5, "a" + "\u0489" * 4 + r"\u0489"),
        ("a\u0301\u0301\u0301\u0301\ufe00\u0301", "a\u0301\u0301\u0301\u0301" + r"\ufe00\u0301"),
    ],
)
def test_s02_each_class_of_characters(value, shown):
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
