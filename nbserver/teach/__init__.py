"""Explanations as plain data: nothing here draws, starts a thread or opens a socket."""

from . import stacks
from .cards import Card, phrase, speak
from .circumstances import About, Holder, World
from .classmap import ClassMap, explain
from .lookup import hide, is_hidden, mro_of, order, supplier
from .recognise import card_of, end_ignored, no_handle
from .refusals import gone
from .spot import Line, Names, spot_now
from .values import attributes_of, class_name, first_of, shown, type_name

__all__ = [
    "About",
    "Card",
    "ClassMap",
    "Holder",
    "Line",
    "Names",
    "World",
    "attributes_of",
    "card_of",
    "class_name",
    "end_ignored",
    "explain",
    "first_of",
    "gone",
    "hide",
    "is_hidden",
    "mro_of",
    "no_handle",
    "order",
    "phrase",
    "shown",
    "speak",
    "spot_now",
    "stacks",
    "supplier",
    "type_name",
]
