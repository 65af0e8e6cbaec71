"""From an error to its card: what is recognised, and how. See `cards`."""

from __future__ import annotations

import ast
import difflib
import errno
import re
import socket
import socketserver
import types
from collections.abc import Callable
from typing import Any, NamedTuple

from ..errors import AddressError, NotListening, UsageError
from ..text import encoded
from .cards import Card, Value, card, hex_of, phrase
from .lookup import supplier
from .spot import (
    UNKNOWN,
    Line,
    Spot,
    call_at,
    called,
    local_below,
    nodes_at,
    nodes_on_line,
    plain,
    scope_at,
    spot_of,
    tree_of,
    value_at,
)


class Holder(NamedTuple):
    """Who keeps an address from being bound.

    Attributes:
        kind: ``ours``, a server of this notebook; ``here``, something else in this process; ``process``; ``user``, a
            program of another user; ``waiting``, nobody, but connections that have just ended; ``""``, not known.
        cell: Of ``ours``, the number of the cell that made it, or 0.
        pid, name: Of ``process``.
    """

    kind: str = ""
    cell: int = 0
    pid: int = 0
    name: str = ""


class World:
    """What others know. The package that knows the network sets it; `listening` gives addresses in words."""

    listening: Callable[[], list[str]] = staticmethod(list)
    holder: Callable[[Any], Holder] = staticmethod(lambda address: Holder())


class About(NamedTuple):
    """Whose error it is.

    Attributes:
        role: ``handler``, ``client`` (a program that has connected), ``program``, or ``cell``.
        pieces: Of a handler: what came last, newest last, if that is kept.
    """

    role: str = "cell"
    pieces: tuple[bytes, ...] = ()


IN_A_CELL = About()
_STANDARD = socketserver.__name__

_NETWORK = frozenset(name for name in dir(socket.socket) if not name.startswith("_"))
_SENDS = ("send", "sendall", "sendto", "write", "sendmsg")
_RECEIVES = ("recv", "recvfrom", "recv_into", "readline", "read")
_BINDS = ("bind", "connect", "connect_ex", "sendto", "create_connection", "create_server", "TCPServer", "UDPServer")
_METHODS = (types.BuiltinMethodType, types.MethodType)
_SAID = 3  # servers that listen, the newest
_BROKEN = (ConnectionResetError, BrokenPipeError, ConnectionAbortedError)
_TOLD = (OSError, ConnectionRefusedError, *_BROKEN, TimeoutError, PermissionError, socket.gaierror)


def explain(error: BaseException, about: About = IN_A_CELL) -> Card | None:
    """The card of an error, or None when it is not recognised with certainty.

    Nothing of the user's is run: no ``__str__``, no property. Thread: any.
    """
    kind = type(error)
    if kind in (AddressError, NotListening, UsageError):
        return _of_ours(error)
    spot = spot_of(error)
    if spot is None:
        return _of_the_handler(error) if kind is TypeError else None
    # In a cell that has nothing to do with sockets the same words of Python's may be about a file.
    is_about_sockets = about.role != "cell" or spot.has_socket
    if isinstance(error, UnicodeDecodeError) and kind is UnicodeDecodeError:
        return _undecoded(error, spot, about) if is_about_sockets else None
    if kind is TypeError:
        text = _text_of(error)
        return (_mixed(text, spot) if is_about_sockets else None) or _wrong_call(text, spot)
    if isinstance(error, AttributeError) and kind is AttributeError:
        return _no_attribute(error, spot) if is_about_sockets else None
    if isinstance(error, OSError) and kind in _TOLD:
        return _refused_by_system(error, spot, about)
    return None


def _text_of(error: BaseException) -> str:
    return error.args[0] if len(error.args) == 1 and type(error.args[0]) is str else ""


# ── half a character ──


def _undecoded(error: UnicodeDecodeError, spot: Spot, about: About) -> Card | None:
    data = error.object
    if error.reason == "unexpected end of data" and error.encoding == "utf-8" and error.end == len(data):
        tail = data[error.start :]
        whole = _length_of(tail[0])
        missing = whole - len(tail)
        words = (f"{missing} byte{'s' if missing > 1 else ''}", f"{missing} 个字节")
        return card("half-character", spot, missing=words, size=len(data), whole=whole, tail=hex_of(tail))
    if error.reason == "incomplete multibyte sequence" and error.end == len(data):
        tail = data[error.start :]
        return card("half-character.legacy", spot, size=len(data), encoding=error.encoding, tail=hex_of(tail))
    if error.reason == "invalid start byte" and error.encoding == "utf-8" and error.start == 0:
        return _second_half(data, spot, about)
    return None


