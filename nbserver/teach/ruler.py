"""The byte ruler: what each end of a connection sent and received, aligned by byte, as plain data and as text."""

from __future__ import annotations

import codecs
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from .framing import Framed
from .rulertext import drawn

KEPT_PIECES = 1_000
"""So many calls of each direction are kept of a program's socket."""
KEPT_OF_WAY = 32_768
"""So much of their data, in bytes: 64 KiB for both directions."""


class Piece(NamedTuple):
    """What one call carried.

    Attributes:
        begin: Which byte of the connection its first one is, counted from 0.
        size: How many bytes; of a datagram it may be 0.
        time: When, in seconds since 1970.
        call: Which call: ``send``, ``sendall``, ``recv``; "" for a gap: bytes that went by and are not kept.
        where: The student's line that called, if known.
        data: Its bytes, as far as they are kept.
    """

    begin: int
    size: int
    time: float
    call: str
    where: str = ""
    data: bytes = b""

    @property
    def end(self) -> int:
        """Which byte comes after it."""
        return self.begin + self.size

    @property
    def is_gap(self) -> bool:
        """Whether it stands for bytes that are not kept."""
        return not self.call


class Half(NamedTuple):
    """A character that a piece cuts in two.

    Attributes:
        have: So many of its bytes end the piece; 0 if it ends with a whole character.
        needs: So many more it needs, which the next piece brings.
        before: So many bytes at the beginning of the piece belong to a character that began in the piece before.
        error: What a plain ``decode`` of this piece alone raises, or "".
    """

    have: int
    needs: int
    before: int
    error: str


class Group(NamedTuple):
    """The bytes between two places where both a ``send`` and a ``recv`` ended.

    Attributes:
        begin, end: The bytes.
        sends, recvs: How many calls sent them, and received them.
        kind: ``whole`` (one became one), ``merged``, ``split``, ``mixed``, ``flying`` (not received yet), or
            ``unknown``, when something there is not kept.
    """

    begin: int
    end: int
    sends: int
    recvs: int
    kind: str


class Row(NamedTuple):
    """All that one end did in one direction: its pieces in order, gaps included, without holes; and how many bytes."""

    pieces: tuple[Piece, ...] = ()
    total: int = 0


# ── recording one direction ──


class Track:
    """The last calls of one end in one direction, bounded. Thread: any; several may send at once."""

    def __init__(self) -> None:
        self._pieces: deque[Piece] = deque(maxlen=KEPT_PIECES)
        self._lock = threading.Lock()
        self._kept = self.total = 0

    def add(self, data: bytes, size: int, time: float, call: str, where: str) -> None:
        """One call more; `data` may be the beginning of what it carried."""
        with self._lock:
            if len(self._pieces) == KEPT_PIECES:
                self._forget()
            self._pieces.append(Piece(self.total, size, time, call, where, data))
            self.total += size
            self._kept += len(data)
            while self._kept > KEPT_OF_WAY:
                self._forget()

    def _forget(self) -> None:
        self._kept -= len(self._pieces.popleft().data)

    @property
    def row(self) -> Row:
        """What is kept, and a gap for what is not."""
        with self._lock:
            pieces, total = tuple(self._pieces), self.total
        begin = pieces[0].begin if pieces else total
        return Row((*_gap(0, begin), *pieces), total)


def _gap(begin: int, end: int) -> list[Piece]:
    return [Piece(begin, end - begin, 0.0, "")] if end > begin else []


def placed(chunks: Sequence[Sequence[Piece]], total: int, is_whole: bool, is_more: bool) -> Row:
    """A row out of what a transcript keeps: of each piece the size is known, and of all of them the sum.

    Args:
        chunks: The pieces, in their order; between two chunks something is missing, maybe of this direction.
        total: How many bytes there were in all.
        is_whole: Whether the first chunk begins with the first byte.
        is_more: Whether something is missing behind the last chunk.
    """
    missing = total - sum(piece.size for chunk in chunks for piece in chunk)
    if missing <= 0:  # all are there
        pieces = _from(0, [piece for chunk in chunks for piece in chunk])
        return Row(tuple(pieces), pieces[-1].end if pieces else 0)
    head = _from(0, chunks[0]) if is_whole and chunks else []
    tail = chunks[-1] if chunks and not is_more and (len(chunks) > 1 or not is_whole) else []
    begin = total - sum(piece.size for piece in tail)
    return Row((*head, *_gap(head[-1].end if head else 0, begin), *_from(begin, tail)), total)


