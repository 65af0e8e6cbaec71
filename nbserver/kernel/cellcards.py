"""A cell that fails shows the card of its error above the traceback, which is one click away then.

The way in which IPython shows an error has a step of ours in front of its own; and an error may say how it is shown
(``_render_traceback_``).
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

from .. import teach
from .cells import shell

_LONGEST = 20_000  # characters of a traceback
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")

Below = Callable[[teach.Card], None]
"""Shows what belongs below a card: a button, where something can be done about it."""


def install(below: Below) -> None:
    """Show cards in cells from now on, and name cells in them. Twice is once; nothing outside IPython."""
    ip = shell()
    if ip is None:
        return
    teach.Cells.numbers = getattr(ip.compile, "_filename_map", {})
    if getattr(ip, "kernel", None) is not None and "showtraceback" not in vars(ip):
        ip.showtraceback = _with_cards(ip, ip.showtraceback, below)


def uninstall(ip: Any) -> None:
    """Undo that."""
    teach.Cells.numbers = {}
    if getattr(vars(ip).get("showtraceback"), "is_nbserver", False):
        del ip.showtraceback


def _with_cards(ip: Any, original: Callable[..., None], below: Below) -> Callable[..., None]:
    def showtraceback(exc_tuple: Any = None, *args: Any, **options: Any) -> None:
        error = exc_tuple[1] if exc_tuple else sys.exc_info()[1]
        card = teach.card_of(error) if isinstance(error, BaseException) else None
        if error is None or card is None:
            original(exc_tuple, *args, **options)
            return
        whole = _traceback(ip, error)
        last = whole.rstrip().rpartition("\n")[2]
        is_long = last != whole.rstrip()
        _show(ip, card, whole if is_long else "", last)
        below(card)
        with _shown_as(error, last) if is_long else contextlib.nullcontext():
            original(exc_tuple, *args, **options)

    showtraceback.is_nbserver = True  # type: ignore[attr-defined]
    return showtraceback


def _show(ip: Any, card: teach.Card, whole: str, last: str) -> None:
    """The card, with the traceback in it, whose last line can be seen."""
    text = f"{card}\n\n{whole}" if whole else str(card)
    ip.display_pub.publish(data={"text/html": card.as_html(whole, last), "text/plain": text}, metadata={})


@contextlib.contextmanager
def _shown_as(error: BaseException, line: str) -> Iterator[None]:
    """Let IPython show this one line of an error: the rest stands above. ``%tb`` shows the whole again."""
    before = vars(error).get("_render_traceback_")
    error._render_traceback_ = lambda: [line]  # type: ignore[attr-defined]
    try:
        yield
    finally:
        del error._render_traceback_  # type: ignore[attr-defined]
        if before is not None:
            error._render_traceback_ = before  # type: ignore[attr-defined]


def _traceback(ip: Any, error: BaseException) -> str:
    """What IPython would show, without its colours."""
    render = getattr(error, "_render_traceback_", None)
    lines = render() if render else ip.InteractiveTB.structured_traceback(type(error), error, error.__traceback__)
    return _COLOURS.sub("", "\n".join(lines))[-_LONGEST:]
