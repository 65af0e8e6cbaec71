"""What one server allows: how many, how much, how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from ..errors import UsageError
from ..text import safe_text


@dataclass
class Limits:
    """The limits of one server. Each may be changed while it serves, and holds from then on; None means none.

    Raises:
        UsageError: A value is no positive number, or None where there must be a limit.

    Thread: any may read and change.

    Attributes:
        max_connections: So many live at once; the rest wait in the operating system's backlog.
        max_per_peer: So many live at once from one address; the next is told why and closed.
        transcript_bytes: How much of one living connection's conversation is kept, in bytes.
        transcripts_bytes: How much of all living connections' together, in bytes; each has an equal share.
        max_line: How long a line that a handler reads with ``rfile.readline()`` may be, in bytes.
        first_byte_seconds: How long after it was accepted a client may be silent.
        request_seconds: From its first byte on, how long a client may take to send what the handler answers, however it
            drips. Of no use where the handler answers nothing.
        idle_seconds: How long a client may send nothing while the handler waits for it.
        send_seconds: How long one ``send()`` of the handler may take because the client does not read.
        handshake_seconds: How long a TLS handshake may take.
    """

    max_connections: int = 1000
    max_per_peer: int | None = None
    transcript_bytes: int = 2**18
    transcripts_bytes: int = 2**26
    max_line: int | None = None
    first_byte_seconds: float | None = None
    request_seconds: float | None = None
    idle_seconds: float | None = None
    send_seconds: float | None = None
    handshake_seconds: float = 10.0

    @classmethod
    def of(cls, **values: Any) -> Limits:
        """Limits by name. Raises `UsageError` when there is no limit of that name."""
        known = [field.name for field in fields(cls)]
        for name in values:
            if name not in known:
                raise UsageError(f"there is no limit {safe_text(name, 40)!r}; there are: {', '.join(known)}")
        return cls(**values)

    def __setattr__(self, name: str, value: Any) -> None:
        wanted = {field.name: field for field in fields(self)}.get(name)
        if wanted is None:
            raise UsageError(f"there is no limit {safe_text(name, 40)!r}")
        is_none_allowed = "None" in str(wanted.type)
        kinds = (int, float) if "float" in str(wanted.type) else (int,)
        is_number = isinstance(value, kinds) and not isinstance(value, bool) and value > 0
        if not (is_number or (value is None and is_none_allowed)):
            what = "a positive number" if len(kinds) == 2 else "a positive whole number"
            raise UsageError(
                f"{name} is {what}{' or None' if is_none_allowed else ''}, not {safe_text(repr(value), 40)}"
            )
        super().__setattr__(name, value)
        self._told()

    def known(self) -> dict[str, int | float]:
        """Those that are set, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def are_timed(self) -> bool:
        """Whether there is a limit of time that somebody must watch."""
        timed = (self.first_byte_seconds, self.request_seconds, self.idle_seconds, self.send_seconds)
        return any(seconds is not None for seconds in timed)

    def tell(self, told: Callable[[], None]) -> None:
        """Call `told` after each change: whoever keeps to these limits has to know. Thread: whichever changes one."""
        object.__setattr__(self, "_told", told)

    @staticmethod
    def _told() -> None:
        pass
