"""What was said, as text: for a notebook that is read without a kernel, on a page of the web, or on paper.

Everything that a peer has sent, or calls itself, is one printable line of `safe_text`, and in HTML it is escaped and
stands in a ``<pre>``, where no page looks for formulas either.
"""

from __future__ import annotations

import html
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
MOST_BYTES = 131_072
"""So large is the text, and so large is the same as HTML, both of which a notebook keeps: 256 KiB together."""

_LINE = 500  # characters of one message
_OPEN_LINES = 60  # of more lines a page shows the title alone, until somebody opens it
_SIGNS = {
    Kind.RECEIVED: "←",
    Kind.SENT: "→",
    Kind.ASKED: "?",
    Kind.ANSWERED: "you:",
    Kind.PRINTED: "|",
    Kind.TROUBLE: "!",
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
    def of(cls, title: str, transcript: Record) -> Block:
        """The newest lines of a transcript."""
        events = transcript.read()
        kept = events[-MOST_LINES:]
        missing = kept[0][0] - 1 if kept else transcript.last
        return cls(title, tuple(line_of(event) for _, event in kept), missing)

    def within(self, most: int) -> Block:
        """The same in at most `most` bytes, if the title alone is no longer: the oldest lines are left out."""
        left, kept = most - _weight(self.title), 0
        for line in reversed(self.lines):
            left -= _weight(line)
            if left < 0:
                break
            kept += 1
        return self._replace(lines=self.lines[len(self.lines) - kept :], missing=self.missing + len(self.lines) - kept)

    @property
    def weight(self) -> int:
        """How large it is, in bytes of HTML, which is the larger form."""
        return sum(map(_weight, (self.title, *self.lines)))

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
        blocks = [Block.of(*console) for console in every[-MOST_CONSOLES:]]
        saved = time.strftime("%Y-%m-%d %H:%M:%S")
        return cls(
            f"{title}, saved {saved}", about, tuple(_within(blocks, MOST_BYTES)), left_out + len(every) - len(blocks)
        )

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
            f'<details class="nbs-saved"{is_open}><summary>{html.escape(title)}</summary>\n'
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
    if kind is Kind.ERROR:  # of a traceback the last line says what happened
        data = data.rstrip().rpartition(b"\n")[2]
    text = safe_text(data, _LINE)
    whole = f" ({size} B)" if kind in (Kind.RECEIVED, Kind.SENT) and (size > len(data) or text.endswith("…")) else ""
    return f"{moment} {_SIGNS.get(kind, '·')} {text}{whole}"


def _within(blocks: list[Block], most: int) -> list[Block]:
    """The blocks in at most `most` bytes: those that are short are whole, the long ones share what is left."""
    left = most
    for done, at in enumerate(sorted(range(len(blocks)), key=lambda at: blocks[at].weight)):
        blocks[at] = blocks[at].within(left // (len(blocks) - done))
        left -= blocks[at].weight
    return blocks


def _weight(line: str) -> int:
    return len(html.escape(line, quote=False).encode("utf-8", "replace")) + 3


def count_of(number: int, noun: str) -> str:
    """``1 client``, ``3 clients``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