def _second_half(data: bytes, spot: Spot, about: About) -> Card | None:
    """Only if the piece before is known, ended in half, and these bytes make one character of it."""
    if len(about.pieces) < 2 or about.pieces[-1][: len(data)] != data:
        return None
    tail = half_at_the_end(about.pieces[-2])
    missing = _length_of(tail[0]) - len(tail) if tail else 0
    head = data[:missing]
    if not missing or len(head) < missing:
        return None
    try:
        (tail + head).decode("utf-8")
    except UnicodeDecodeError:
        return None
    return card("second-half", spot, head=hex_of(head), tail=hex_of(tail), joined=hex_of(tail + head))


def _length_of(first: int) -> int:
    """How many bytes the UTF-8 character has that begins with this byte."""
    return 4 if first >= 0xF0 else 3 if first >= 0xE0 else 2


def half_at_the_end(data: bytes) -> bytes:
    """The beginning of a UTF-8 character with which `data` ends, or ``b""``."""
    for at in range(max(0, len(data) - 3), len(data)):
        is_begun = 0xC2 <= data[at] <= 0xF4 and _length_of(data[at]) > len(data) - at
        if is_begun and all(0x80 <= byte <= 0xBF for byte in data[at + 1 :]):
            return data[at:]
    return b""


# ── text and bytes ──

_NEEDS_BYTES = re.compile(
    r"a bytes-like object is required, not '(\w+)'"
    r"|startswith first arg must be bytes or a tuple of bytes, not (\w+)"
    r"|endswith first arg must be bytes or a tuple of bytes, not (\w+)"
    r"|sequence item \d+: expected a bytes-like object, (\w+) found"
)
_NEEDS_TEXT = re.compile(
    r"Object of type bytes is not JSON serializable"
    r"|must be str or None, not bytes"
    r"|(?:starts|ends)with first arg must be str or a tuple of str, not bytes"
    r"|'in <string>' requires string as left operand, not bytes"
    r"|\w+\(\) argument (?:\d|'\w+') must be str, not bytes"
    r"|sequence item \d+: expected str instance, bytes found"
    r"|cannot use a string pattern on a bytes-like object"
)
_SINGLE = (ast.Constant, ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.JoinedStr)  # needs no parentheses
_SHOWN = 24  # bytes
_JOINED = ("can't concat str to bytes", 'can only concatenate str (not "bytes") to str')
_ONE_ADDRESS = re.compile(r"(?:\w+\.)*(bind|connect|connect_ex)\(\) takes exactly one argument \(2 given\)")
_NO_TUPLE = re.compile(r"(bind|connect|connect_ex|sendto)\(\): AF_INET6? address must be tuple, not str")
_NO_SELF = re.compile(r"(?:[\w<>]+\.)*(handle|setup|finish)\(\) takes 0 positional arguments but 1 was given")
_NO_BASE = re.compile(r"(\w+)\(\) takes no arguments")
_NO_OBJECT = "__init__() missing 3 required positional arguments: 'request', 'client_address', and 'server'"


def _mixed(text: str, spot: Spot) -> Card | None:
    """Text where bytes are needed, or the other way round."""
    needs_bytes = _NEEDS_BYTES.fullmatch(text)
    if needs_bytes:
        given = next(filter(None, needs_bytes.groups()))
        return _no_bytes(spot) if given == "str" else card("no-bytes", spot, type=given)
    if text in _JOINED:
        return card("str-and-bytes", spot)
    return card("bytes-for-str", spot) if _NEEDS_TEXT.fullmatch(text) else None


def _no_bytes(spot: Spot) -> Card:
    """With the very text, if it is known: the argument of our own ``send``, or what stands in the line."""
    call = call_at(spot, *_SENDS)
    node = call.args[0] if call is not None and call.args else None
    value = plain(local_below(spot, "data", "seen", "sendto"))
    if value is UNKNOWN:
        value = value_at(spot, node)
    if type(value) is not str or node is None:
        return card("str-for-bytes", spot)
    data = encoded(value)
    source = ast.unparse(node) if isinstance(node, _SINGLE) else f"({ast.unparse(node)})"
    shown = repr(data) if len(data) <= _SHOWN else f"{data[:_SHOWN]!r} …"
    return card(
        "str-for-bytes.known", spot, size=len(data), value=repr(value), data=shown, fix=f"{source}.encode('utf-8')"
    )


