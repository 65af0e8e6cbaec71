"""Every exception of nbserver.

NbserverError
├── UsageError (ValueError)              what was asked for cannot be had; one sentence says what would do
│   ├── AddressError (OSError)           the address cannot be bound: in use, privileged, not this machine's
│   └── NotListening (ConnectionError)   nothing listens where a client was sent
├── ConnectionEnded (ConnectionError)    the connection has ended, so there is nobody to reply to
├── AlreadyAnswered                      somebody else answered that ``input()`` first
├── Busy                                 the handler is sending; a reply would land inside its message
├── NotReading (TimeoutError)            the client does not read, so the reply could not be sent whole
├── NotHeard (TimeoutError)              what was waited for did not happen in time
└── InputClosed (EOFError)               raised by ``input()`` in a thread whose other end has gone
"""

from __future__ import annotations


class NbserverError(Exception):
    """The root of them all. ``code`` names the error to a view that speaks another language."""

    code = "refused"


class UsageError(NbserverError, ValueError):
    """What was asked for cannot be had. The message is one sentence: what was given, and what would do."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback: the sentence is all that the user needs."""
        return [f"{type(self).__name__}: {self}"]


class AddressError(UsageError, OSError):
    """The address cannot be bound: it is in use, privileged, or not this machine's.

    Attributes:
        errno: The number that the operating system gave.
        address: The address that was asked for, or None.
    """

    def __init__(self, message: str, errno: int | None = None, address: object = None) -> None:
        super().__init__(message)
        self.errno = errno
        self.address = address
        self.message = message

    def __str__(self) -> str:
        return self.message


class NotListening(UsageError, ConnectionError):
    """Nothing listens at the address that a client was sent to."""


class ConnectionEnded(NbserverError, ConnectionError):
    """The connection has ended, so there is nobody to reply to."""

    code = "ended"


class AlreadyAnswered(NbserverError):
    """That ``input()`` was answered by somebody else, or is no longer asked."""

    code = "answered"


class Busy(NbserverError):
    """The handler is in the middle of sending: a reply now would land inside its message."""

    code = "busy"


class NotReading(NbserverError, TimeoutError):
    """The client does not read: the operating system's buffer for it is full, and only a part was sent."""

    code = "full"


class NotHeard(NbserverError, TimeoutError):
    """What was waited for did not happen in time."""


class InputClosed(NbserverError, EOFError):
    """Raised by ``input()`` in a handler or program whose other end has gone. That it ends the handler is no error."""

    code = "ended"
