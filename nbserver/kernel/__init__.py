"""The only package that knows IPython and ipykernel."""

from . import bridge, cellcards, ending, roundtrip
from .bridge import install, view_paths
from .cells import Cell, current_cell, shell
from .doctor import doctor
from .magics import Magics
from .nested import allow_asyncio_run
from .outputs import Output
from .programs import ServerProgram, compiled, run_text
from .proxy import has_server_proxy
from .report import Finding, Report

__all__ = [
    "Cell",
    "Finding",
    "Magics",
    "Output",
    "Report",
    "ServerProgram",
    "allow_asyncio_run",
    "compiled",
    "current_cell",
    "doctor",
    "has_server_proxy",
    "install",
    "bridge",
    "cellcards",
    "ending",
    "roundtrip",
    "run_text",
    "shell",
    "view_paths",
]
