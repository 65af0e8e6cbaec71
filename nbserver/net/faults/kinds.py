"""What can be made to go wrong on purpose: the kinds of fault, what each is told, and one that is set.

The names are those of the field: toxiproxy's toxics, and ``tc netem`` of Linux. Nothing in here knows of sockets.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from ...errors import UsageError
from ...text import safe_text

BOTH, TO_CLIENT, FROM_CLIENT = "both", "to_client", "from_client"
_WAYS = {BOTH: "both ways", TO_CLIENT: "to the client", FROM_CLIENT: "from the client"}
_SHOWN = 60  # characters of what somebody gave


class Parameter(NamedTuple):
    """What one kind of fault is told.

    Attributes:
        name: As in the call.
        unit: ``"seconds"``, ``"bytes"``, ``"bytes per second"``, ``"share"`` (0 to 1) or ``"number"``.
        least, most: The bounds.
        usual: What it is unless it is given; None for a seed that is chosen.
    """

    name: str
    unit: str
    least: float
    most: float
    usual: float | None

    def checked(self, kind: str, value: Any) -> float | None:
        """`value`, if it can be had. Raises `UsageError`."""
        is_whole = self.unit in ("bytes", "number")
        if value is None and self.usual is None:
            return None
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if is_number and self.least <= value <= self.most and (not is_whole or value == int(value)):
            return int(value) if is_whole else value
        what = f"a whole number of {self.unit}" if self.unit == "bytes" else self.unit
        what = {"number": "a whole number", "share": "a share"}.get(self.unit, what)
        is_huge = isinstance(value, int) and abs(value) >= 2**63
        can_be_shown = isinstance(value, (int, float, str, type(None))) and not is_huge
        given = safe_text(repr(value), _SHOWN) if can_be_shown else "something else"
        raise UsageError(f"{self.name} of {kind} is {what} from {self.least:g} to {self.most:g}, not {given}")


class Kind(NamedTuple):
    """One kind of fault.

    Attributes:
        parameters: What it is told.
        streams, datagrams: Whether there is such a thing there.
        directions: Where it can act, the usual one first.
    """

    parameters: tuple[Parameter, ...]
    streams: bool = True
    datagrams: bool = False
    directions: tuple[str, ...] = (BOTH, TO_CLIENT, FROM_CLIENT)


def _seconds(name: str, usual: float, least: float = 0.0) -> Parameter:
    return Parameter(name, "seconds", least, 60.0, usual)


def _by_chance(usual: float) -> tuple[Parameter, ...]:
    return Parameter("share", "share", 0.0, 1.0, usual), Parameter("seed", "number", 0, 2**31 - 1, None)


KINDS = {
    "delay": Kind((_seconds("seconds", 0.5), _seconds("jitter", 0.0)), datagrams=True),
    "bandwidth": Kind((Parameter("rate", "bytes per second", 1, 10**9, 1000),)),
    "split": Kind((Parameter("at", "bytes", 1, 65_536, 1), _seconds("pause", 0.3))),
    "merge": Kind((Parameter("size", "bytes", 1, 65_536, 1024), _seconds("seconds", 1.0, 0.001))),
    "slow_reader": Kind(
        (Parameter("rate", "bytes per second", 0, 10**9, 10), Parameter("buffer", "bytes", 1, 2**18, 1024)),
        directions=(TO_CLIENT,),
    ),
    "black_hole": Kind((), datagrams=True),
    "drop": Kind(_by_chance(0.3), streams=False, datagrams=True),
    "duplicate": Kind(_by_chance(0.3), streams=False, datagrams=True),
    "reorder": Kind(_by_chance(0.3), streams=False, datagrams=True),
}
"""All of them, by name, in the order in which they are shown."""


def named(name: Any, is_datagram: bool) -> Kind:
    """The kind of that name, if there is such a thing here. Raises `UsageError`."""
    there = [known for known, kind in KINDS.items() if (kind.datagrams if is_datagram else kind.streams)]
    if not isinstance(name, str) or name not in KINDS:
        given = safe_text(repr(name), _SHOWN) if isinstance(name, str) else "that"
        raise UsageError(f"there is no fault {given}; there are: {', '.join(there)}")
    if name not in there:
        what = (
            "datagrams (UDP)" if is_datagram else "a stream (TCP), whose bytes come in order, each once, or not at all"
        )
        raise UsageError(f"there is no {name!r} for {what}; there are: {', '.join(there)}")
    return KINDS[name]


def checked(name: str, kind: Kind, direction: Any, values: dict[str, Any]) -> tuple[str, dict[str, float | None]]:
    """The direction, and all parameters. Raises `UsageError` when one cannot be had."""
    if direction is None:
        direction = kind.directions[0]
    if not isinstance(direction, str) or direction not in kind.directions:
        raise UsageError(f"the direction of {name} is one of {', '.join(map(repr, kind.directions))}")
    known = {parameter.name: parameter for parameter in kind.parameters}
    for given in values:
        if given not in known:
            takes = ", ".join(known) or "no parameters"
            raise UsageError(f"{name} has no {safe_text(repr(given), _SHOWN)}; it takes: {takes}")
    usual = {parameter.name: parameter.usual for parameter in kind.parameters}
    found = {key: known[key].checked(name, value) for key, value in {**usual, **values}.items()}
    if "seed" in found and found["seed"] is None:
        found["seed"] = random.randrange(10_000)  # told, so that the same can be had again
    return direction, found


class Fault:
    """One fault that is set: ``fault.undo()`` ends it, and so does the end of ``with server.faults.add(…):``.

    Attributes:
        number: Counted from 1 in the order of setting; no other fault of its server ever has it.
        name: Its kind, such as ``"delay"``.
        connection: The number of the connection that it is for; 0 if it is for all.
        direction: ``"both"``, ``"to_client"`` or ``"from_client"``.
        values: Its parameters by name; units are in `Kind`.
        seen: How many messages (or datagrams) have come by; a `bandwidth` sees each piece that it lets through.
        acted: What it has done something to, of these.
        is_set: Whether it has not been undone.

    Thread: any.
    """

    def __init__(
        self,
        number: int,
        name: str,
        connection: int,
        direction: str,
        values: dict[str, Any],
        undo: Callable[[Fault], None],
    ) -> None:
        """See `Faults.add`, which makes it."""
        self.number = number
        self.name = name
        self.connection = connection
        self.direction = direction
        self.values = values
        self.seen = self.acted = 0
        self.is_set = True
        self._undo = undo
        self._lock = threading.Lock()  # the threads of several connections count
        self._chance = random.Random(values.get("seed"))

    def undo(self) -> None:
        """End it: what it held goes on at once, in order. Twice is once."""
        self._undo(self)

    def counts(self, acted: bool = True) -> None:
        """One more message came by."""
        with self._lock:
            self.seen += 1
            self.acted += acted

    def happens(self) -> bool:
        """Whether it strikes this time, by its share; counted. The same seed gives the same row of answers."""
        with self._lock:
            strikes: bool = self._chance.random() < self.values["share"]
            self.seen += 1
            self.acted += strikes
        return strikes

    def lateness(self) -> float:
        """Of a `delay`: how much later this time, in seconds."""
        jitter = self.values["jitter"]
        with self._lock:
            late: float = self.values["seconds"] + self._chance.uniform(-jitter, jitter)
        return max(0.0, late)

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        way = _WAYS[self.direction]
        share = f"{100 * self.values.get('share', 0):g}"
        numbers = {key: f"{value:g}" for key, value in self.values.items()}
        rate, seconds = numbers.get("rate"), numbers.get("seconds")
        jitter = numbers.get("jitter", "0")
        sentences = {
            "delay": f"{seconds} s of delay, {way}"
            if jitter == "0"
            else f"{seconds} s of delay, give or take {jitter} s, {way}",
            "bandwidth": f"at most {rate} bytes per second, {way}",
            "split": f"each message is split at byte {numbers.get('at')}, {way}",
            "merge": f"messages are held until they are {numbers.get('size')} bytes, or for {seconds} s, {way}",
            "slow_reader": f"the client reads {rate} bytes per second",
            "black_hole": f"nothing arrives, {way}",
            "drop": f"{share} % of the datagrams are lost, {way}",
            "duplicate": f"{share} % of the datagrams come twice, {way}",
            "reorder": f"{share} % of the datagrams are overtaken by the next, {way}",
        }
        return sentences[self.name]

    def __enter__(self) -> Fault:
        return self

    def __exit__(self, *exception: object) -> None:
        self.undo()

    def __repr__(self) -> str:
        where = f"connection {self.connection}" if self.connection else "all"
        undone = "" if self.is_set else " (undone)"
        return f"<Fault {self.number}{undone} for {where}: {self.sentence}; acted on {self.acted} of {self.seen}>"


def of(faults: Iterable[Fault], name: str) -> Fault | None:
    """The first of that kind."""
    return next((fault for fault in faults if fault.name == name), None)


def lateness(faults: Iterable[Fault]) -> float:
    """By how much the delays among them make something later, in seconds."""
    return sum(fault.lateness() for fault in faults if fault.name == "delay")


def rate(faults: Iterable[Fault]) -> float | None:
    """The least rate among them, in bytes per second; None if there is none."""
    rates = [fault.values["rate"] for fault in faults if fault.name in ("bandwidth", "slow_reader")]
    return min(rates, default=None)
