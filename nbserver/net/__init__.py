"""Sockets and threads, with nothing but Python: the observed, hardened ``socketserver``."""

from .connection import Connection, address_text
from .handlers import ChatRoom, Conversation, Echo
from .observed import Observation, Observed, ObservedSocket, observed_class
from .registry import at_port, servers, stop_all
from .server import Server, StopReport, address_error, bind, listen

__all__ = [
    "ChatRoom",
    "Connection",
    "Conversation",
    "Echo",
    "Observation",
    "Observed",
    "ObservedSocket",
    "Server",
    "StopReport",
    "address_error",
    "address_text",
    "at_port",
    "bind",
    "listen",
    "observed_class",
    "servers",
    "stop_all",
]
