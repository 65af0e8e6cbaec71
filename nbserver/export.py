"""What was said, as text: for a notebook that is read without a kernel, on a page of the web, or on paper.

Everything that a peer has sent, or calls itself, is one printable line of `safe_text`, and in HTML it is escaped and
stands in a ``<pre>``, where no page looks for formulas either.
"""

from __future__ import annotations

import html
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from .events import Event, Kind
from .journal import Record
from .text import safe_text

MOST_CONSOLES = 200
"""So many are written down, the newest."""
MOST_LINES = 100
"""So many lines of each, the newest."""
MOST_BYTES = 130_000
"""So large are all lines together, and so large are they as HTML. A notebook keeps both forms: less than 256 KiB."""

_LINE = 500  # characters of one message
_COUNT_BYTES = 48  # for the line that says how many are left out
_OPEN_LINES = 60  # of more lines a page shows the title alone, until somebody opens it
_SIGNS = {
    Kind.RECEIVED: "←",
    Kind.SENT: "→",
    Kind.ASKED: "?",
    Kind.ANSWERED: "you:",
    Kind.PRINTED: "|",
    Kind.TROUBLE: "!",
    Kind.CARD: "!",
    Kind.ERROR: "!",
    Kind.OPENED: "opened:",
    Kind.CLOSED: "closed:",
}


class Block(NamedTuple):
    """One console, written down.

    Attributes:
        title: Who that is, and how much it carried; safe to show.
        lines: What was said, oldest first; safe to show.
        missing: How many lines before these are left out.
    """

    title: str
    lines: tuple[str, ...]
    missing: int = 0

    @classmethod
    def of(cls, title: str, events: list[tuple[int, Event]], most: int) -> Block:
        """The newest of numbered events, in at most `most` bytes of HTML, if the title alone is no longer.

        Only what fits is written: to make a line safe takes long.
        """
        left, lines = most - _weight(title) - _COUNT_BYTES, []
        for _, event in reversed(events):
            line = line_of(event)
            left -= _weight(line)
            if left < 0:
                break
            lines.append(line)
        last = events[-1][0] if events else 0
        return cls(title, tuple(reversed(lines)), last - len(lines))

    @property
    def weight(self) -> int:
        """How large it is as HTML, which is the larger form, in bytes."""
        return sum(map(_weight, (self.title, *self.lines)), _COUNT_BYTES)

    def __str__(self) -> str:
        left_out = [f"  … {count_of(self.missing, 'line')} before these left out"] if self.missing else []
        return "\n".join([self.title, *left_out, *(f"  {line}" for line in self.lines)])


@dataclass(frozen=True, repr=False)
class Snapshot:
    """A conversation as it was at one moment. Shown in a notebook, or printed, it is text.

    Attributes:
        title: In a few words; no peer's.
        about: One line about the server, or ""; safe to show.
        blocks: What was said, by console.
        left_out: How many consoles are left out, the oldest.
    """

    title: str
    about: str
    blocks: tuple[Block, ...]
    left_out: int = 0

    @classmethod
    def of(cls, title: str, consoles: Iterable[tuple[str, Record]], about: str = "", left_out: int = 0) -> Snapshot:
        """Write down consoles, oldest first, within the bounds.

        Args:
            title: In a few words, to which the time is added.
            consoles: Title and transcript of each.
            about: One line about the server.
            left_out: How many there were before these.
        """
        every = list(consoles)
        blocks = _blocks(every[-MOST_CONSOLES:], MOST_BYTES)
        saved = time.strftime("%Y-%m-%d %H:%M:%S")
        return cls(f"{title}, saved {saved}", about, blocks, left_out + len(every) - len(blocks))

    def __str__(self) -> str:
        left_out = [f"… {count_of(self.left_out, 'console')} before these left out"] if self.left_out else []
        about = [self.about] if self.about else []
        return "\n".join([self.title, *about, *left_out, *map(str, self.blocks)])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """The same for a page, without style or script. No line of it is empty: Markdown would begin anew there."""
        title, _, text = str(self).partition("\n")
        is_open = " open" if text.count("\n") < _OPEN_LINES else ""
        return (
            f'<details class="nbs-conversation"{is_open}><summary>{html.escape(title)}</summary>\n'
            f"<pre>{html.escape(text, quote=False)}</pre>\n</details>"
        )


def line_of(event: Event) -> str:
    """One event as a printable line: ``12:03:01.123 ← hello``."""
    kind, when, _, data, size = event
    moment = f"{time.strftime('%H:%M:%S', time.localtime(when))}.{int(when % 1 * 1000):03}"
    if kind is Kind.PASSED:
        return f"{moment} … {count_of(size, 'message')} more, not kept"
    if kind is Kind.EOF:
        return f"{moment} ← (end: the peer has closed its side)"
    if kind is Kind.CARD:
        return f"{moment} ! {_title_of(data)}"
    if kind is Kind.ERROR:  # of a traceback the last line says what happened
        data = data.rstrip().rpartition(b"\n")[2]
    text = safe_text(data, _LINE)
    whole = f" ({size} B)" if kind in (Kind.RECEIVED, Kind.SENT) and (size > len(data) or text.endswith("…")) else ""
    return f"{moment} {_SIGNS.get(kind, '·')} {text}{whole}"


def _title_of(data: bytes) -> str:
    """What a card says first; and the line, where it names one."""
    title, _, _, where = json.loads(data)["en"]
    return (f"{title} ({where})" if where else str(title)).replace("`", "")


def _blocks(consoles: list[tuple[str, Record]], most: int) -> tuple[Block, ...]:
    """Consoles in at most `most` bytes: those that said little are whole, the others share what is left."""
    newest = [record.read(max(0, record.last - MOST_LINES)) for _, record in consoles]
    sizes = [sum(min(len(event.data), _LINE) for _, event in events) for events in newest]
    blocks: dict[int, Block] = {}
    left = most
    for at in sorted(range(len(consoles)), key=lambda at: sizes[at]):
        blocks[at] = Block.of(consoles[at][0], newest[at], left // (len(consoles) - len(blocks)))
        left -= blocks[at].weight
    return tuple(block for _, block in sorted(blocks.items()))


def _weight(line: str) -> int:
    return len(html.escape(line, quote=False).encode("utf-8", "replace")) + 3


def count_of(number: int, noun: str) -> str:
    """``1 client``, ``3 clients``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
