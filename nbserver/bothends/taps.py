"""What the client's end of a connection has carried, where a program of this process has made it."""

from __future__ import annotations

from ..console import Tap, recent
from ..fleet import known_clients
from ..net import Connection
from .links import names_of, place_of

_SLACK = 1.0  # seconds that a client may take, on a busy machine, to note that it has connected


def tap_of(connection: Connection) -> Tap | None:
    """What the other end of `connection` knows of it; None when that is not in this process, or not kept any more.

    Thread: any.
    """
    server, peer = place_of(connection.server_address), connection.peer
    if not peer or not isinstance(peer, (tuple, str, bytes)):
        return None  # a get_request() of the user's may give anything
    best: Tap | None = None
    for tap in [*recent, *(tap for client in known_clients() for tap in list(client.taps))]:
        is_its = place_of(tap.remote) == server and peer in names_of(tap.local)
        if is_its and tap.opened <= connection.opened + _SLACK and (best is None or tap.opened > best.opened):
            best = tap
    return best


Connection.find_tap = staticmethod(tap_of)
