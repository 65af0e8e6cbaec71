"""The board: a hub that mirrors a server into the page, and thin views of it."""

from .cards import show_cards
from .hub import Hub, View
from .requests import target_of
from .shown import panel

__all__ = ["Hub", "View", "panel", "show_cards", "target_of"]
