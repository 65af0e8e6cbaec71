"""The byte ruler of a connection: what its handler's end has seen, beside what its client's end has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..events import Event, Kind
from ..teach import Half, Piece, Row, Ruler, Way, halves, line_of, paired, placed

if TYPE_CHECKING:
    from .connection import Connection

_CALLS = {Kind.RECEIVED: "recv", Kind.SENT: "send"}
_TRIES = 5
_ENDS = ("client", "server")


def ruler_of(connection: Connection, encoding: str, patience: float) -> Ruler:
    """The ruler of a connection; see `Connection.ruler`."""
    connection._observation.sees_lines = True  # from here on
    tap = type(connection).find_tap(connection)
    unseen = tap.unseen if tap else "elsewhere"
    here = _seen_here(connection)
    there = (tap.sent.row, tap.received.row) if tap and not unseen else (None, None)
    is_stream = not connection.is_datagram
    rows = [(there[0], here[0]), (here[1], there[1])]
    ways = []
    for sender, (sends, recvs) in zip(_ENDS, rows, strict=True):
        if sends and recvs and not is_stream:
            sends, recvs = paired(sends, recvs)
        way = Way(sender, sends, recvs, _halves(sends, recvs, encoding, is_stream), None, is_stream)
        ways.append(_through_the_lens(connection, way, patience))
    client = tap.owner if tap else ""
    return Ruler((ways[0], ways[1]), client, unseen, is_stream, connection.is_over, connection.lens.name, encoding)


def _halves(sends: Row | None, recvs: Row | None, encoding: str, is_stream: bool) -> dict[int, Half]:
    row = recvs or sends
    return halves(row.pieces, encoding, is_stream) if row else {}


def _through_the_lens(connection: Connection, way: Way, patience: float) -> Way:
    known = way.bytes_known
    if not known or not way.is_stream or connection.lens.name == "raw":
        return way
    begin, data = known[-1]
    place = (connection.number, way.sender)
    return way._replace(framed=connection.lens.look(place, data, begin, patience))


def _seen_here(connection: Connection) -> tuple[Row | None, Row | None]:
    """What the handler's end received, and sent."""
    sock = connection.socket
    if sock is not None and not hasattr(sock, "connection"):
        return None, None  # its handler, or a get_request() of the user's, has wrapped it
    for _ in range(_TRIES):  # no lock keeps counters and transcript in step: both are looked at until nothing moved
        before = _counters(connection)
        events = connection.transcript.read()
        if _counters(connection) == before:
            break
    lines = dict(connection.sites or ())
    is_more = connection.credit <= 0 and not connection.is_over
    rows = []
    for kind, total in ((Kind.RECEIVED, before[0]), (Kind.SENT, before[1])):
        chunks: list[list[Piece]] = [[]]
        for _, event in events:
            if event.kind is Kind.PASSED:
                chunks.append([])
            elif event.kind is kind:
                chunks[-1].append(_piece(event, line_of(lines.get(event.time))))
        rows.append(placed(chunks, total, not events or events[0][0] == 1, is_more))
    return rows[0], rows[1]


def _counters(connection: Connection) -> tuple[int, int, int]:
    return connection.bytes_in, connection.bytes_out, connection.transcript.last


def _piece(event: Event, where: str) -> Piece:
    return Piece(0, event.size, event.time, _CALLS[event.kind], where, event.data)
