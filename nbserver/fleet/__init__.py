"""The other end: clients in sibling threads, by hand, by a script, or a program of their own."""

from .client import Client, Target
from .fleet import Fleet, enlist, known_clients, live_clients
from .script import Step, Until, checked, play, until

__all__ = [
    "Client",
    "Fleet",
    "Step",
    "Target",
    "Until",
    "checked",
    "enlist",
    "known_clients",
    "live_clients",
    "play",
    "until",
]
