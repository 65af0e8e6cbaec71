"""What goes wrong between a server and its clients, made to happen on purpose, and undone."""

from .kinds import BOTH, KINDS, Fault, Kind, Parameter
from .lab import MOST_FAULTS, Faults, Lab
from .wire import Wire

__all__ = ["BOTH", "KINDS", "MOST_FAULTS", "Fault", "Faults", "Kind", "Lab", "Parameter", "Wire"]
