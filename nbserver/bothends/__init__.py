"""What can be seen only by who knows both ends of a connection: the server's and the client's in the same process."""

from .cards import explain_error
from .compare import Comparison
from .leftopen import LeftOpen, Open, left_open
from .links import client_in, client_of, clients_at, connection_of
from .loops import two_loops
from .picture import picture_of
from .taps import tap_of
from .waits import Wait, Waits
from .whowaits import who_waits

__all__ = [
    "Comparison",
    "LeftOpen",
    "Open",
    "Wait",
    "Waits",
    "client_in",
    "client_of",
    "clients_at",
    "connection_of",
    "explain_error",
    "left_open",
    "picture_of",
    "tap_of",
    "two_loops",
    "who_waits",
]
