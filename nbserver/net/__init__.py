"""Sockets and threads, with nothing but Python: the observed, hardened ``socketserver``."""

from .binding import address_error, take_over
from .callchain import OFFSET, chain_of
from .certificate import Certificate, throwaway_certificate
from .clock import Clock
from .connection import Connection
from .door import Access
from .faults import KINDS, MOST_FAULTS, Fault, Faults
from .finding import find
from .handlers import ChatRoom, Conversation, Echo
from .limits import Limits
from .listening import listen
from .observation import Observation
from .observed import Observed, observed_class, refuse_forking
from .peer import address_text
from .pools import PoolMixIn, pool
from .reach import Reach, Zone, bound_to
from .registry import also_stop, at_port, servers, stop_all, stop_all_at_exit
from .report import StopReport
from .rules import LONGEST, Rule, Rules
from .savedreplies import SavedReplies
from .server import Server
from .shared import SharedData
from .sockets import ObservedSocket
from .unixpath import private_path

__all__ = [
    "Access",
    "Certificate",
    "Reach",
    "Zone",
    "private_path",
    "refuse_forking",
    "throwaway_certificate",
    "ChatRoom",
    "Clock",
    "Connection",
    "Conversation",
    "Echo",
    "Fault",
    "Faults",
    "KINDS",
    "MOST_FAULTS",
    "Observation",
    "Observed",
    "LONGEST",
    "OFFSET",
    "Limits",
    "ObservedSocket",
    "Rule",
    "Rules",
    "SavedReplies",
    "Server",
    "SharedData",
    "StopReport",
    "PoolMixIn",
    "address_error",
    "also_stop",
    "address_text",
    "bound_to",
    "chain_of",
    "at_port",
    "find",
    "listen",
    "observed_class",
    "pool",
    "servers",
    "stop_all",
    "stop_all_at_exit",
    "take_over",
]
