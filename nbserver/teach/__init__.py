"""Explanations as plain data: nothing here draws, starts a thread or opens a socket."""

from .classmap import ClassMap, explain
from .framing import LENSES, Framed, Message, Splitter, framed, framed_by
from .lookup import hide, is_hidden, mro_of, order, supplier
from .ruler import Group, Half, Piece, Row, Ruler, Track, Way, halves, paired, placed
from .rulertold import told
from .site import Site, line_of, site_of
from .values import attributes_of, class_name, first_of, shown, type_name

__all__ = [
    "LENSES",
    "ClassMap",
    "Framed",
    "Group",
    "Half",
    "Message",
    "Piece",
    "Row",
    "Ruler",
    "Site",
    "Splitter",
    "Track",
    "Way",
    "attributes_of",
    "class_name",
    "explain",
    "first_of",
    "framed",
    "framed_by",
    "halves",
    "hide",
    "is_hidden",
    "line_of",
    "mro_of",
    "order",
    "paired",
    "placed",
    "shown",
    "site_of",
    "supplier",
    "told",
    "type_name",
]
