"""The class map: who inherits from whom, who defines what, what is overridden, and which definition wins.

Plain data, made from the classes themselves; as text (``str``), as Mermaid, and as JSON for the page.
"""

from __future__ import annotations

import socketserver
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ..errors import UsageError
from .classtext import branch_text, lookup_text, mermaid
from .lookup import bases_of, mro_of, names_of, order
from .source import Place, place_of
from .values import attributes_of, class_name, first_of, shown, type_name

_LEVELS, _DEFINITIONS, _FAMILY = 40, 200, 80  # at most, in one map
# What Python writes into every class, and what says nothing about which definition wins.
_NO_NAMES = (
    *("__module__", "__dict__", "__weakref__", "__doc__", "__qualname__", "__annotations__", "__annotate_func__"),
    *("__slots__", "__firstlineno__", "__static_attributes__", "__type_params__", "__parameters__", "__orig_bases__"),
)
_ROOTS = {"server": socketserver.BaseServer, "handler": socketserver.BaseRequestHandler}
_BUILTIN_METHODS = (types.WrapperDescriptorType, types.MethodDescriptorType, types.BuiltinFunctionType)


class Definition(NamedTuple):
    """A name that a class itself defines.

    Attributes:
        name: The attribute's.
        kind: ``method``, ``property``, ``class`` or ``value``.
        value: Of a value, as it is shown; otherwise "".
        place: Where it is written, if that is known.
    """

    name: str
    kind: str
    value: str
    place: Place | None


@dataclass(frozen=True)
class Level:
    """One class of the order in which a name is looked up.

    Attributes:
        name: The class's.
        origin: ``own`` (the student's program), ``socketserver``, ``library`` (of Python's), ``nbserver``, ``python``
            (built in), or ``package``.
        module: Where it comes from.
        bases: What stands in its own brackets: the places of those classes in the order.
        definitions: What it defines itself.
        late: Those of these names that do nothing here, because the class stands after the one that it was to change.
    """

    name: str
    origin: str
    module: str
    bases: tuple[int, ...]
    definitions: tuple[Definition, ...]
    late: tuple[str, ...] = ()

    def definition(self, name: str) -> Definition | None:
        """What it defines under `name`."""
        return next((one for one in self.definitions if one.name == name), None)


class Relative(NamedTuple):
    """A class of the family tree.

    Attributes:
        depth: How far below the root.
        name: The class's.
        bases: What stands in its own brackets, in that order.
        place: ``this``, ``ancestor`` of this one, or "" for a relative.
    """

    depth: int
    name: str
    bases: tuple[str, ...]
    place: str


class Lookup(NamedTuple):
    """How a name was looked up, class by class. ``str()`` says it in a sentence.

    Attributes:
        name: What was looked up.
        steps: The class's name, and ``not here``, ``found``, ``hidden`` (it has one, which another hides) or
            ``not asked``. The object itself, when it holds the name, comes first, as ``self``.
        definition: The one that wins; None if there is none, or if the object itself holds it.
    """

    name: str
    steps: tuple[tuple[str, str], ...]
    definition: Definition | None

    @property
    def found(self) -> str | None:
        """The name of the class that it is found in, or ``self``; None if it is nowhere."""
        return next((name for name, state in self.steps if state == "found"), None)

    @property
    def hidden(self) -> tuple[str, ...]:
        """The classes that have one, too, and are not asked: ``super()`` reaches them."""
        return tuple(name for name, state in self.steps if state == "hidden")

    @property
    def source(self) -> str:
        """The text of the definition that wins, or ""."""
        place = self.definition.place if self.definition else None
        return place.source if place else ""

    def __str__(self) -> str:
        return lookup_text(self)

    def __repr__(self) -> str:
        return str(self)  # what a cell shows of it


