"""Texts that a person uses again and again."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import overload

from ..errors import UsageError
from ..text import safe_text
from .rules import checked_text

MOST_SAVED = 50
"""How many texts are kept at most."""


class SavedReplies(Sequence[str]):
    """Texts to reply with, in the order in which they were saved: read as a list is. None is there twice.

    Call: `add`, `remove`, `clear`, and what a sequence has. Thread: any.
    """

    def __init__(self) -> None:
        self._texts: tuple[str, ...] = ()  # replaced as a whole, so that it is read without a lock
        self._lock = threading.RLock()  # two boards may save at once

    def add(self, text: str) -> None:
        """Keep `text`, behind the others; one that is kept already stays where it is.

        Args:
            text: At most `LONGEST` characters, and not empty.

        Raises:
            UsageError: It is none, or `MOST_SAVED` are kept already.
        """
        text = checked_text(text, "a saved reply")
        if not text:
            raise UsageError("a saved reply is not empty: type it first")
        with self._lock:
            if text in self._texts:
                return
            if len(self._texts) >= MOST_SAVED:
                raise UsageError(f"at most {MOST_SAVED} replies are saved: remove one first")
            self._texts = (*self._texts, text)

    def remove(self, text: str) -> None:
        """Keep `text` no more.

        Raises:
            UsageError: It is not kept.
        """
        with self._lock:
            if text not in self._texts:
                raise UsageError(f"{safe_text(repr(text), 80)} is not among the saved replies")
            self._texts = tuple(other for other in self._texts if other != text)

    def clear(self) -> None:
        """Keep none."""
        with self._lock:
            self._texts = ()

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self._texts[index]

    def __len__(self) -> int:
        return len(self._texts)

    def __repr__(self) -> str:
        return f"<SavedReplies {list(self._texts)}>"


saved_replies = SavedReplies()
"""Those of this process: a server that is made anew, or another one beside it, has them, too."""
