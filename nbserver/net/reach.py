"""Who can reach an address: this machine, the network that it is in, or everybody."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from enum import Enum
from typing import Any, NamedTuple

from .peer import address_text

# To these nothing is sent: connect() of a datagram socket only looks up by which of its addresses this machine would go
# there (RFC 5737 and RFC 3849: for documentation, nobody has them).
_ELSEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


class Zone(str, Enum):
    """Where an address is. The value is the word that travels to a view."""

    MACHINE = "machine"  # this one
    NETWORK = "network"  # private, link-local, or shared by a provider (RFC 6598): the same building, as a rule
    PUBLIC = "public"  # anywhere in the world


def zone_of(host: str) -> Zone:
    """Where a numeric address is; a name, and what is no address at all, counts as public. Asks no name server."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return Zone.PUBLIC
    # An IPv4 address inside: mapped, or of a tunnel (6to4, RFC 3056), which is as far away as that.
    address = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None) or address
    if address.is_loopback:
        return Zone.MACHINE
    # Multicast and reserved addresses are nobody's: with those that are routed they are not let in.
    is_known = address.is_private or address.is_link_local or address in _SHARED
    return Zone.NETWORK if is_known and not address.is_unspecified else Zone.PUBLIC


_SHARED = ipaddress.ip_network("100.64.0.0/10")


def bound_to(host: str) -> Zone:
    """Who can reach a server that is bound to `host`; every address of the machine means the network."""
    if host == "localhost":
        return Zone.MACHINE
    return Zone.NETWORK if host in ("", "0.0.0.0", "::") else zone_of(host)


class Reach(NamedTuple):
    """Who can reach a server, and how they call it.

    Attributes:
        zone: Who is let in, the farthest.
        addresses: What they type, as ``host:port``; a Unix socket's path.
        is_wider: Whether the address itself could be reached from farther than those who are let in.
    """

    zone: Zone
    addresses: tuple[str, ...]
    is_wider: bool

    @classmethod
    def of(cls, address: Any, lan: bool, allow_public: bool) -> Reach:
        """That of a server which is bound to `address`. Asks no name server."""
        if not isinstance(address, tuple):
            return cls(Zone.MACHINE, (address_text(address),), False)
        bound = bound_to(str(address[0]))
        allowed = Zone.PUBLIC if allow_public else Zone.NETWORK if lan else Zone.MACHINE
        if bound is Zone.MACHINE or allowed is Zone.MACHINE:
            return cls(Zone.MACHINE, (address_text(address),), bound is not Zone.MACHINE)
        is_everywhere = address[0] in ("", "0.0.0.0", "::")
        hosts = own_addresses() if is_everywhere else [address[0]]
        if address[0] == "0.0.0.0":
            hosts = [host for host in hosts if ":" not in host]
        return cls(allowed, tuple(address_text((host, address[1])) for host in hosts), False)

    def __str__(self) -> str:
        who = {
            Zone.MACHINE: "this machine only",
            Zone.NETWORK: "whoever is in the same network; public addresses are turned away",
            Zone.PUBLIC: "everybody who can reach this machine",
        }[self.zone]
        return f"{' or '.join(self.addresses) or 'no address in a network'}: {who}"


def own_addresses() -> list[str]:
    """This machine's addresses in its networks, numeric, the one that is used by default first."""
    found = dict.fromkeys(address for address in _asked() if bound_to(address) is not Zone.MACHINE)
    return list(found)


def _asked() -> Iterator[str]:
    for family, elsewhere in _ELSEWHERE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as sock:
                sock.connect((elsewhere, 9))
                yield sock.getsockname()[0]
        except OSError:  # this machine is in no such network
            continue


def peer_zone(request: Any, peer: Any) -> Zone:
    """Where a client comes from; one that came by an address of this machine's own is on this machine."""
    if not isinstance(peer, tuple) or not peer:
        return Zone.MACHINE  # a Unix socket
    host = str(peer[0])
    if host.startswith("127.") or host == "::1":
        return Zone.MACHINE
    try:
        is_own = isinstance(request, socket.socket) and request.getsockname()[0] == host
    except OSError:
        is_own = False
    return Zone.MACHINE if is_own else zone_of(host)
