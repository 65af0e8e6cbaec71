"""The only package that knows IPython and ipykernel."""

from . import bridge
from .bridge import install, view_paths
from .cells import Cell, current_cell, shell
from .doctor import Report, doctor
from .links import client_in, client_of, clients_at, connection_of
from .magics import Magics
from .nested import allow_nested_asyncio
from .programs import ServerProgram, compiled, run_text
from .proxy import has_server_proxy

__all__ = [
    "Cell",
    "Magics",
    "Report",
    "ServerProgram",
    "allow_nested_asyncio",
    "client_in",
    "client_of",
    "clients_at",
    "compiled",
    "connection_of",
    "current_cell",
    "doctor",
    "has_server_proxy",
    "install",
    "bridge",
    "run_text",
    "shell",
    "view_paths",
]
