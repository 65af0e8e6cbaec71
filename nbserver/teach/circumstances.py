"""What is known around an error, besides the error itself: whose it is, who listens, who holds a port."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


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
