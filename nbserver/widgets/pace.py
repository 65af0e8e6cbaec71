"""How often something may be done, whatever asks for it."""

from __future__ import annotations

import time


class Pace:
    """A few at once, then so many a second, evenly: in any second at most `burst` and `rate` together.

    Thread: one at a time.
    """

    def __init__(self, burst: int, rate: float) -> None:
        """At most `burst` at once and `rate` a second."""
        self._burst, self._rate = burst, rate
        self._left = float(burst)
        self._looked = time.monotonic()

    @property
    def allows(self) -> bool:
        """Whether there may be one more now."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._looked) * self._rate)
        self._looked = now
        return self._left >= 1

    def count(self) -> None:
        """There is one more."""
        self._left -= 1