def _from(begin: int, pieces: Iterable[Piece]) -> list[Piece]:
    out: list[Piece] = []
    for piece in pieces:
        out.append(piece._replace(begin=begin))
        begin += piece.size
    return out


# ── aligning both ──


class Way(NamedTuple):
    """One direction of a connection: what one end sent, above what the other received.

    Attributes:
        sender: ``client`` or ``server``.
        sends, recvs: What each end did; None for an end that is not seen.
        halves: By the begin of a received piece (of a sent one, where only that end is seen): characters cut in two.
        framed: What the server's lens sees in it, or None.
        is_stream: Whether it is a stream of bytes; datagrams have a place each.
    """

    sender: str
    sends: Row | None
    recvs: Row | None
    halves: dict[int, Half] = {}  # noqa: RUF012 - never changed
    framed: Framed | None = None
    is_stream: bool = True

    @property
    def total(self) -> int:
        """How many bytes have gone this way."""
        return max(self.sends.total if self.sends else 0, self.recvs.total if self.recvs else 0)

    @property
    def in_flight(self) -> int | None:
        """How many bytes were sent and have not been received yet; None if one end is not seen."""
        return max(0, self.sends.total - self.recvs.total) if self.sends and self.recvs else None

    @property
    def groups(self) -> list[Group]:
        """What became of what: see `Group`. Empty if one end is not seen."""
        if self.sends is None or self.recvs is None:
            return []
        return (grouped if self.is_stream else _slots)(self.sends, self.recvs)

    @property
    def bytes_known(self) -> list[tuple[int, bytes]]:
        """The bytes that either end has kept, as runs without holes: where each begins, and what it holds."""
        return runs([piece for row in (self.sends, self.recvs) if row for piece in row.pieces])


def grouped(sends: Row, recvs: Row) -> list[Group]:
    """What became of what in a stream, in the order of the bytes."""
    ends = {piece.end for piece in sends.pieces} & {piece.end for piece in recvs.pieces}
    groups, begin, at, to = [], 0, 0, 0
    for end in sorted((ends | {sends.total, recvs.total} - {min(sends.total, recvs.total)}) - {0}):
        above, at = _until(sends.pieces, at, end)
        below, to = _until(recvs.pieces, to, end)
        kind = _kind(above, below)
        if kind != "unknown" and not sends.total >= end <= recvs.total:
            kind = "flying" if sends.total >= end else "unknown"  # or the call that sends it has not returned yet
        groups.append(Group(begin, end, len(above), len(below), kind))
        begin = end
    return groups


def _until(pieces: Sequence[Piece], at: int, end: int) -> tuple[Sequence[Piece], int]:
    """The pieces from number `at` on that begin before `end`; and which comes next."""
    last = at
    while last < len(pieces) and pieces[last].begin < end:
        last += 1
    return pieces[at:last], last


def _kind(above: Sequence[Piece], below: Sequence[Piece]) -> str:
    if any(piece.is_gap for piece in (*above, *below)):
        return "unknown"
    kinds = {(True, True): "whole", (False, True): "merged", (True, False): "split"}
    return kinds.get((len(above) == 1, len(below) == 1), "mixed")


def _slots(sends: Row, recvs: Row) -> list[Group]:
    """Of datagrams: each stays whole, or it has not been received."""
    above, below = ({piece.begin: piece for piece in row.pieces} for row in (sends, recvs))
    kinds = {(True, True): "whole", (True, False): "flying", (False, True): "unknown"}
    return [
        Group(begin, (above.get(begin) or below[begin]).end, begin in above, begin in below, kind)
        for begin in sorted({*above, *below})
        for kind in [kinds[begin in above, begin in below]]
    ]


