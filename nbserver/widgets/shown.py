"""What a cell shows of a server or of clients: the widget, its ``repr`` where there is none, and the text beside it."""

from __future__ import annotations

from typing import Any

from ..bothends import Comparison
from ..console import Program
from ..fleet import Fleet
from ..net import Server
from ..teach import ClassMap
from .hub import Hub, View
from .saved import Saved

_KINDS = (Server, Program, Fleet, ClassMap, Comparison)

_panels: dict[Any, View] = {}
_saved: dict[Any, Saved] = {}


def panel(thing: Server | Program | Fleet | ClassMap | Comparison) -> View:
    """The board of a server, the consoles of clients, a class map, or a comparison, to be put anywhere a widget can be.

    One for each thing: shown twice, it shows the same. Thread: the main one.
    """
    if thing not in _panels:
        if isinstance(thing, Server):
            _panels[thing] = View(Hub(thing), "board")
        elif isinstance(thing, ClassMap):
            _panels[thing] = View(Hub(about=thing), "classes")
        elif isinstance(thing, Comparison):
            _panels[thing] = View(Hub(about=thing), "compare")
        else:
            fleet = thing if isinstance(thing, Fleet) else Fleet([thing])
            _panels[thing] = View(Hub(None, fleet), "clients")
    return _panels[thing]


def close(thing: Any) -> None:
    """End the panel of `thing`, if it has one."""
    saved = _saved.pop(thing, None)
    if saved is not None:
        saved.close()
    view = _panels.pop(thing, None)
    if view is not None:
        view.mirror.fleet.close()  # those that were added there
        view.mirror.close()
        view.close()


def close_all() -> None:
    """End every panel."""
    for thing in list(_panels):
        close(thing)


def in_notebooks(ip: Any) -> None:
    """Let the last expression of a cell show a server as its board, and clients as their consoles."""
    if getattr(ip, "kernel", None) is not None:
        for kind in _KINDS:
            ip.display_formatter.mimebundle_formatter.for_type(kind, _bundle)


def not_in_notebooks(ip: Any) -> None:
    """Undo that."""
    for kind in _KINDS:
        ip.display_formatter.mimebundle_formatter.type_printers.pop(kind, None)


def _bundle(thing: Any, **options: Any) -> Any:
    """What the cell's own output has: the widget, and the ``repr``. Nothing that a client sent.

    Before it stands the output with the conversation as text.
    """
    if not isinstance(thing, ClassMap) and thing.is_saved:
        if thing not in _saved:
            _saved[thing] = Saved(thing)
        _saved[thing].show()
        panel(thing).mirror.saved = _saved[thing]
    bundle = panel(thing)._repr_mimebundle_(**options)
    data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
    return {**(data or {}), "text/plain": repr(thing)}, metadata
