"""Explanations as plain data: nothing here draws, starts a thread or opens a socket."""

from . import stacks
from .cards import Card, phrase, speak
from .circumstances import About, Holder, World
from .classmap import ClassMap, explain
from .framing import LENSES, Framed, Message, Splitter, framed, framed_by
from .lookup import hide, is_hidden, mro_of, order, supplier
from .recognise import card_of, end_ignored, no_handle
from .refusals import gone
from .ruler import Group, Half, Piece, Row, Ruler, Track, Way, halves, paired, placed
from .rulertold import told
from .site import Site, line_of, site_of
from .spot import spot_now
from .student import Cells, Line, is_ours, is_students, parsed
from .values import attributes_of, class_name, first_of, shown, type_name

__all__ = [
    "LENSES",
    "About",
    "Card",
    "Cells",
    "ClassMap",
    "Framed",
    "Group",
    "Half",
    "Holder",
    "Line",
    "Message",
    "Piece",
    "Row",
    "Ruler",
    "Site",
    "Splitter",
    "Track",
    "Way",
    "World",
    "attributes_of",
    "card_of",
    "class_name",
    "end_ignored",
    "explain",
    "first_of",
    "framed",
    "framed_by",
    "gone",
    "halves",
    "hide",
    "is_hidden",
    "is_ours",
    "is_students",
    "line_of",
    "mro_of",
    "no_handle",
    "order",
    "paired",
    "parsed",
    "phrase",
    "placed",
    "shown",
    "site_of",
    "speak",
    "spot_now",
    "stacks",
    "supplier",
    "told",
    "type_name",
]
