"""Explanations as plain data: nothing here draws, starts a thread or opens a socket."""

from . import stacks
from .lookup import hide, is_hidden, order, supplier

__all__ = ["hide", "is_hidden", "order", "stacks", "supplier"]
