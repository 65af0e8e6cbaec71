"""Errors in words, for whoever caught one: see `nbserver.teach.cards`."""

from __future__ import annotations

from ..teach import Card, card_of


def explain_error(error: BaseException) -> Card | None:
    """What an error of a socket program means, in words, with the line that met it; None if that is not known for sure.

    Shown as the last expression of a cell it is a card; printed it is text. Its `title`, `text`, `todo`, `line` and
    `where` are in the language that was chosen for this notebook; `en` and `zh` have both.

    Args:
        error: As caught by ``except OSError as error:``.

    Thread: any.
    """
    return card_of(error)
