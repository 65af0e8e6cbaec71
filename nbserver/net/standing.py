"""How one connection stands: what is read of it as a whole. Nothing in here changes anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..states import Activity, ConnectionState, is_over
from ..text import safe_text
from .peer import address_text
from .traffic import Traffic

if TYPE_CHECKING:
    from .limits import Limits
    from .observation import Observation


class Standing(Traffic):
    """Who a connection is with, and where it is in its life.

    Attributes:
        number: Counted from 1 in the order of accepting.
        peer: The other end's address, as the socket gave it.
        opened: When it was accepted, in seconds since 1970.
        note: How it ended, in words, or what the last error was.
        is_datagram: Whether it is a UDP peer, which has no socket of its own.

    What it carries, and how much, is in `Traffic`.
    """

    __slots__ = ("_served_by", "_state", "is_datagram", "note", "opened", "peer")

    def __init__(self, number: int, peer: Any, observation: Observation, is_datagram: bool) -> None:
        super().__init__(number, observation)
        self.peer = peer
        self.is_datagram = is_datagram
        self.opened = self.last
        self.note = ""
        self._state = ConnectionState.ACCEPTED
        self._served_by = 0  # how many threads serve it: one, or for a UDP peer several

    @property
    def state(self) -> ConnectionState:
        """Where it is in its life."""
        return self._state

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return is_over(self._state)

    @property
    def is_settled(self) -> bool:
        """Whether its handler waits: for a person, for the client, or for the system."""
        is_idle = self.is_datagram and not self._served_by
        return is_idle or self.is_over or self.is_waiting or self.activity is not Activity.RUNNING

    @property
    def status(self) -> str:
        """State and activity in the one word that a row shows."""
        if self.is_over:
            return self._state.value
        if self.is_held:
            return "held"
        if self.is_waiting:
            return "waiting"
        return self.activity.value if self._state is ConnectionState.OPEN else self._state.value

    @property
    def is_held(self) -> bool:
        """Whether slow motion holds it before a call."""
        slow = self._observation.slow_motion
        return slow.is_used and slow.is_held(self.number)

    @property
    def mark(self) -> tuple[Any, ...]:
        """Differs from an earlier one when anything that a row shows has changed; cheaper than to look at all of it."""
        question = self.question
        asks = question.number if question is not None else 0
        return (
            self._state,
            self.activity,
            self.is_held,
            self.messages_in,
            self.messages_out,
            self.last,
            asks,
            self.note,
            len(self.cards),
            self.ends_heard,
        )

    @property
    def title(self) -> str:
        """Who it is, how it stands, and how much it carried, in one line that is safe to show."""
        why = f" ({safe_text(self.note, 200)})" if self.note else ""
        carried = f"{self.messages_in} in, {self.messages_out} out, {self.bytes_in + self.bytes_out} B"
        return f"#{self.number} {address_text(self.peer)} {self.status}{why}, {carried}"

    @property
    def limits(self) -> Limits:
        """What its server allows."""
        return self._observation.limits

    @property
    def server_address(self) -> Any:
        """Where its server listens."""
        return self._observation.address

    def __repr__(self) -> str:
        carried = f"{self.bytes_in} B in, {self.bytes_out} B out"
        return f"<Connection #{self.number} {address_text(self.peer)} {self.status}, {carried}>"