def paired(sends: Row, recvs: Row) -> tuple[Row, Row]:
    """Both rows of datagrams, each of which gets a place of its own: what was sent stands above what was received.

    One that was not received leaves a hole below, one that came twice a hole above.
    """
    rows: tuple[list[Piece], list[Piece]] = [], []
    above = [piece for piece in sends.pieces if not piece.is_gap]
    at = place = 0

    def put(size: int, *pairs: tuple[list[Piece], Piece]) -> None:
        nonlocal place
        for row, piece in pairs:
            row.append(piece._replace(begin=place))
        place += size

    for piece in recvs.pieces:
        if piece.is_gap:
            continue
        key = (piece.size, piece.data)
        match = next((i for i in range(at, len(above)) if (above[i].size, above[i].data) == key), None)
        for lost in above[at:match] if match is not None else ():
            put(lost.size, (rows[0], lost))
        put(piece.size, *([(rows[0], above[match])] if match is not None else []), (rows[1], piece))
        at = at if match is None else match + 1
    for flying in above[at:]:
        put(flying.size, (rows[0], flying))
    return Row(tuple(rows[0]), sends.total), Row(tuple(rows[1]), recvs.total)


def runs(pieces: Iterable[Piece]) -> list[tuple[int, bytes]]:
    """What the pieces have kept, as runs without holes."""
    out: list[tuple[int, bytearray]] = []
    for piece in sorted((piece for piece in pieces if piece.data), key=lambda piece: piece.begin):
        begin = out[-1][0] if out else 0
        end = begin + len(out[-1][1]) if out else -1
        if piece.begin > end:
            out.append((piece.begin, bytearray(piece.data)))
        elif piece.begin + len(piece.data) > end:
            out[-1][1].extend(piece.data[end - piece.begin :])
    return [(begin, bytes(data)) for begin, data in out]


# ── characters that are cut in two ──


def halves(pieces: Iterable[Piece], encoding: str, is_stream: bool = True) -> dict[int, Half]:
    """By the begin of each piece: the character that it cuts in two, and what a plain ``decode`` of it raises."""
    out: dict[int, Half] = {}
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    at = 0
    for piece in pieces:
        if piece.is_gap or piece.begin != at or not is_stream:
            decoder.reset()
        at = piece.end
        waiting = _pending(decoder)
        decoder.decode(piece.data)
        is_cut = len(piece.data) < piece.size
        if is_cut:
            decoder.reset()  # what follows the kept part is not known
        left = _pending(decoder)
        error = "" if is_cut else plain_error(piece.data, encoding)
        needs = _length_of(left, encoding) - len(left) if left else 0
        before = min(_length_of(waiting, encoding) - len(waiting), piece.size) if waiting else 0
        if left or before or error:
            out[piece.begin] = Half(min(len(left), piece.size), needs, before, error)
    return out


def _pending(decoder: codecs.IncrementalDecoder) -> bytes:
    state: tuple[bytes, object] = decoder.getstate()
    return state[0]


def _length_of(beginning: bytes, encoding: str) -> int:
    """How long the character is that begins so, in bytes."""
    lead = beginning[0]
    if encoding.startswith("utf-16"):
        return 2 if len(beginning) < 2 else 4
    if encoding != "utf-8":
        return 2
    return 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4


@lru_cache(2048)
def plain_error(data: bytes, encoding: str) -> str:
    """What ``data.decode(encoding)`` raises, as a traceback's last line says it, or ""."""
    try:
        data.decode(encoding)
    except UnicodeDecodeError as error:
        return f"UnicodeDecodeError: {error}"
    return ""


class Ruler(NamedTuple):
    """Both directions of a connection; ``print(ruler)`` draws them.

    Attributes:
        ways: From client to server, and from server to client.
        client: Who is at the other end, or "".
        unseen: Why the client's end is not seen: ``elsewhere`` (it is not in this kernel, or its socket is one that is
            not watched), ``tls`` (it encrypts: what it sends is not what it says), or "".
        is_stream: Whether it is a stream of bytes (TCP); otherwise each datagram stays whole.
        is_over: Whether the connection has ended: what was not received never will be.
        lens: The name of the server's lens.
        encoding: How characters are read.
    """

    ways: tuple[Way, Way]
    client: str
    unseen: str
    is_stream: bool
    is_over: bool
    lens: str
    encoding: str

    def __str__(self) -> str:
        return drawn(self.ways, self.client or "client")
