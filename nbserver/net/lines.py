"""A file over a connection whose lines have a longest length."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from .. import teach

if TYPE_CHECKING:
    from .connection import Connection


@teach.hide
class BoundedLines(io.BufferedReader):
    """What ``makefile("rb")`` gives where lines are limited: ``readline()`` without a limit keeps to `Limits.max_line`.

    A line that is longer ends the connection: what follows it cannot be told from its rest.
    """

    def __init__(self, raw: Any, buffer_size: int, connection: Connection) -> None:
        super().__init__(raw, buffer_size)
        self._connection = connection

    def readline(self, size: int | None = -1, /) -> bytes:
        """As the file's own. Raises `ConnectionEnded` after a line that is too long."""
        most = self._connection.limits.max_line
        asked = -1 if size is None else size
        if most is None or 0 <= asked <= most:
            return super().readline(asked)
        line = super().readline(most + 1)
        if len(line) > most:
            raise self._connection.line_too_long(most)
        return line