@dataclass(frozen=True, repr=False)
class Branch:
    """A server class, or a handler class, with all that it inherits.

    Attributes:
        what: ``server`` or ``handler``.
        levels: The classes in the order in which a name is looked up.
        family: The standard library's classes of this kind, this one among them, as a tree written from the top.
        own: The names that the server object itself holds, which come before those of any class.
    """

    what: str
    levels: tuple[Level, ...]
    family: tuple[Relative, ...]
    own: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The class's."""
        return self.levels[0].name

    @property
    def late(self) -> tuple[Level, ...]:
        """The classes that stand too late in the order to change anything: a mix-in belongs before the server class."""
        return tuple(level for level in self.levels if level.late)

    def lookup(self, name: str) -> Lookup:
        """How `name` is looked up, class by class."""
        steps: list[tuple[str, str]] = []
        winner = None
        is_found = name in self.own and not self._is_property(name)
        if is_found:
            steps.append(("self", "found"))
        for level in self.levels:
            definition = level.definition(name)
            if is_found:
                steps.append((level.name, "hidden" if definition else "not asked"))
            else:
                steps.append((level.name, "found" if definition else "not here"))
                is_found, winner = definition is not None, definition
        return Lookup(name, tuple(steps), winner)

    def _is_property(self, name: str) -> bool:
        """A property of the class comes before what the object holds."""
        found = next((one for level in self.levels if (one := level.definition(name))), None)
        return found is not None and found.kind == "property"

    def __str__(self) -> str:
        return branch_text(self)

    __repr__ = __str__


@dataclass(frozen=True, eq=False, repr=False)  # known by identity: each has a panel of its own
class ClassMap:
    """The classes of a server and of its handler, as they are. The last expression of a cell shows it as a panel.

    ``print(map)`` draws it as text, ``map.mermaid()`` as a diagram, ``map.lookup("process_request")`` says which class
    a name is found in.

    Attributes:
        server: The server class, or None.
        handler: The request class, or None.
    """

    server: Branch | None = None
    handler: Branch | None = None

    @property
    def branches(self) -> tuple[Branch, ...]:
        """Those that there are."""
        return tuple(branch for branch in (self.server, self.handler) if branch is not None)

    @property
    def name(self) -> str:
        """What it is about."""
        return self.branches[0].name

    def lookup(self, name: str) -> Lookup:
        """How `name` is looked up: in the server class if that has it, or else in the handler class.

        Both have an ``__init__``: ask ``map.handler.lookup("__init__")`` for the handler's.
        """
        found = [branch.lookup(name) for branch in self.branches]
        return next((one for one in found if one.found), found[0])

    def definitions(self) -> Iterator[Definition]:
        """All that are on the map; the page asks for the source of one by its number in here, from 1."""
        for branch in self.branches:
            for level in branch.levels:
                yield from level.definitions

    def mermaid(self) -> str:
        """As a class diagram: ``display({"text/vnd.mermaid": map.mermaid()}, raw=True)`` draws it in JupyterLab."""
        return mermaid(self.branches)

    def to_json(self) -> dict[str, Any]:
        """For the page; see PROTOCOL.md."""
        numbers = iter(range(1, 1_000_000))
        return {"branches": [_branch_json(branch, numbers) for branch in self.branches]}

    def __str__(self) -> str:
        return "\n\n".join(map(str, self.branches))

    __repr__ = __str__


def explain(thing: Any) -> ClassMap:
    """The class map of a server class, of a handler class, or of a ``socketserver`` server with its handler.

    Raises:
        UsageError: It is none of these.
    """
    is_class = isinstance(thing, type)
    cls = thing if is_class else type(thing)
    for what, root in _ROOTS.items():
        if root in mro_of(cls) and (is_class or what == "server"):
            branch = _branch(what, order(cls))
            if is_class:
                return ClassMap(branch, None) if what == "server" else ClassMap(None, branch)
            return _of_server(thing, branch)
    given = f"the class {class_name(cls)}" if is_class else f"an object of the class {type_name(thing)}"
    raise UsageError(
        f"explain() takes a server class of socketserver, such as ThreadingTCPServer, a request class, built on "
        f"BaseRequestHandler, or a server; not {given}"
    )


