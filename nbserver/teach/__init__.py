"""Explanations as plain data: nothing here draws, starts a thread or opens a socket."""

from .framing import LENSES, Framed, Message, Splitter, framed, framed_by
from .lookup import hide, is_hidden, order, supplier
from .ruler import Group, Half, Piece, Row, Ruler, Track, Way, halves, paired, placed
from .rulertold import told
from .site import Site, line_of, site_of

__all__ = [
    "LENSES",
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
    "framed",
    "framed_by",
    "halves",
    "hide",
    "is_hidden",
    "line_of",
    "order",
    "paired",
    "placed",
    "site_of",
    "supplier",
    "told",
]
