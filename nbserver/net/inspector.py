"""What ``self`` is inside a handler: ``self.server``, ``self.request``, ``self.client_address``, what else it holds.

Read from outside, in whichever thread looks, while the handler runs: no code of the student's is called, and what the
handler's thread changes meanwhile raises nothing. No handler is kept for it. One that has gone is told from the facts:
who the client was, and what it sent last.
"""

from __future__ import annotations

import _socket
import contextlib
import io
import socket
import socketserver
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ..events import Kind
from ..teach import attributes_of, class_name, mro_of, order, shown, type_name
from ..text import safe_text
from . import registry
from .peer import address_text

if TYPE_CHECKING:
    from .connection import Connection
    from .server import Server

_ATTRIBUTES = 40  # of one handler
_NEWEST = 50  # connections that are looked at for one whose handler lives
_ORDER = ("server", "request", "client_address")
_NO_PAIR = "'tuple' object has no attribute"

_STATES = {
    "serving": "",
    "ended": ", which has ended: this is what it held, or was given",
    "unseen": ", which cannot be seen: this is what it was given",
}
WORDS = {
    "server": "the server object, one for all clients",
    "socket": "the connection to this client: a socket",
    "pair": "a pair: the datagram, and the server's one socket",
    "data": "the datagram: what the client sent, as bytes",
    "one": "the server's one socket: reply with its sendto()",
    "address": "the client's address",
    "same": "the same object",
    "reads": "a file: reading it receives what the client sends",
    "writes": "a file: writing to it sends to the client",
    "memory": "a file in memory; finish() sends what was written as one datagram",
    "any": "another socket",
    "": "",
}
"""What an attribute is, by its code; the page has them in each language."""


class Attribute(NamedTuple):
    """One attribute of a handler.

    Attributes:
        name: As the program writes it: ``self.request[0]``.
        type: Of its value: the name of the class.
        value: In one line that is safe to show.
        what: A code of `WORDS`, or "".
    """

    name: str
    type: str
    value: str
    what: str


@dataclass(frozen=True, repr=False)
class Inspection:
    """``self`` of one handler, at one moment. ``print()`` shows it as a table.

    Attributes:
        number: Of the connection.
        server: Where its server listens.
        is_datagram: Whether that speaks UDP.
        handler: The name of the handler's class.
        state: ``serving``; ``ended``: this is what it held last, or was given; or ``unseen``: this is what it was
            given, and the rest cannot be seen, since it is no object of a class, or one that nothing refers to weakly.
        attributes: What it holds.
        replies: How many messages were sent to this client.
        trap: The last error, if it took the pair that a UDP handler has for a socket; otherwise "".
    """

    number: int
    server: str
    is_datagram: bool
    handler: str
    state: str
    attributes: tuple[Attribute, ...]
    replies: int
    trap: str

    def __getitem__(self, name: str) -> Attribute:
        """The attribute of that name: ``inspection["self.request"]``. Raises `KeyError`."""
        for one in self.attributes:
            if one.name == name:
                return one
        raise KeyError(name)

    def to_json(self) -> dict[str, Any]:
        """For the page; see PROTOCOL.md."""
        return {**vars(self), "attributes": [list(one) for one in self.attributes]}

    def __str__(self) -> str:
        transport = "Unix" if self.server[:1] in ("/", "@") else "UDP" if self.is_datagram else "TCP"
        title = f"self in {self.handler} of connection #{self.number} ({transport}, {self.server}){_STATES[self.state]}"
        width = max((len(one.name) for one in self.attributes), default=0)
        return "\n".join([title, *(f"  {one.name:{width}}  {_line(one)}" for one in self.attributes)])

    __repr__ = __str__  # what a cell shows of it


def _line(one: Attribute) -> str:
    words = f"   ({WORDS[one.what]})" if one.what else ""
    return f"{one.type}: {one.value}{words}"


def inspect(connection: Connection) -> Inspection:
    """Look at the handler of `connection`, or at what it was given if it has gone. Thread: any."""
    handler = connection.handler
    base = connection.served_by
    held = dict(attributes_of(handler, _ATTRIBUTES)) if handler is not None else _given(connection, base)
    rows: list[Attribute] = []
    for name in [*(one for one in _ORDER if one in held), *(one for one in held if one not in _ORDER)]:
        rows += _rows(name, held, connection, base)
    note = connection.note
    return Inspection(
        connection.number,
        _address_of(base),
        connection.is_datagram,
        _handler_name(handler, base),
        _state_of(connection, handler),
        tuple(rows),
        connection.messages_out,
        safe_text(note, 200) if connection.is_datagram and _NO_PAIR in note else "",
    )


