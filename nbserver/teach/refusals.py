"""What the operating system refuses, and what a socket cannot do: from the error to its card."""

from __future__ import annotations

import ast
import errno
import re
import socket
from typing import Any

from .cards import Card, Value, card, phrase
from .circumstances import About, World
from .spot import (
    BINDS,
    NETWORK,
    RECEIVES,
    SENDS,
    UNKNOWN,
    Spot,
    call_at,
    called,
    local_below,
    plain,
    scope_at,
    text_of,
    tree_of,
    value_at,
)

_SAID = 3  # servers that listen, the newest
_BROKEN = (ConnectionResetError, BrokenPipeError, ConnectionAbortedError)
TOLD = (OSError, ConnectionRefusedError, *_BROKEN, TimeoutError, PermissionError, socket.gaierror)
"""The types of error that are looked at here; none of anybody else's."""


def refused_by_system(error: OSError, spot: Spot, about: About) -> Card | None:
    """The card of an error of one of the types in `TOLD`."""
    number = error.errno
    if isinstance(error, socket.gaierror):
        return (
            card("no-such-host", spot) if number in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", None)) else None
        )
    if isinstance(error, ConnectionRefusedError):
        return refused(_address_of(error, spot), spot)
    if isinstance(error, _BROKEN):
        return gone(error, spot, about)
    if isinstance(error, TimeoutError):
        return _timed_out(error, spot)
    if number in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
        return not_bound(number, _address_of(error, spot), spot)
    return _wrong_socket(number, spot)


def _address_of(error: OSError, spot: Spot) -> Any:
    """The address that was refused, if it can be told; otherwise None."""
    text = error.args[-1] if error.args and type(error.args[-1]) is str else ""
    said = re.match(
        r"(?:Connect call failed|error while attempting to bind on address) (\('[^']*', \d+)", text
    )  # asyncio
    if said:
        return ast.literal_eval(f"{said[1]})")
    for name, functions in (
        ("address", ("_connect", "create_connection", "create_server")),
        ("server_address", ("__init__",)),
    ):
        value = plain(local_below(spot, name, *functions))
        if value is not UNKNOWN:
            return value
    call = call_at(spot, *BINDS)
    value = value_at(spot, call.args[0]) if call is not None and call.args else UNKNOWN
    return None if value is UNKNOWN else value


def _pair(address: Any) -> tuple[str, int] | None:
    if type(address) is tuple and len(address) >= 2 and type(address[0]) is str and type(address[1]) is int:
        return address[0], address[1]
    return None


def refused(address: Any, spot: Spot | None) -> Card:
    """Nothing listens at `address`, which may be None; and what does."""
    listening = World.listening()
    newest = listening[: -_SAID - 1 : -1]
    others = phrase("others", where=", ".join(newest)) if listening else phrase("nobody")
    pair = _pair(address)
    if pair is None:
        return card("refused.unknown", spot, others=others)
    return card("refused", spot, others=others, port=pair[1], address=f"{pair[0]}:{pair[1]}")


def not_bound(number: int, address: Any, spot: Spot | None) -> Card | None:
    """Why an address could not be bound."""
    if number == errno.EADDRINUSE and isinstance(address, (str, bytes)):
        return card("path-in-use", spot, address=address)
    pair = _pair(address)
    if pair is None:
        return None
    if number == errno.EADDRINUSE:
        return _in_use(pair, spot)
    if number in (errno.EADDRNOTAVAIL, socket.EAI_NONAME):
        return card("not-this-machine", spot, host=pair[0])
    is_privileged = number in (errno.EACCES, errno.EPERM) and 0 < pair[1] < 1024
    return card("port-forbidden", spot, port=pair[1]) if is_privileged else None


def _in_use(address: tuple[str, int], spot: Spot | None) -> Card:
    holder = World.holder(address)
    words: Value = ""
    if holder.kind == "ours":
        words = phrase("cell", cell=holder.cell) if holder.cell else phrase("server")
    elif holder.kind == "process":
        words = phrase("process", pid=holder.pid, name=holder.name)
    elif holder.kind == "user":
        words = phrase("user")
    kind = {"": "", "user": ".process"}.get(holder.kind, f".{holder.kind}")
    own = address[1] if holder.kind == "ours" else 0
    return card(f"port-in-use{kind}", spot, own, port=address[1], address=f"{address[0]}:{address[1]}", holder=words)


