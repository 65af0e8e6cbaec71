"""What can be seen only by who knows both ends of a connection: the server's and the client's in the same process."""

from .compare import Comparison
from .links import client_in, client_of, clients_at, connection_of
from .taps import tap_of

__all__ = ["Comparison", "client_in", "client_of", "clients_at", "connection_of", "tap_of"]
