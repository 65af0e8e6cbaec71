"""The board: a hub that mirrors a server into the page, and thin views of it."""

from .hub import Hub, View
from .requests import target_of

__all__ = ["Hub", "View", "target_of"]
