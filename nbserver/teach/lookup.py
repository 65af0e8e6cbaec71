"""In which order an attribute is looked up, as the student's program has it: our own classes are left out."""

from __future__ import annotations

from weakref import WeakSet

_hidden: WeakSet[type] = WeakSet()


def hide(cls: type) -> type:
    """Never name this class, which stands between the student's and the standard library's. A decorator."""
    _hidden.add(cls)
    return cls


def is_hidden(cls: type) -> bool:
    """Whether this is one of ours."""
    return cls in _hidden


def order(cls: type) -> list[type]:
    """The classes in which an attribute of `cls` is looked up, in that order."""
    return [one for one in cls.__mro__ if one not in _hidden]


def supplier(cls: type, name: str) -> type | None:
    """The class that `name` is found in, as if ours were not there; None if it is in none."""
    return next((one for one in order(cls) if name in vars(one)), None)
