"""The byte ruler as data: what stands at which byte, what became of what, and characters that were cut in two."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nbserver.teach import Piece, Row, Ruler, Way, halves, paired, placed, told
from nbserver.teach.ruler import KEPT_OF_WAY, KEPT_PIECES, Track, grouped, runs


def row(*pieces: bytes, call: str = "recv") -> Row:
    """A row of pieces, whole and from the first byte on."""
    out, at = [], 0
    for data in pieces:
        out.append(Piece(at, len(data), 1.0, call, "", data))
        at += len(data)
    return Row(tuple(out), at)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[a:b] for a, b in zip(edges, edges[1:], strict=False)]


CUTS = st.lists(st.integers(0, 500), max_size=12)


@given(st.binary(min_size=1, max_size=100), CUTS, CUTS)
def test_groups_hold_every_byte_once_and_every_piece_once(data, above, below):
    sends, recvs = row(*cut(data, above)), row(*cut(data, below))
    groups = grouped(sends, recvs)
    assert [group.begin for group in groups] == [0, *(group.end for group in groups[:-1])]
    assert groups[-1].end == len(data)
    assert sum(group.sends for group in groups) == len(sends.pieces)
    assert sum(group.recvs for group in groups) == len(recvs.pieces)
    for group in groups:
        kinds = {(True, True): "whole", (False, True): "merged", (True, False): "split", (False, False): "mixed"}
        assert group.kind == kinds[group.sends == 1, group.recvs == 1]


@given(st.text(max_size=30), st.sampled_from(["utf-8", "utf-16le", "gbk", "shift_jis"]), CUTS)
def test_half_characters_are_where_a_decoder_waits_and_are_completed_by_what_follows(text, encoding, places):
    data = text.encode(encoding, "ignore")
    pieces = row(*cut(data, places)).pieces if data else ()
    found = halves(pieces, encoding)
    for piece in pieces:
        half = found.get(piece.begin)
        try:
            data[: piece.end].decode(encoding)
            assert half is None or half.have == 0
        except UnicodeDecodeError:
            assert half is not None and half.have > 0 and half.needs > 0
            if encoding != "utf-16le":  # of one byte of its four nobody can know yet how many will follow
                data[: piece.end + half.needs].decode(encoding)
        try:
            piece.data.decode(encoding)
            assert half is None or not half.error
        except UnicodeDecodeError as error:
            assert half is not None and half.error == f"UnicodeDecodeError: {error}"


def test_the_textbook_half_character():
    one, other = row(b"hello" + b"\xe4\xbd", b"\xa0").pieces
    found = halves([one, other], "utf-8")
    assert found[0][:3] == (2, 1, 0) and found[7][:3] == (0, 0, 1)
    assert found[0].error == (
        "UnicodeDecodeError: 'utf-8' codec can't decode bytes in position 5-6: unexpected end of data"
    )
    assert found[7].error.endswith("can't decode byte 0xa0 in position 0: invalid start byte")


def test_what_is_on_the_way_is_no_group_of_its_receiver():
    sends, recvs = row(b"abc", b"def"), row(b"abc")
    assert [(g.begin, g.end, g.kind) for g in grouped(sends, recvs)] == [(0, 3, "whole"), (3, 6, "flying")]
    way = Way("client", sends, recvs)
    assert (way.total, way.in_flight) == (6, 3)
    assert Way("client", None, recvs).in_flight is None
    assert grouped(row(b"abc", b"def"), row(b"ab"))[0][2:] == (2, 1, "flying")


def test_a_call_that_has_not_returned_yet_is_behind_what_was_received_from_it():
    assert Way("server", row(b"ab"), row(b"abcd")).in_flight == 0
    assert grouped(row(b"ab"), row(b"ab", b"cd"))[-1].kind == "unknown"


def piece(size: int) -> Piece:
    return Piece(0, size, 1.0, "recv", "", b"x" * size)


def test_offsets_count_from_the_begin_if_all_is_kept_and_else_from_the_end():
    def spots(*args):
        return [(p.begin, p.size, p.is_gap) for p in placed(*args).pieces]

    first, second = [piece(3), piece(4)], [piece(5)]
    assert spots([first], 7, True, False) == [(0, 3, False), (3, 4, False)]
    assert spots([first], 107, False, False) == [(0, 100, True), (100, 3, False), (103, 4, False)]
    assert spots([first, second], 20, True, False) == [(0, 3, False), (3, 4, False), (7, 8, True), (15, 5, False)]
    assert spots([first, second], 12, True, False)[-1] == (7, 5, False), "messages of the other direction passed by"
    assert spots([first], 10, True, True) == [(0, 3, False), (3, 4, False), (7, 3, True)]
    assert spots([[]], 0, True, False) == []


def test_a_track_keeps_the_newest_and_its_sum_stays_right():
    track = Track()
    for _ in range(KEPT_PIECES + 50):
        track.add(b"ab", 2, 1.0, "send", "")
    pieces, total = track.row
    assert total == 2 * (KEPT_PIECES + 50) and pieces[0] == Piece(0, 100, 0.0, "")
    assert len(pieces) == KEPT_PIECES + 1
    large = Track()
    for _ in range(100):
        large.add(b"x" * 4096, 5000, 1.0, "send", "")
    assert sum(len(piece.data) for piece in large.row.pieces) <= KEPT_OF_WAY
    assert large.row.total == 500_000 and large.row.pieces[-1].end == 500_000


def test_bytes_are_known_if_either_end_has_kept_them():
    above = [Piece(0, 10, 1.0, "send", "", b"0123")]  # cut
    below = [Piece(0, 5, 1.0, "recv", "", b"01234"), Piece(5, 5, 1.0, "recv", "", b"56789")]
    assert runs([*above, *below]) == [(0, b"0123456789")]
    assert runs(above) == [(0, b"0123")]


def test_datagrams_stay_whole_and_one_that_is_lost_leaves_a_hole():
    sends, recvs = paired(row(b"one", b"two", b"three"), row(b"one", b"three", b"three"))
    way = Way("client", sends, recvs, is_stream=False)
    kinds = [(group.begin, group.end, group.kind) for group in way.groups]
    assert kinds == [(0, 3, "whole"), (3, 6, "flying"), (6, 11, "whole"), (11, 16, "unknown")]
    assert way.bytes_known == [(0, b"onetwothreethree")]


def test_as_text_marks_stand_above_and_below_the_bytes():
    sends, recvs = row(b"hello-", b"world-", call="send"), row(b"hello-world-")
    text = str(
        Ruler((Way("client", sends, recvs), Way("server", Row(), Row())), "client 1", "", True, False, "raw", "utf-8")
    )
    above, line, below = text.splitlines()[1:4]
    assert line.endswith("hello-world-") and line[7:].startswith("68 65 6c")
    assert [i for i, c in enumerate(above[7:]) if c == "|"] == [0, 18]
    assert [i for i, c in enumerate(below[7:]) if c == "|"] == [0]
    assert "2 send() became 1 recv() (merged)" in text


@given(st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=400))
def test_a_page_is_told_the_newest_part_only(pieces):
    recvs = row(*pieces)
    way = told(
        Ruler((Way("client", None, recvs), Way("server", None, None)), "", "", True, False, "raw", "utf-8"), False
    )
    first = way["ways"][0]
    assert first["total"] == recvs.total and len(first["recvs"]["pieces"]) <= 200
    assert sum(len(text) for _, text in first["known"]) <= 11_000
    assert all(begin + size > first["since"] for begin, size, *_ in first["recvs"]["pieces"])
