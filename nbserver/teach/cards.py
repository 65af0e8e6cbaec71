"""Errors in words: a card says what happened, why, and what to change, with the student's own line.

An error is recognised by its type, its number, the exact words of CPython 3.10 to 3.13, and the line that failed. What
is not recognised with certainty has no card: it is shown as it is, never guessed at. The words are in `cardwords`.
"""

from __future__ import annotations

import html
import json
import os
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from ..text import safe_text
from .cardwords import CHINESE, ENGLISH, PHRASES, Words
from .spot import Spot
from .student import Line

_VALUE = 80  # characters of one value that a card shows
_LINE = 160  # characters of the student's line

Value: TypeAlias = "str | bytes | int | tuple[str, str]"
"""What is filled in: the same in both languages, or one for each."""


class Said(NamedTuple):
    """One card in one language.

    Attributes:
        title: What happened, in a few words.
        text: Why.
        todo: What to change.
        where: Which line: ``cell [3], line 7``; "" if there is none.
    """

    title: str
    text: str
    todo: str
    where: str


class _Chosen:
    language = os.environ.get("NBSERVER_LANG", "")


def speak(language: str) -> None:
    """Say cards in ``"zh"`` from now on, or in ``"en"``, which is also what "" stands for."""
    _Chosen.language = language


@dataclass(frozen=True, repr=False)
class Card:
    """What happened, in words. Plain texts, safe to show: it keeps no frame, no socket and no variable alive.

    Attributes:
        code: Which card: ``"str-for-bytes"``, ``"port-in-use"``, …
        en, zh: What it says, in English and in Chinese.
        line: The student's own line, or "".
        own_port: The port that a server of this notebook keeps in use, and that `nbserver.take_over` would free; or 0.
    """

    code: str
    en: Said
    zh: Said
    line: str = ""
    own_port: int = 0

    @property
    def said(self) -> Said:
        """What it says in the language that was chosen for this notebook."""
        return self.zh if _Chosen.language == "zh" else self.en

    @property
    def title(self) -> str:
        """What happened, in a few words; in the chosen language, as are the others."""
        return self.said.title

    @property
    def text(self) -> str:
        """Why."""
        return self.said.text

    @property
    def todo(self) -> str:
        """What to change."""
        return self.said.todo

    @property
    def where(self) -> str:
        """Which line: ``cell [3], line 7``."""
        return self.said.where

    def body(self) -> str:
        """The card as JSON, for an event: both languages, in less than `KEPT_BYTES` bytes."""
        told = {"code": self.code, "en": self.en, "zh": self.zh, "line": self.line}
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"))

    def __str__(self) -> str:
        title, text, todo, where = self.said
        line = [f"    {where}: {self.line}"] if where else []
        return "\n".join([title, *line, f"  {text}", f"  → {todo}"])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.as_html()

    def as_html(self, rest: str = "", summary: str = "") -> str:
        """The card for a page, without script and without a style sheet; `rest`, a text, is one click away."""
        title, text, todo, where = self.said
        parts = [f'<div style="font-weight:600">{_marked(title)}</div>']
        if where:
            parts.append(f"<div>{html.escape(where)}: <code>{html.escape(self.line)}</code></div>")
        parts += [f"<div>{_marked(text)}</div>", f"<div>→ {_marked(todo)}</div>"]
        if rest:
            parts.append(
                f'<details><summary style="cursor:pointer"><code>{html.escape(summary)}</code></summary>'
                f'<pre style="overflow:auto;max-height:30em">{html.escape(rest, quote=False)}</pre></details>'
            )
        named = f'class="nbs-cellcard" role="group" aria-label="{_plain(title)}"'
        return f'<div {named} style="{_STYLE}">{"".join(parts)}</div>'


# The colours are JupyterLab's, for light and dark; elsewhere those of the page, beside a red edge.
_STYLE = (
    "border:1px solid var(--jp-error-color1,#c62828);border-left-width:.35em;border-radius:.35em;padding:.5em .8em;"
    "margin:.3em 0;line-height:1.6;font-size:1em"
)


def _plain(text: str) -> str:
    return html.escape(text.replace("`", ""))


def _marked(text: str) -> str:
    """A sentence in HTML. Code and values are in ``<code>``, where no page looks for formulas."""
    parts = text.split("`")
    return "".join(
        f"<code>{html.escape(part)}</code>" if at % 2 else html.escape(part) for at, part in enumerate(parts)
    )


def card(code: str, at: Spot | Line | None = None, own_port: int = 0, /, **values: Value) -> Card:
    """A card with its words filled in.

    Args:
        code: A key of `cardwords`.
        at: The student's line; nothing of it is kept but text.
        own_port: See `Card`.
        **values: What is filled in. Each is cut, and made safe to show.
    """
    line = at.line if isinstance(at, Spot) else at
    text = _safe(line.text, _LINE) if line is not None else ""
    english, chinese = (
        Said(*_filled(words[code], _in(values, n)), _where(line, n) if line and text else "")
        for n, words in enumerate((ENGLISH, CHINESE))
    )
    return Card(code.partition(".")[0], english, chinese, text, own_port)


def phrase(name: str, /, **values: Value) -> tuple[str, str]:
    """A part of a sentence, in both languages."""
    english, chinese = (text.format(**_in(values, n)) for n, text in enumerate(PHRASES[name]))
    return english, chinese


def _filled(words: Words, values: dict[str, str]) -> tuple[str, str, str]:
    return words.title.format(**values), words.text.format(**values), words.todo.format(**values)


def _in(values: dict[str, Value], language: int) -> dict[str, str]:
    return {
        name: value[language] if isinstance(value, tuple) else _safe(str(value), _VALUE)
        for name, value in values.items()
    }


def _safe(value: str, limit: int) -> str:
    """A value as one printable line; a backtick would end the code that it stands in."""
    text = safe_text(value, limit).replace("\\\\", "\\").replace("`", "ˋ")
    return text if len(text) <= limit + 1 else text[:limit] + "…"  # an escape is longer than what it stands for


def _where(line: Line, language: int) -> str:
    number = PHRASES["line"][language].format(line=line.number)
    place = PHRASES["cell"][language].format(cell=line.cell) if line.cell else line.where
    return f"{place}{(', ', ' ')[language]}{number}"


def hex_of(data: bytes) -> str:
    """A few bytes as people write them: ``e4 bd``."""
    return data[:8].hex(" ") + (" …" if len(data) > 8 else "")
