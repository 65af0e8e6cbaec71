"""Framing lenses: the same messages however the bytes came, and no length that is believed blindly."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbserver.teach.framing import BELIEVED_BYTES, LENSES, MOST_MESSAGES, framed, framed_by

PREFIXES = {
    "length1": (1, "big"),
    "length2big": (2, "big"),
    "length2little": (2, "little"),
    "length4big": (4, "big"),
    "length4little": (4, "little"),
}


def written(lens: str, bodies: list[bytes]) -> bytes:
    """The bodies as a program that frames them so would send them."""
    if lens == "line":
        return b"".join(body.replace(b"\n", b" ") + b"\n" for body in bodies)
    size, order = PREFIXES[lens]
    return b"".join(len(body).to_bytes(size, order) + body for body in bodies)


@given(st.sampled_from(["line", *PREFIXES]), st.lists(st.binary(max_size=40), max_size=8), st.integers(0, 400))
def test_wherever_the_stream_is_cut_whole_messages_are_told_and_the_rest_is_counted(lens, bodies, cut):
    stream = written(lens, bodies)
    whole = framed(lens, stream)
    assert len(whole.messages) == len(bodies) and whole.have == 0 and whole.trouble is None
    seen = framed(lens, stream[:cut])
    assert seen.messages == tuple(message for message in whole.messages if message.end <= min(cut, len(stream)))
    assert seen.rest + seen.have == min(cut, len(stream))
    if seen.have and lens != "line":
        assert seen.needs is not None and seen.needs > 0
        more = framed(lens, stream[: cut + seen.needs])
        assert more.rest > seen.rest or (more.needs or 0) > 0, "after what it needs, more can be said"


@given(st.sampled_from(LENSES), st.binary(max_size=300), st.integers(0, 1000))
def test_any_bytes_are_told_without_holes(lens, data, begin):
    seen = framed(lens, data, begin)
    at = begin if seen.messages else seen.rest
    for message in seen.messages:
        assert message.begin == at and message.size > 0 and message.head + message.tail <= message.size
        at = message.end
    assert at == seen.rest
    assert seen.rest + seen.have == begin + len(data)


def test_both_line_ends_are_line_ends():
    first, second = framed("line", b"one\r\ntwo\nthr").messages
    assert (first.size, first.tail) == (5, 2) and (second.size, second.tail) == (4, 1)
    seen = framed("line", b"one\r\ntwo\nthr")
    assert (seen.rest, seen.have, seen.needs) == (9, 3, None)


def test_an_incomplete_message_says_what_it_needs():
    assert framed("length2big", b"\x00\x05he").needs == 3
    assert framed("length4little", b"\x05").needs == 3, "of its length, first"


def test_a_length_that_lies_is_said_and_no_room_is_made_for_it():
    tracemalloc.start()
    seen = framed("length4big", b"\xff\xff\xff\xffhello")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seen.trouble == ("huge", 2**32 - 1) and seen.messages == () and seen.rest == 0
    assert peak < 100_000
    assert framed("length4big", BELIEVED_BYTES.to_bytes(4, "big")).trouble is None


def test_more_messages_than_anybody_reads_are_not_told():
    seen = framed("line", b"\n" * 10_000)
    assert len(seen.messages) == MOST_MESSAGES and seen.trouble == ("many", MOST_MESSAGES)


@pytest.mark.parametrize(
    "function",
    [
        lambda data: [5] * (len(data) // 5 + 1),
        lambda data: (slice(at, at + 5) for at in range(0, len(data), 5)),
    ],
)
def test_a_function_gives_lengths_or_slices(function):
    seen = framed_by(function, b"helloworldxy", 100)
    assert [(message.begin, message.size) for message in seen.messages] == [(100, 5), (105, 5)]
    assert (seen.rest, seen.have, seen.needs) == (110, 2, 3)


class Awkward(Exception):
    def __str__(self):
        raise RuntimeError


def awkward(data):
    raise Awkward


def forever(data):
    while True:
        yield 1


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda data: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda data: 5, "TypeError: 'int' object is not iterable"),
        (lambda data: ["x"], "TypeError: a lens gives lengths or slices, not str"),
        (lambda data: [0], "ValueError: a message of 0 bytes: a length is 1 or more"),
        (lambda data: [-5], "ValueError: a message of -5 bytes: a length is 1 or more"),
        (lambda data: [True], "TypeError: a lens gives lengths or slices, not bool"),
        (lambda data: [slice(2, 4)], "ValueError: slice(2, 4, None) does not begin at byte 0"),
        (awkward, "Awkward: (it cannot be written)"),
    ],
)
def test_what_a_function_raises_is_its_answer(function, said):
    seen = framed_by(function, b"hello")
    assert seen.trouble is not None and seen.trouble[0] == "error" and seen.trouble[1].startswith(said)


def test_a_generator_without_an_end_is_asked_for_so_much_and_no_more():
    assert framed_by(forever, b"x" * 10_000).trouble == ("many", MOST_MESSAGES)