# ── called in a wrong way ──


def _wrong_call(text: str, spot: Spot) -> Card | None:
    """What a `TypeError` with this text says of the call."""
    if _ONE_ADDRESS.fullmatch(text) or _NO_TUPLE.fullmatch(text):
        return _two_arguments(spot)
    if text == "'str' object cannot be interpreted as an integer":
        return _port_is_text(spot)
    if text.startswith("cannot unpack non-iterable ") and text.endswith("method object"):
        return _unpacked_method(spot)
    if text == "recv() takes at least 1 argument (0 given)":
        return card("no-size", spot)
    if text.endswith(_NO_OBJECT):
        names = {called(node) for node in nodes_at(spot) if isinstance(node, ast.Call) and not node.args}
        return card("handler-object", spot, name=names.pop()) if len(names) == 1 else None
    return None


def _two_arguments(spot: Spot) -> Card | None:
    """Host and port were given one by one."""
    call = call_at(spot, *_BINDS) or next(
        (node for node in nodes_at(spot) if isinstance(node, ast.Call) and called(node).endswith("Server")), None
    )
    if call is None:
        return None
    name = called(call)
    first = 1 if name == "sendto" else 0
    pair = call.args[first : first + 2]
    if len(pair) < 2 or any(isinstance(part, ast.Starred) for part in pair):
        return card("one-address", spot, call=name)
    before = "".join(f"{ast.unparse(part)}, " for part in call.args[:first])
    after = "".join(f", {ast.unparse(part)}" for part in call.args[first + 2 :])
    fix = f"{name}({before}({', '.join(map(ast.unparse, pair))}){after})"
    return card("one-address.known", spot, call=name, fix=fix)


def _port_is_text(spot: Spot) -> Card | None:
    for node in nodes_at(spot):
        if isinstance(node, ast.Call) and (called(node) in _BINDS or called(node).endswith("Server")):
            for part in node.args:
                value = value_at(spot, part)
                if type(value) is tuple and len(value) == 2 and type(value[1]) is str:
                    return card("port-is-text", spot)
    return None


def _unpacked_method(spot: Spot) -> Card | None:
    for node in nodes_on_line(spot):
        value = node.value if isinstance(node, ast.Assign) else None
        if isinstance(value, ast.Attribute) and value.attr in ("accept", "recvfrom"):
            return card("not-called", spot, name=value.attr)
    return None


def _of_the_handler(error: BaseException) -> Card | None:
    """What the server could not do with the request class: no line of the user's was run."""
    text, last = _text_of(error), error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None:
        return None
    frame = last.tb_frame
    no_self, no_base = _NO_SELF.fullmatch(text), _NO_BASE.fullmatch(text)
    if no_self and frame.f_code is socketserver.BaseRequestHandler.__init__.__code__:
        function = next(
            (vars(c)[no_self[1]] for c in type(frame.f_locals["self"]).__mro__ if no_self[1] in vars(c)), None
        )
        return card("no-self", _line_of(function), name=no_self[1])
    if no_base and frame.f_code.co_name == "finish_request":  # the standard library's, or ours in its place
        return card("no-base", name=no_base[1])
    return None


def _line_of(function: object) -> Line | None:
    """Where a function is defined."""
    if not isinstance(function, types.FunctionType):
        return None
    return Line(function.__code__.co_filename, function.__code__.co_firstlineno)


# ── a name that is not there ──


def _no_attribute(error: AttributeError, spot: Spot) -> Card | None:
    thing, name = error.obj, error.name
    if type(name) is not str:
        return None
    if type(thing) is tuple and name in _NETWORK:
        is_pair = len(thing) == 2 and type(thing[0]) is bytes and isinstance(thing[1], socket.socket)
        return card("udp-pair", spot, name=name) if is_pair else None
    if type(thing) is bytes and name == "encode":
        return card("bytes-already", spot)
    if type(thing) is str and name == "decode":
        return card("text-already", spot)
    if isinstance(thing, _METHODS) and thing.__name__ in (*_RECEIVES, "accept"):
        return card("not-called", spot, name=thing.__name__)
    return None


