"""``input()`` and ``print()`` that know their thread."""

from . import logs
from .connects import Ends
from .console import KEPT_EVENTS, Console, Question
from .program import END_OF_INPUT, Program
from .routing import acquire, also, is_routed, release, routed_getpass, routed_input
from .tap import Tap, recent

__all__ = [
    "END_OF_INPUT",
    "KEPT_EVENTS",
    "Console",
    "Ends",
    "Program",
    "Question",
    "Tap",
    "acquire",
    "also",
    "is_routed",
    "logs",
    "recent",
    "release",
    "routed_getpass",
    "routed_input",
]