def gone(error: BaseException, spot: Spot | None, about: About, who: tuple[str, str] | None = None) -> Card | None:
    """The other end is gone. `who` names the client that was served."""
    if type(error) is BrokenPipeError and _has_shut_down(spot):
        return None  # its own sending side was closed, maybe by itself
    how = phrase("pipe" if type(error) is BrokenPipeError else "reset" if isinstance(error, _BROKEN) else "unreachable")
    if spot is None:
        return None
    if about.role not in ("handler", "client"):  # which end this is cannot be told, nor what a broken pipe means
        return card("peer-gone", spot, how=how) if type(error) is ConnectionResetError else None
    call = call_at(spot, *SENDS, *RECEIVES)
    is_sending = call is not None and called(call) in SENDS
    size = _size_of(spot, call if is_sending else None)
    if who is None:
        return card("server-gone.sending", spot, how=how, size=size) if size else card("server-gone", spot, how=how)
    if size:
        return card("vanished", spot, how=how, who=who, size=size)
    return card("vanished.waiting", spot, how=how, who=who, call=called(call) if call is not None else "recv")


def _has_shut_down(spot: Spot | None) -> bool:
    """Whether the program calls ``shutdown`` anywhere."""
    tree = None if spot is None else tree_of(spot)
    return tree is not None and any(isinstance(n, ast.Call) and called(n) == "shutdown" for n in ast.walk(tree))


def _size_of(spot: Spot, call: ast.Call | None) -> int:
    """How many bytes were being sent, or 0."""
    value = plain(local_below(spot, "data", "seen"))
    if value is UNKNOWN and call is not None and call.args:
        value = value_at(spot, call.args[0])
    return len(value) if type(value) is bytes else 0


_WAITED = {
    "accept": "nobody came",
    "connect": "no answer",
    **dict.fromkeys(RECEIVES, "nothing came"),
    **dict.fromkeys(SENDS, "nobody read"),
}


def _timed_out(error: OSError, spot: Spot) -> Card | None:
    """A socket's own limit; not the system's, which has a number."""
    call = call_at(spot, *_WAITED)
    if error.errno is not None or call is None or text_of(error) != "timed out":
        return None
    return card("timeout", spot, call=called(call), waited=phrase(_WAITED[called(call)]))


def _wrong_socket(number: int | None, spot: Spot) -> Card | None:
    """A socket that cannot do this: closed, not listening, not connected."""
    call = call_at(spot, *NETWORK)
    if call is None:
        return None
    name = called(call)
    if number == errno.EBADF:
        return _closed(call, spot)
    if number == errno.EINVAL and name == "accept":
        return card("not-listening", spot)
    if number == errno.ENOTCONN and name in (*SENDS, *RECEIVES):
        return card("not-connected", spot, call=name)
    return None


def _closed(call: ast.Call, spot: Spot) -> Card:
    """With the line that closed it, if there is one in the same function and only one."""
    owner = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    closings: list[tuple[int, str]] = []
    for node in ast.walk(scope_at(spot) or call):
        if isinstance(node, ast.Call) and called(node) == "close" and isinstance(node.func, ast.Attribute):
            if ast.unparse(node.func.value) == owner:
                closings.append((node.lineno, ast.unparse(node)))
        elif isinstance(node, ast.With) and owner and (node.end_lineno or 0) < spot.number:
            names = [ast.unparse(item.optional_vars) for item in node.items if item.optional_vars is not None]
            if owner in names:
                closings.append((node.end_lineno or 0, f"with … as {owner}"))
    if len(closings) == 1:
        return card("closed-socket.known", spot, call=called(call), closed=closings[0][0], closing=closings[0][1])
    return card("closed-socket", spot, call=called(call))
