"""What can be seen only by who knows both ends of a connection: the server's and the client's in the same process."""

from .cards import explain_error
from .compare import Comparison
from .links import client_in, client_of, clients_at, connection_of

__all__ = ["Comparison", "client_in", "client_of", "clients_at", "connection_of", "explain_error"]
