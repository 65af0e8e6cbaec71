"""Explanations as plain data: nothing here draws, starts a thread or opens a socket."""

from .cards import Card, phrase, speak
from .explain import About, Holder, World, end_ignored, explain, gone, no_handle
from .lookup import hide, is_hidden, order, supplier
from .spot import Line, Names, spot_now

__all__ = [
    "About",
    "Card",
    "Holder",
    "Line",
    "Names",
    "World",
    "end_ignored",
    "explain",
    "gone",
    "hide",
    "is_hidden",
    "no_handle",
    "order",
    "phrase",
    "speak",
    "spot_now",
    "supplier",
]
