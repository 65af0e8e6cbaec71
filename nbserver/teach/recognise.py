"""From an error to its card: what is recognised, and how. See `cards`."""

from __future__ import annotations

import ast
import difflib
import re
import socket
import socketserver
import types

from ..errors import AddressError, NotListening, UsageError
from ..text import encoded
from .cards import Card, card, hex_of
from .circumstances import IN_A_CELL, About
from .lookup import supplier
from .refusals import TOLD, not_bound, refused, refused_by_system
from .source import place_of
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
    nodes_at,
    nodes_on_line,
    plain,
    spot_of,
    steps_of,
    text_of,
    value_at,
)

_STANDARD = socketserver.__name__

_METHODS = (types.BuiltinMethodType, types.MethodType)


def card_of(error: BaseException, about: About = IN_A_CELL) -> Card | None:
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
        text = text_of(error)
        return (_mixed(text, spot) if is_about_sockets else None) or _wrong_call(text, spot)
    if isinstance(error, AttributeError) and kind is AttributeError:
        return _no_attribute(error, spot) if is_about_sockets else None
    if isinstance(error, OSError) and kind in TOLD:
        return refused_by_system(error, spot, about)
    return None


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
    call = call_at(spot, *SENDS)
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
    call = call_at(spot, *BINDS) or next(
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
        if isinstance(node, ast.Call) and (called(node) in BINDS or called(node).endswith("Server")):
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
    text = text_of(error)
    no_self, no_base = _NO_SELF.fullmatch(text), _NO_BASE.fullmatch(text)
    frames = [step.tb_frame for step in steps_of(error)]
    # Called by BaseRequestHandler.__init__, or by ours in its place; nobody else is in this traceback.
    held = [frames[-1].f_locals.get(name) for name in ("self", "handler")] if frames else []
    handlers = [type(one) for one in held if issubclass(type(one), socketserver.BaseRequestHandler)]
    if no_self and handlers:
        owner = supplier(handlers[0], no_self[1])
        return card("no-self", place_of(vars(owner)[no_self[1]]) if owner is not None else None, name=no_self[1])
    if no_base and frames and frames[-1].f_code.co_name == "finish_request":  # ours, or the original
        return card("no-base", name=no_base[1])
    return None


# ── a name that is not there ──


def _no_attribute(error: AttributeError, spot: Spot) -> Card | None:
    thing, name = error.obj, error.name
    if type(name) is not str:
        return None
    if type(thing) is tuple and name in NETWORK:
        is_pair = len(thing) == 2 and type(thing[0]) is bytes and isinstance(thing[1], socket.socket)
        return card("udp-pair", spot, name=name) if is_pair else None
    if type(thing) is bytes and name == "encode":
        return card("bytes-already", spot)
    if type(thing) is str and name == "decode":
        return card("text-already", spot)
    if isinstance(thing, _METHODS) and thing.__name__ in (*RECEIVES, "accept"):
        return card("not-called", spot, name=thing.__name__)
    return None


# ── our own words for it ──


def _of_ours(error: BaseException) -> Card | None:
    """An error of nbserver's has said it in English already: the card says it in both languages."""
    # Where a program of a cell met it; or else where the cell itself called what did.
    spot = (spot_of(error.__cause__) if error.__cause__ is not None else None) or spot_of(error)
    text = text_of(error)
    if isinstance(error, AddressError):
        return not_bound(error.errno or 0, error.address, spot)
    if isinstance(error, NotListening):
        said = re.match(r"nothing listens on (.+):(\d+): start a server there first", text)
        return refused((said[1], int(said[2])), spot) if said else None
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
        return card("no-handle.near", place_of(vars(cls)[near[0]]), name=cls.__name__, near=near[0])
    return card("no-handle", name=cls.__name__)
