"""What was found, how much it matters, and what to do about it; shown as a list."""

from __future__ import annotations

import html
import textwrap
from dataclasses import dataclass
from enum import Enum

_COLUMNS = 60  # of characters, for what was found


class Level(str, Enum):
    """How much a finding matters; the value is the word that is shown. In the order in which they are read."""

    WARNING = "warning"
    NOTE = "note"
    OK = "ok"


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        name: What was looked at.
        value: What was found; safe to show.
        level: How much that matters.
        advice: What to do, or "".
    """

    name: str
    value: str
    level: Level = Level.OK
    advice: str = ""


@dataclass(frozen=True, repr=False)
class Report:
    """What was found, the most urgent first; shown as a list.

    Attributes:
        findings: See `Finding`.
    """

    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        return "\n".join("".join(text for text, _ in self._pieces(finding)) for finding in self.findings)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """The same for a page, what asks for attention in bold. In a ``<pre>`` no page looks for formulas."""
        pieces = [[*self._pieces(finding), ("\n", False)] for finding in self.findings]
        marked = [f"<b>{html.escape(text)}</b>" if bold else html.escape(text) for row in pieces for text, bold in row]
        return f"<pre>{''.join(marked)}</pre>"

    def _pieces(self, finding: Finding) -> list[tuple[str, bool]]:
        """What is shown of a finding: texts, and whether each asks for attention."""
        width = max(len(one.name) for one in self.findings)
        below = "\n" + " " * (width + 11)
        value = f"  {finding.name:<{width}}  " + below.join(_wrapped(finding.value))
        advice = [(below + below.join(_wrapped(f"-> {finding.advice}", "   ")), True)] if finding.advice else []
        return [(f"{finding.level.value:<7}", finding.level is not Level.OK), (value, False), *advice]


def _wrapped(text: str, indent: str = "") -> list[str]:
    """Lines that fit beside the names, in a terminal and in a notebook on a projector."""
    wrapper = textwrap.TextWrapper(_COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return [short for line in text.split("\n") for short in wrapper.wrap(line)]
