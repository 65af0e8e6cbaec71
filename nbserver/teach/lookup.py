"""In which order an attribute is looked up, as the student's program has it: our own classes are left out.

No code of the student's runs here, not even a metaclass's: classes are known by identity, and read with `type`'s own
descriptors.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

mro_of: Any = vars(type)["__mro__"].__get__
bases_of: Any = vars(type)["__bases__"].__get__
_dict_of: Any = vars(type)["__dict__"].__get__

# By identity: a set would ask the metaclass for hash and equality. A number that is used again means another class.
_hidden: dict[int, weakref.ref[type]] = {}


def hide(cls: type) -> type:
    """Never name this class, which stands between the student's and the standard library's. A decorator."""
    number = id(cls)
    _hidden[number] = weakref.ref(cls, lambda gone: _forget(number, gone))
    return cls


def _forget(number: int, gone: weakref.ref[type]) -> None:
    if _hidden.get(number) is gone:
        del _hidden[number]


def is_hidden(cls: type) -> bool:
    """Whether this is one of ours."""
    known = _hidden.get(id(cls))
    return known is not None and known() is cls


def order(cls: type) -> list[type]:
    """The classes in which an attribute of `cls` is looked up, in that order."""
    return [one for one in mro_of(cls) if not is_hidden(one)]


def names_of(cls: type) -> Mapping[str, Any]:
    """What `cls` itself defines, by name."""
    return _dict_of(cls)  # type: ignore[no-any-return]


def supplier(cls: type, name: str) -> type | None:
    """The class that `name` is found in, as if ours were not there; None if it is in none."""
    return next((one for one in order(cls) if name in names_of(one)), None)
