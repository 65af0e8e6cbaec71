"""Bytes and strings from a stranger, made safe to show: one printable line, nothing hidden, nothing executed.

The same function serves every place that shows text (a row, a ``repr``, an error, a log line), so there is one to
check.
"""

from __future__ import annotations

import codecs
import unicodedata

# Printable to Python, yet nothing is seen: blank letters (cpython#100038), a blank symbol, joiners and selectors, with
# which a text can be carried inside another. Python knows no Unicode property for them; the tests ask JavaScript's.
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0").union(
    map(chr, range(0xFE00, 0xFE10)), map(chr, range(0xE0100, 0xE01F0))
)
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}
_MARKS = 4  # so many combining marks may sit on one letter; more would climb over the lines above ("zalgo")


def escape(character: str) -> str:
    r"""One character as a visible escape: ``\n``, ``\x07``, ``\u202e`` or ``\U000e0001``."""
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def safe_text(value: str | bytes, limit: int = 1000) -> str:
    r"""`value` as one printable line.

    Args:
        value: Text, or bytes that are read as UTF-8; a byte that is not UTF-8 becomes ``\xff``.
        limit: How many characters of `value` are shown at most; a cut is marked with ``…``.

    Returns:
        Text for which `str.isprintable` holds.
    """
    if isinstance(value, bytes):
        # No character has more than four bytes; the one more keeps a cut visible.
        value = value[: limit * 4 + 1].decode("utf-8", "surrogateescape")
    if len(value) <= limit and value.isascii() and value.isprintable() and "\\" not in value:
        return value
    shown: list[str] = []
    marks = 0
    for character in value[:limit]:
        # By the class: marks that have no combining class climb as well, and must not begin the count anew.
        marks = marks + 1 if unicodedata.category(character)[0] == "M" else 0
        if "\udc80" <= character <= "\udcff":
            shown.append(f"\\x{ord(character) - 0xDC00:02x}")
        elif marks > _MARKS or not _is_seen(character, shown[-1] if shown else ""):
            shown.append(escape(character))
        else:
            shown.append(character)
    return "".join(shown) + ("…" if len(value) > limit else "")


def _is_seen(character: str, before: str) -> bool:
    """Whether it can be shown as it is, behind `before`. What gives a picture its colours is part of the picture."""
    if character == "\ufe0f" and len(before) == 1:
        return unicodedata.category(before) == "So"
    return character.isprintable() and character not in _NAMED and character not in _UNSEEN


def encoded(text: str) -> bytes:
    """Text as UTF-8. What that has no bytes for (half of a surrogate pair) becomes ``?``. Never raises."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


class Decoder:
    """Bytes to text, piece by piece: a character that is cut in two waits for its other half, bad bytes become escapes.

    Never raises. Thread: one at a time.
    """

    def __init__(self, encoding: str = "utf-8") -> None:
        self._decoder = codecs.getincrementaldecoder(encoding)("backslashreplace")

    def feed(self, data: bytes, final: bool = False) -> str:
        """The text that `data` completes; with `final` a half character is given up and shown as an escape."""
        return self._decoder.decode(data, final)
