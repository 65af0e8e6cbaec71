"""What goes wrong with a connection, in words: from what the connection knows to a card of `nbserver.teach`."""

from __future__ import annotations

import socketserver
import sys
from typing import TYPE_CHECKING

from ..events import Kind
from ..teach import About, Card, Site, card_of, end_ignored, gone, no_handle, phrase, site_of, spot_now

if TYPE_CHECKING:
    from .connection import Connection

_DOES_NOTHING = socketserver.BaseRequestHandler.handle
_CALLER = 4  # calls above: who has called recv()
_LOOKED_AT_ENDS = 16  # a loop that does not look comes back to its line at once
_LOOKED_AT = 32  # events of a transcript, for the two pieces that came last


def of_failure(connection: Connection, error: BaseException) -> Card | None:
    """The card of what its handler raised, if that is known for certain."""
    newest = connection.transcript.read(max(0, connection.transcript.last - _LOOKED_AT))
    pieces = [event.data for _, event in newest if event.kind is Kind.RECEIVED]
    return card_of(error, About("handler", tuple(pieces[-2:])))


def of_vanishing(connection: Connection, error: BaseException) -> Card | None:
    """The card of a peer that is gone, told in the thread that was using its socket."""
    return gone(error, spot_now(), About("handler"), phrase("client", number=connection.number))


def look_at_end(connection: Connection, before: Site | None) -> Site | None:
    """``recv()`` has given the end once more, in this thread, and the handler's line that heard it last was `before`.

    Whoever hears it twice in the same line has not looked at it: told once. Returns the line that hears it now.
    """
    if connection.ends_heard > _LOOKED_AT_ENDS:
        return before
    # Each connection comes here once: to have Python make the frames of our own calls would cost more than the rest.
    here = site_of(sys._getframe(_CALLER))
    if here is not None and here == before and not any(card.code == "end-ignored" for card in connection.cards):
        connection.told_in_words(end_ignored(spot_now()))
    return here


def of_handler(cls: type) -> Card | None:
    """The card of a request class that does nothing for its clients."""
    return no_handle(cls) if getattr(cls, "handle", None) is _DOES_NOTHING else None
