"""What can be seen only by who knows both ends of a connection: the server's and the client's in the same process."""

from .links import client_in, client_of, clients_at, connection_of
from .waits import Wait, Waits, who_waits

__all__ = ["Wait", "Waits", "client_in", "client_of", "clients_at", "connection_of", "who_waits"]
