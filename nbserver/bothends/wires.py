"""What the client's end of a connection has carried, where a program of this process has made it."""

from __future__ import annotations

from ..console import Wire, recent
from ..fleet import known_clients
from ..net import Connection
from .links import names_of, place_of

_SLACK = 1.0  # seconds that a client may take, on a busy machine, to note that it has connected


def wire_of(connection: Connection) -> Wire | None:
    """What the other end of `connection` knows of it; None when that is not in this process, or not kept any more.

    Thread: any.
    """
    server, peer = place_of(connection.server_address), connection.peer
    if not peer or not isinstance(peer, (tuple, str, bytes)):
        return None  # a get_request() of the user's may give anything
    best: Wire | None = None
    for wire in [*recent, *(wire for client in known_clients() for wire in list(client.wires))]:
        is_its = place_of(wire.remote) == server and peer in names_of(wire.local)
        if is_its and wire.opened <= connection.opened + _SLACK and (best is None or wire.opened > best.opened):
            best = wire
    return best


Connection.find_wire = staticmethod(wire_of)
