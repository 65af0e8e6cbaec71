"""``input()`` and ``print()`` that know their thread."""

from . import logs
from .console import KEPT_EVENTS, Console, Question
from .program import Program
from .routing import acquire, also, is_routed, release, routed_getpass, routed_input

__all__ = [
    "KEPT_EVENTS",
    "Console",
    "Program",
    "Question",
    "acquire",
    "also",
    "is_routed",
    "logs",
    "release",
    "routed_getpass",
    "routed_input",
]
