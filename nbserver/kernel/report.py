"""Facts that are shown as a list."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, repr=False)
class Report:
    """Facts as pairs of name and text; shown as a list.

    Attributes:
        facts: The pairs.
    """

    facts: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        width = max(len(name) for name, _ in self.facts)
        below = "\n" + " " * (width + 2)
        return "\n".join(f"{name:<{width}}  {text}".replace("\n", below) for name, text in self.facts)

    def __repr__(self) -> str:
        return str(self)
