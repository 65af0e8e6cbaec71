"""nbserver: socket servers that live inside a Jupyter kernel, seen and steered live.

    import nbserver

    server = nbserver.serve(MyHandler, port=8008)     # any socketserver handler; the board appears under the cell
    nbserver.clients(server, 3)                       # three clients in sibling threads, a console each
    server[2].reply("hello")                          # all that the board does, code can do
    server.stop()

What needs Jupyter loads on first use: ``import nbserver`` and ``import nbserver.net`` need nothing but Python.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bothends import Comparison, client_of, explain_error, left_open, who_waits
    from .errors import NbserverError, UsageError
    from .fleet import Client, Fleet, until
    from .kernel import allow_asyncio_run
    from .kernel.doctor import doctor
    from .net import (
        Certificate,
        ChatRoom,
        Connection,
        Conversation,
        Echo,
        Limits,
        PoolMixIn,
        Server,
        observed_class,
        pool,
        servers,
        stop_all,
        take_over,
        throwaway_certificate,
    )
    from .notebook import client, clients, compare, explain, observe, run_client, run_server, serve
    from .widgets import panel

__version__ = "0.1.0"

_HOMES = {
    "notebook": "client clients compare explain observe run_client run_server serve",
    "widgets": "panel",
    "kernel": "allow_asyncio_run doctor",
    "bothends": "Comparison client_of explain_error left_open who_waits",
    "net": "Certificate ChatRoom Connection Conversation Echo Limits Server "
    "PoolMixIn observed_class pool servers stop_all take_over throwaway_certificate",
    "fleet": "Client Fleet until",
    "errors": "NbserverError UsageError",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [
    "Certificate",
    "ChatRoom",
    "Client",
    "Comparison",
    "Connection",
    "Conversation",
    "Echo",
    "Fleet",
    "Limits",
    "NbserverError",
    "PoolMixIn",
    "Server",
    "UsageError",
    "allow_asyncio_run",
    "client",
    "client_of",
    "clients",
    "compare",
    "doctor",
    "explain",
    "explain_error",
    "left_open",
    "observe",
    "observed_class",
    "panel",
    "pool",
    "run_client",
    "run_server",
    "serve",
    "servers",
    "stop_all",
    "take_over",
    "throwaway_certificate",
    "until",
    "who_waits",
]


def __getattr__(name: str) -> Any:
    """A public name, from the module that has it. See PEP 562."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'nbserver' has no attribute {name!r}")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


def load_ipython_extension(ip: Any) -> None:
    """``%load_ext nbserver``."""
    import_module(".notebook", __name__).load(ip)


def unload_ipython_extension(ip: Any) -> None:
    """``%unload_ext nbserver``."""
    import_module(".notebook", __name__).unload(ip)
