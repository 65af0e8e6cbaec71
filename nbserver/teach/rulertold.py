"""A byte ruler as a page is told of it: the newest part, in what JSON can hold. The contract is in PROTOCOL.md."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from typing import Any

from .framing import Framed
from .ruler import Piece, Row, Ruler, Way

_PIECES = 200  # of each end, in each direction
_BYTES = 8_192  # of each direction


def told(ruler: Ruler, has_function: bool) -> dict[str, Any]:
    """What a page is told; `has_function` says whether the user has given a lens."""
    lines: dict[str, int] = {"": 0}  # each is told once: most pieces come from the same few
    ways = [_way(way, lines) for way in ruler.ways]
    return {
        "stream": ruler.is_stream,
        "over": ruler.is_over,
        "client": ruler.client,
        "unseen": ruler.unseen,
        "lens": ruler.lens,
        "function": has_function,
        "encoding": ruler.encoding,
        "ways": ways,
        "lines": list(lines),
    }


def _way(way: Way, lines: dict[str, int]) -> dict[str, Any]:
    rows = [row for row in (way.sends, way.recvs) if row]
    since = max([0, way.total - _BYTES, *(row.pieces[-_PIECES].begin for row in rows if len(row.pieces) > _PIECES)])
    return {
        "from": way.sender,
        "total": way.total,
        "flying": way.in_flight,
        "since": since,
        "sends": _row(way.sends, since, lines),
        "recvs": _row(way.recvs, since, lines),
        "groups": [list(group) for group in way.groups if group.end > since],
        "halves": [[begin, *half] for begin, half in way.halves.items() if begin >= since],
        "known": list(_known(way.bytes_known, since)),
        "framed": _framed(way.framed, since) if way.framed else None,
    }


def _row(row: Row | None, since: int, lines: dict[str, int]) -> dict[str, Any] | None:
    if row is None:
        return None
    return {"total": row.total, "pieces": [_piece(piece, lines) for piece in row.pieces if piece.end > since]}


def _piece(piece: Piece, lines: dict[str, int]) -> list[Any]:
    return [piece.begin, piece.size, piece.time, piece.call, lines.setdefault(piece.where, len(lines))]


def _known(runs: list[tuple[int, bytes]], since: int) -> Iterable[list[Any]]:
    for begin, data in runs:
        if begin + len(data) > since:
            at = max(begin, since)
            yield [at, b64encode(data[at - begin :]).decode()]


def _framed(seen: Framed, since: int) -> dict[str, Any]:
    messages = [list(message) for message in seen.messages if message.end > since]
    trouble = list(seen.trouble) if seen.trouble else None
    return {
        "messages": messages,
        "rest": seen.rest,
        "have": seen.have,
        "needs": seen.needs,
        "trouble": trouble,
        "begin": seen.begin,
    }
