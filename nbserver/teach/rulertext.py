"""A byte ruler as text: bytes in hex, the calls that sent them marked above, those that received them below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..text import safe_text
from .framing import Framed

if TYPE_CHECKING:
    from .ruler import Row, Way

_LINE = 16  # bytes in one line
_BLOCKS = 40  # lines of bytes in one direction: the newest
_TROUBLES = {
    "huge": "the length says {} bytes: that is not believed",
    "error": "your lens raised {}",
    "late": "your lens has not finished within {} s",
    "many": "only the first {} messages are told",
}


def drawn(ways: Sequence[Way], client: str) -> str:
    """Both directions, one below the other; `client` is what its end is called."""
    return "\n".join(line for way in ways for line in _way_drawn(way, client))


def _way_drawn(way: Way, client: str) -> list[str]:
    ends = (client, "server") if way.sender == "client" else ("server", client)
    sent = f"{way.sends.total} bytes sent" if way.sends else "not seen where it is sent"
    got = f"{way.recvs.total} bytes received" if way.recvs else "not seen where it is received"
    flying = f", {way.in_flight} in flight" if way.in_flight else ""
    blocks = [
        _block(way, at, data[at - begin : at - begin + _LINE])
        for begin, data in way.bytes_known
        for at in range(begin, begin + len(data), _LINE)
    ]
    missing = len(blocks) - _BLOCKS
    left_out = [f"  … {missing} lines before these left out"] if missing > 0 else []
    lines = [line for block in blocks[-_BLOCKS:] for line in block]
    return [f"{ends[0]} → {ends[1]}: {sent}, {got}{flying}", *left_out, *lines, *_remarks(way)]


def _block(way: Way, at: int, data: bytes) -> list[str]:
    """Marks above, bytes, marks below."""
    shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in data)
    above = [f"  send {_marks(way.sends, at, len(data))}"] if way.sends else []
    below = [f"  recv {_marks(way.recvs, at, len(data))}"] if way.recvs else []
    return [*above, f"{at:>6} {data.hex(' ').ljust(3 * _LINE)} {shown}", *below]


def _marks(row: Row, at: int, count: int) -> str:
    """A stroke where a piece begins, above or below the first digit of its first byte; dots where nothing is kept."""
    out = [" "] * (3 * count)
    for piece in row.pieces:
        begin, end = max(piece.begin, at), min(piece.end, at + count)
        for i in range(3 * (begin - at), 3 * (end - at)):
            out[i] = "·" if piece.is_gap else "-"
        if begin == piece.begin and begin < end:
            out[3 * (begin - at)] = "|"
    return "".join(out).rstrip()


def _remarks(way: Way) -> list[str]:
    row = way.recvs or way.sends
    lines = [f"  bytes {p.begin} to {p.end}: not kept" for p in (row.pieces if row else ()) if p.is_gap]
    for begin, end, sends, recvs, kind in way.groups:
        if kind in ("merged", "split", "mixed"):
            lines.append(f"  bytes {begin} to {end}: {sends} send() became {recvs} recv() ({kind})")
    for begin, half in way.halves.items():
        if half.have:
            lines.append(f"  the piece at {begin} ends in half a character: {half.needs} more to come")
        if half.error:
            lines.append(f"  the piece at {begin}, decoded alone: {safe_text(half.error)}")
    return [*lines, *(_framed_lines(way.framed) if way.framed else [])]


def _framed_lines(seen: Framed) -> list[str]:
    lines = [f"  the lens begins at byte {seen.begin}, after a gap: perhaps inside a message"] if seen.begin else []
    lines += [f"  message at {message.begin}: {message.size} bytes" for message in seen.messages[-_BLOCKS:]]
    if seen.trouble is not None:
        return [*lines, "  " + _TROUBLES[seen.trouble[0]].format(seen.trouble[1])]
    if seen.have:
        more = "its end is not known yet" if seen.needs is None else f"{seen.needs} more to come"
        lines.append(f"  incomplete message at {seen.rest}: {seen.have} bytes, {more}")
    return lines
