"""A value of the student's program, shown without running any of the student's code.

``repr()`` of an object is the object's own code, and so are its properties and its ``__len__``. So only values of
exactly Python's own types are shown as they are, bounded in depth, in items and in length; of all others the class is
named.
"""

from __future__ import annotations

import enum
import itertools
import types
from collections.abc import Callable, Iterable
from typing import Any

from ..text import safe_text
from .lookup import mro_of, names_of, order

_name_of: Any = vars(type)["__name__"].__get__
_ITEMS = 6
_DEPTH = 2
_CHARACTERS = 80
_BITS = 256  # of a number that is written out
_ATTEMPTS = 3
_BRACKETS = ((tuple, "(", ")"), (list, "[", "]"), (set, "{", "}"), (frozenset, "frozenset({", "})"))


def class_name(cls: type) -> str:
    """The name of a class, safe to show: a class may be named anything."""
    return safe_text(_name_of(cls), 60)


def type_name(value: Any) -> str:
    """The name of a value's class, as the student's program has it."""
    return class_name(order(type(value))[0])


def first_of(values: Iterable[Any], most: int) -> list[Any] | None:
    """The first of what another thread may be changing; None if it changes too often to be read."""
    for _ in range(_ATTEMPTS):
        try:
            return list(itertools.islice(values, most))
        except RuntimeError:  # changed size during iteration
            continue
    return None


def attributes_of(thing: Any, most: int = 200) -> list[tuple[str, Any]]:
    """The attributes that an object itself holds, in the order in which they were set. No property is called."""
    for cls in mro_of(type(thing)):
        found = names_of(cls).get("__dict__")
        if type(found) is types.GetSetDescriptorType:
            pairs = first_of(found.__get__(thing).items(), most) or []
            return [(name, value) for name, value in pairs if type(name) is str]
    return []


def shown(value: Any, depth: int = _DEPTH) -> str:
    """`value` in one line that is safe to show."""
    kind = type(value)
    if value is None or kind is bool or kind is float or kind is complex:
        return repr(value)
    if kind is int:
        bits = value.bit_length()
        return repr(value) if bits <= _BITS else f"an int of {bits} bits"
    if kind is str:
        return _quoted(value, "'")
    if kind is bytes or kind is bytearray:
        return _bytes(value)
    if kind is dict:
        return _dict(value, depth)
    if (kind is set or kind is frozenset) and not value:
        return f"{kind.__name__}()"
    for known, opening, closing in _BRACKETS:  # by identity: a dictionary would ask the metaclass for a hash
        if kind is known:
            return _items(value, depth, opening, closing)
    if type(kind) is enum.EnumMeta:
        name = next((one for key, one in attributes_of(value) if key == "_name_" and type(one) is str), "?")
        return f"{class_name(kind)}.{safe_text(name, 60)}"
    if kind is types.FunctionType:
        return f"<function {safe_text(value.__name__, 60)}>"
    if kind is types.ModuleType:
        return "<module>"
    return f"<{type_name(value)} object>"


def _quoted(text: str, quote: str) -> str:
    """As in a program; ``safe_text`` has escaped what must be, the quotation mark aside."""
    return f"{quote}{safe_text(text, _CHARACTERS).replace(quote, chr(92) + quote)}{quote}"


def _bytes(value: bytes | bytearray) -> str:
    cut = bytes(value[:_CHARACTERS])
    return f"{cut!r}… ({len(value)} bytes)" if len(value) > len(cut) else repr(cut)


def _dict(value: dict[Any, Any], depth: int) -> str:
    if depth == 0:
        return "{…}" if value else "{}"
    return _listed(value.items(), len(value), "{", "}", lambda pair: ": ".join(shown(one, depth - 1) for one in pair))


def _items(value: Any, depth: int, opening: str, closing: str) -> str:
    if depth == 0:
        return f"{opening}{'…' if value else ''}{closing}"
    if type(value) is tuple and len(value) == 1:
        closing = ",)"
    return _listed(value, len(value), opening, closing, lambda one: shown(one, depth - 1))


def _listed(values: Iterable[Any], size: int, opening: str, closing: str, write: Callable[[Any], str]) -> str:
    first = first_of(values, _ITEMS)
    if first is None:
        return f"{opening}… it changes while one looks …{closing}"
    rest = f", … {size} in all" if size > len(first) else ""
    return f"{opening}{', '.join(map(write, first))}{rest}{closing}"