def _state_of(connection: Connection, handler: Any) -> str:
    if connection.is_over:
        return "ended"
    if handler is not None:
        return "serving"
    return "ended" if connection.is_datagram else "unseen"


def _given(connection: Connection, base: Any) -> dict[str, Any]:
    """What a handler that has gone was given."""
    request: Any = connection.socket
    if connection.is_datagram:
        kept = [event for _, event in connection.transcript.read() if event.kind is Kind.RECEIVED]
        request = (kept[-1].data if kept else b"", getattr(base, "socket", None))
    return {"server": base, "request": request, "client_address": connection.peer}


def _address_of(server: Any) -> str:
    """Where a ``socketserver`` object listens."""
    address = dict(attributes_of(server)).get("server_address", "")
    is_known = type(address) is str or (type(address) is tuple and all(type(one) in (str, int) for one in address))
    return address_text(address) if is_known else shown(address)


def _handler_name(handler: Any, base: Any) -> str:
    made: Any = type(handler) if handler is not None else dict(attributes_of(base)).get("RequestHandlerClass")
    return class_name(order(made)[0]) if type in mro_of(type(made)) else shown(made)


def _rows(name: str, held: dict[str, Any], connection: Connection, base: Any) -> Iterator[Attribute]:
    """One attribute, and of the pair that a UDP handler is given both parts as well."""
    request: Any = held.get("request")
    value, name = held[name], f"self.{safe_text(name, 40)}"
    is_pair = type(request) is tuple and len(request) == 2
    if name == "self.request" and value is None and not connection.is_datagram:
        text = f"closed: {_address_of(base)} <- {address_text(connection.peer)}"
        yield Attribute(name, "socket", text, "socket")
        return
    if name == "self.request" and is_pair and connection.is_datagram:
        yield Attribute(name, "tuple", f"({shown(value[0])}, <{type_name(value[1])} object>)", "pair")
        yield Attribute(f"{name}[0]", type_name(value[0]), shown(value[0]), "data")
        yield Attribute(f"{name}[1]", type_name(value[1]), _text(value[1]), "one")
        return
    parts = [("self.request[0]", request[0]), ("self.request[1]", request[1])] if is_pair else []
    same = next((other for other, one in [("self.request", request), *parts] if one is value and other != name), None)
    if same and value is not None:
        yield Attribute(name, type_name(value), f"is {same}", "same")
    else:
        yield Attribute(name, type_name(value), _text(value), _what(name, value, base))


def _what(name: str, value: Any, base: Any) -> str:
    kinds = mro_of(type(value))
    if value is base:
        return "server"
    if name == "self.client_address":
        return "address"
    if socket.socket in kinds:
        return "socket" if name == "self.request" else "any"
    if io.BytesIO in kinds and name in ("self.rfile", "self.wfile"):
        return "memory"
    return {"self.rfile": "reads", "self.wfile": "writes"}.get(name, "")


def _text(value: Any) -> str:
    kinds = mro_of(type(value))
    if socket.socket in kinds:
        return _socket_text(value)
    if socketserver.BaseServer in kinds:
        return _address_of(value)
    return shown(value)


def _socket_text(sock: Any) -> str:
    """A socket by its descriptor and its addresses, asked of the system past whatever the class overrides."""
    fd = _socket.socket.fileno(sock)
    if fd < 0:
        return "closed"
    local = remote = ""
    with contextlib.suppress(OSError):  # it is closed, or its peer has gone, this moment
        local = address_text(_socket.socket.getsockname(sock))
        remote = address_text(_socket.socket.getpeername(sock))
    return f"fd {fd}, {local}" + (f" <- {remote}" if remote else "")


# ── TCP and UDP side by side ──


def look(server: Server, number: int) -> dict[str, Any] | None:
    """For the page: the handler of connection `number` (0: of the newest), and the newest one of the other kind."""
    one = server.observation.connections.get(number) if number else _newest(server)
    others = [_newest(other) for other in registry.servers() if other.is_datagram is not server.is_datagram]
    other = max(filter(None, others), key=lambda known: known.opened, default=None)
    if one is None and other is None:
        return None
    found = {known.is_datagram: inspect(known).to_json() for known in (other, one) if known is not None}
    own = "datagram" if server.is_datagram else "stream"
    return {"stream": found.get(False), "datagram": found.get(True), "own": own}


def _newest(server: Server) -> Connection | None:
    """The newest connection whose handler lives, or else the newest."""
    known = server.observation.connections
    newest = [one for number in reversed(list(known)[-_NEWEST:]) if (one := known.get(number)) is not None]
    return next((one for one in newest if one.handler is not None), newest[0] if newest else None)
