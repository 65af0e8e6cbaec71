"""Which client is at the other end of which connection, where both live in this process.

Found from outside, by their addresses, whenever somebody looks: no byte, and no accepting, is held up for it.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from ..console import Ends, Program
from ..fleet import known_clients
from ..net import Connection, Server, servers

Clients = dict[Any, Program]

# Each is replaced whole, never changed: several threads look, and find the old or the new.
_clients: tuple[list[Ends | None], dict[Any, Clients]] = ([], {})
_peers: WeakKeyDictionary[Server, tuple[int, dict[Any, Connection]]] = WeakKeyDictionary()
_found: WeakKeyDictionary[Program, tuple[Ends, Connection]] = WeakKeyDictionary()


def clients_at(server: Server) -> Clients:
    """The clients that have connected to `server`, by the addresses that its connections know as their peers'."""
    global _clients
    clients = known_clients()
    ends = [client.ends for client in clients]
    if ends != _clients[0]:
        _clients = ends, _by_place(clients)
    return _clients[1].get(place_of(server.address), {})


def _by_place(clients: list[Program]) -> dict[Any, Clients]:
    at: dict[Any, Clients] = {}
    for client in sorted(clients, key=lambda client: client.opened):  # of two with one address the later one counts
        if client.ends is not None:
            for local in names_of(client.ends.local):
                at.setdefault(place_of(client.ends.remote), {})[local] = client
    return at


def place_of(address: Any) -> Any:
    """What tells one server of this machine from another: the port, or the path."""
    return address[1] if isinstance(address, tuple) else address


def names_of(local: Any) -> list[Any]:
    """What a server may call it that has the address `local`: one for IPv6 that takes IPv4 as well writes it so."""
    is_ipv4 = isinstance(local, tuple) and len(local) == 2
    return [local, (f"::ffff:{local[0]}", local[1], 0, 0)] if is_ipv4 else [local] if local else []


def client_in(clients: Clients, connection: Connection) -> Program | None:
    """The client of a connection, among those at its server; one that has the address of an earlier one is not it."""
    try:
        client = clients.get(connection.peer)
    except TypeError:  # a get_request() of the user's gave an address that cannot be looked up
        return None
    return client if client is not None and client.opened <= connection.opened else None


def client_of(connection: Connection) -> Program | None:
    """The client of this process at the other end of `connection`, or None.

    Thread: any.
    """
    for server in servers():
        if server.observation.connections.get(connection.number) is connection:
            return client_in(clients_at(server), connection)
    return None


def connection_of(client: Program) -> Connection | None:
    """The connection at the other end of what `client` connected to last, or None.

    It is found once, while its server serves, and then remembered. Thread: any.
    """
    ends = client.ends
    if ends is None:
        return None
    found = _found.get(client)
    if found is not None and found[0] is ends:
        return found[1]
    for server in servers():
        if place_of(server.address) == place_of(ends.remote):
            peers = _peers_of(server)
            for name in names_of(ends.local):
                connection = peers.get(name)
                if connection is not None and client.opened <= connection.opened:
                    _found[client] = ends, connection
                    return connection
    return None


def _peers_of(server: Server) -> dict[Any, Connection]:
    """The newest connection of each peer; looked through again when another was accepted."""
    accepted, peers = _peers.get(server, (0, {}))
    if accepted != server.accepted:
        accepted = server.accepted
        peers = {
            c.peer: c for c in server.connections.values() if type(c.peer) is tuple or isinstance(c.peer, (str, bytes))
        }
        _peers[server] = accepted, peers
    return peers


Program.find_connection = staticmethod(connection_of)