# ── what the operating system refuses ──


def _refused_by_system(error: OSError, spot: Spot, about: About) -> Card | None:
    number = error.errno
    if isinstance(error, socket.gaierror):
        return (
            card("no-such-host", spot) if number in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", None)) else None
        )
    if isinstance(error, ConnectionRefusedError):
        return _refused(_address_of(error, spot), spot)
    if isinstance(error, _BROKEN):
        return gone(error, spot, about)
    if isinstance(error, TimeoutError):
        return _timed_out(error, spot)
    if number in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
        return _not_bound(number, _address_of(error, spot), spot)
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
    call = call_at(spot, *_BINDS)
    value = value_at(spot, call.args[0]) if call is not None and call.args else UNKNOWN
    return None if value is UNKNOWN else value


def _pair(address: Any) -> tuple[str, int] | None:
    if type(address) is tuple and len(address) >= 2 and type(address[0]) is str and type(address[1]) is int:
        return address[0], address[1]
    return None


def _refused(address: Any, spot: Spot | None) -> Card:
    listening = World.listening()
    newest = listening[: -_SAID - 1 : -1]
    others = phrase("others", where=", ".join(newest)) if listening else phrase("nobody")
    pair = _pair(address)
    if pair is None:
        return card("refused.unknown", spot, others=others)
    return card("refused", spot, others=others, port=pair[1], address=f"{pair[0]}:{pair[1]}")


def _not_bound(number: int, address: Any, spot: Spot | None) -> Card | None:
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
    call = call_at(spot, *_SENDS, *_RECEIVES)
    is_sending = call is not None and called(call) in _SENDS
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
    **dict.fromkeys(_RECEIVES, "nothing came"),
    **dict.fromkeys(_SENDS, "nobody read"),
}


def _timed_out(error: OSError, spot: Spot) -> Card | None:
    """A socket's own limit; not the system's, which has a number."""
    call = call_at(spot, *_WAITED)
    if error.errno is not None or call is None or _text_of(error) != "timed out":
        return None
    return card("timeout", spot, call=called(call), waited=phrase(_WAITED[called(call)]))


def _wrong_socket(number: int | None, spot: Spot) -> Card | None:
    """A socket that cannot do this: closed, not listening, not connected."""
    call = call_at(spot, *_NETWORK)
    if call is None:
        return None
    name = called(call)
    if number == errno.EBADF:
        return _closed(call, spot)
    if number == errno.EINVAL and name == "accept":
        return card("not-listening", spot)
    if number == errno.ENOTCONN and name in (*_SENDS, *_RECEIVES):
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


# ── our own words for it ──


def _of_ours(error: BaseException) -> Card | None:
    """An error of nbserver's has said it in English already: the card says it in both languages."""
    # Where a program of a cell met it; or else where the cell itself called what did.
    spot = (spot_of(error.__cause__) if error.__cause__ is not None else None) or spot_of(error)
    text = _text_of(error)
    if isinstance(error, AddressError):
        return _not_bound(error.errno or 0, error.address, spot)
    if isinstance(error, NotListening):
        said = re.match(r"nothing listens on (.+):(\d+): start a server there first", text)
        return _refused((said[1], int(said[2])), spot) if said else None
    said = re.fullmatch(r"(.+) can be reached from the network: say lan=True if that is meant", text)
    return card("lan", spot, host=said[1]) if said else None


# ── noticed, without an error ──


def end_ignored(spot: Spot | None) -> Card:
    """``recv()`` gave ``b""`` again in the same line."""
    return card("end-ignored", spot)


def no_handle(cls: type) -> Card | None:
    """The request class `cls` has no ``handle`` of its own, so nothing is done for its clients."""
    suppliers = [supplier(cls, name) for name in ("handle", "setup", "finish", "__init__")]
    if cls.__module__ == _STANDARD or any(one is not None and one.__module__ != _STANDARD for one in suppliers):
        return None
    own = {name.lower(): name for name, value in vars(cls).items() if isinstance(value, types.FunctionType)}
    near = [own[name] for name in difflib.get_close_matches("handle", own, cutoff=0.75)]
    if near:
        return card("no-handle.near", _line_of(vars(cls)[near[0]]), name=cls.__name__, near=near[0])
    return card("no-handle", name=cls.__name__)
