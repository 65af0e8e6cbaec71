"""The only package that knows IPython and ipykernel."""

from . import bridge
from .bridge import install, view_paths
from .cells import Cell, current_cell, shell
from .doctor import doctor
from .links import client_in, client_of, clients_at, connection_of
from .magics import Magics
from .nested import allow_asyncio_run
from .programs import ServerProgram, compiled, run_text
from .proxy import has_server_proxy
from .report import Report

__all__ = [
    "Cell",
    "Magics",
    "Report",
    "ServerProgram",
    "allow_asyncio_run",
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
