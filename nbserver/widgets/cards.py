"""What stands below the card of a cell: a button, where this notebook itself can mend it."""

from __future__ import annotations

from IPython.display import display

from .. import kernel
from ..net import at_port
from ..teach import Card
from .shown import panel


def show_cards() -> None:
    """Show cards in cells from now on."""
    kernel.cellcards.install(_below)


def _below(card: Card) -> None:
    """Where a server of this notebook keeps the port: the button that stops it."""
    holder = at_port(card.own_port) if card.own_port else None
    if holder is not None:
        bundle = panel(holder).takeover._repr_mimebundle_()
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        # Where no widget can be shown the card above has said what to type.
        display({**data, "text/plain": ""}, metadata=metadata, raw=True)