def _of_server(server: Any, branch: Branch) -> ClassMap:
    held = dict(attributes_of(server))
    own = tuple(name for name in held if not name.startswith("_nbserver") and name != "observation")
    handler = held.get("RequestHandlerClass")
    return ClassMap(replace(branch, own=own), _branch("handler", order(handler)) if isinstance(handler, type) else None)


def _branch(what: str, classes: list[type]) -> Branch:
    levels: list[Level] = []
    seen: set[str] = set()
    root = _ROOTS[what]
    at_root = classes.index(root) if root in classes else len(classes)
    for at, cls in enumerate(classes[:_LEVELS]):
        level = _level(cls, classes)
        # It stands behind the root, and was to stand before it: what both define is never found in it.
        if at > at_root and cls is not object and root not in mro_of(cls):
            level = replace(level, late=tuple(one.name for one in level.definitions if one.name in seen))
        seen.update(one.name for one in level.definitions)
        levels.append(level)
    return Branch(what, tuple(levels), tuple(_family(root, classes)))


def _level(cls: type, classes: list[type]) -> Level:
    items = first_of(names_of(cls).items(), _DEFINITIONS) or []
    found = [_definition(name, value) for name, value in items if type(name) is str and name not in _NO_NAMES]
    module = names_of(cls).get("__module__")
    module = shown(module).strip("'") if type(module) is str else "builtins"
    bases = tuple(classes.index(base) for base in bases_of(cls) if base in classes)
    return Level(class_name(cls), _origin(module), module, bases, tuple(found))


def _origin(module: str) -> str:
    top = module.partition(".")[0]
    known = {"__main__": "own", "builtins": "python", "socketserver": "socketserver", "nbserver": "nbserver"}
    return known.get(top) or ("library" if top in sys.stdlib_module_names else "package")


def _definition(name: str, value: Any) -> Definition:
    kind = type(value)
    name = shown(name)[1:-1]
    if kind is staticmethod or kind is classmethod:
        value = value.__func__
    elif kind is property:
        return Definition(name, "property", "", place_of(value.fget))
    if type(value) is types.FunctionType:
        return Definition(name, "method", "", place_of(value))
    if any(type(value) is one for one in _BUILTIN_METHODS) or kind is staticmethod or kind is classmethod:
        return Definition(name, "method", "", None)
    is_class = type in mro_of(kind)
    return Definition(name, "class" if is_class else "value", class_name(value) if is_class else shown(value), None)


def _family(root: type, classes: list[type]) -> Iterator[Relative]:
    """The tree of the standard library's classes below `root`, with `classes` in their places."""
    known = [one for one in vars(socketserver).values() if isinstance(one, type) and root in mro_of(one)]
    members = list(dict.fromkeys([*known, *(one for one in classes if root in mro_of(one))]))[:_FAMILY]

    def parent(cls: type) -> type | None:
        return next((base for base in bases_of(cls) if base in members), None)

    def below(cls: type, depth: int) -> Iterator[Relative]:
        bases = tuple(class_name(base) for base in bases_of(cls) if base is not object)
        place = "this" if cls is classes[0] else "ancestor" if cls in classes else ""
        yield Relative(depth, class_name(cls), bases, place)
        for one in members:
            if parent(one) is cls:
                yield from below(one, depth + 1)

    if root in classes:
        yield from below(root, 0)


def _branch_json(branch: Branch, numbers: Iterator[int]) -> dict[str, Any]:
    levels = []
    for level in branch.levels:
        definitions = [
            [one.name, one.kind, one.value, *(one.place.told if one.place else ["", 0]), next(numbers)]
            for one in level.definitions
        ]
        levels.append([level.name, level.origin, level.module, definitions, list(level.late)])
    return {
        "what": branch.what,
        "levels": levels,
        "family": [[one.depth, one.name, list(one.bases), one.place] for one in branch.family],
        "own": list(branch.own),
    }
