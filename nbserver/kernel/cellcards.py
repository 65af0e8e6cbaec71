"""A cell that fails shows the card of its error above the traceback, which is one click away then.

The way in which IPython shows an error has a step of ours in front of its own; and an error may say how it is shown
(``_render_traceback_``).
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable
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
    teach.Names.cell_of = staticmethod(lambda filename: getattr(ip.compile, "_filename_map", {}).get(filename, 0))
    if getattr(ip, "kernel", None) is not None and "showtraceback" not in vars(ip):
        ip.showtraceback = _with_cards(ip, ip.showtraceback, below)


def uninstall(ip: Any) -> None:
    """Undo that."""
    teach.Names.cell_of = staticmethod(lambda filename: 0)
    if getattr(vars(ip).get("showtraceback"), "is_nbserver", False):
        del ip.showtraceback


def _with_cards(ip: Any, original: Callable[..., None], below: Below) -> Callable[..., None]:
    def showtraceback(exc_tuple: Any = None, *args: Any, **options: Any) -> None:
        error = exc_tuple[1] if exc_tuple else sys.exc_info()[1]
        card = teach.explain(error) if isinstance(error, BaseException) else None
        if error is not None and card is not None:
            _show(ip, card, error)
            below(card)
        original(exc_tuple, *args, **options)

    showtraceback.is_nbserver = True  # type: ignore[attr-defined]
    return showtraceback


def _show(ip: Any, card: teach.Card, error: BaseException) -> None:
    """The card, with the traceback in it; what IPython shows below is then the error's own last line."""
    whole = _traceback(ip, error)
    last = whole.rstrip().rpartition("\n")[2]
    is_long = last != whole.rstrip()
    html = card.as_html(whole, last) if is_long else card.as_html()
    text = f"{card}\n\n{whole}" if is_long else str(card)
    ip.display_pub.publish(data={"text/html": html, "text/plain": text}, metadata={})
    if is_long:
        with contextlib.suppress(AttributeError):  # an error of a class with slots is shown once more, as a whole
            error._render_traceback_ = lambda: [last]  # type: ignore[attr-defined]


def _traceback(ip: Any, error: BaseException) -> str:
    """What IPython would show, without its colours."""
    render = getattr(error, "_render_traceback_", None)
    lines = render() if render else ip.InteractiveTB.structured_traceback(type(error), error, error.__traceback__)
    return _COLOURS.sub("", "\n".join(lines))[-_LONGEST:]
