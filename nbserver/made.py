"""What each cell of the notebook has made: it ends when the cell runs again."""

from __future__ import annotations

from typing import Any

from .bothends import Comparison
from .fleet import Fleet
from .kernel import Cell, ServerProgram
from .net import Server
from .teach import ClassMap
from .widgets import shown

# By the cell, with the run that made it. Cells run in the main thread, one at a time.
_made: dict[str, tuple[Cell, list[Any]]] = {}


def remember(cell: Cell, thing: Any) -> None:
    """`cell` has made `thing`. Thread: the main one, as all here."""
    if cell.id:
        _made.setdefault(cell.id, (cell, []))[1].append(thing)


def end_earlier(cell: Cell) -> None:
    """End what an earlier run of `cell` has made."""
    earlier, things = _made.get(cell.id, (cell, []))
    if cell.id and earlier.run != cell.run:
        while things:  # one that is interrupted here is ended by the next run, and so are those after it
            _end(things[0])
            del things[0]
        _made.pop(cell.id, None)


def end_all() -> None:
    """End what all cells have made."""
    for _, things in list(_made.values()):
        for thing in things:
            _end(thing)
    _made.clear()


def _end(thing: Any) -> None:
    if isinstance(thing, (Server, Comparison)):
        thing.stop()
    elif not isinstance(thing, ClassMap):
        thing.close()
    others = thing if isinstance(thing, Fleet) else thing.servers if isinstance(thing, ServerProgram) else ()
    for part in (thing, *others):
        shown.close(part)
