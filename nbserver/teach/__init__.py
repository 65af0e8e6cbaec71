"""Explanations as plain data: nothing here draws, starts a thread or opens a socket."""

from . import stacks
from .classmap import ClassMap, explain
from .lookup import hide, is_hidden, mro_of, order, supplier
from .values import attributes_of, class_name, first_of, shown, type_name

__all__ = [
    "ClassMap",
    "attributes_of",
    "class_name",
    "explain",
    "first_of",
    "hide",
    "is_hidden",
    "mro_of",
    "order",
    "shown",
    "stacks",
    "supplier",
    "type_name",
]
