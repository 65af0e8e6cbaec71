"""Binding an address, and the operating system's refusal put in words."""

from __future__ import annotations

import errno
import socket
from typing import Any

from .. import teach
from ..errors import AddressError, UsageError
from ..text import safe_text
from . import proc, registry
from .observed import observed_class
from .peer import address_text
from .report import StopReport
from .unixpath import for_this_user_only


def bind(server_class: type[Any], address: Any, handler: Any) -> Any:
    """``server_class(address, handler)``, observed, with the operating system's refusal put in words."""
    observed = observed_class(server_class)
    if isinstance(address, str) != (observed.address_family == getattr(socket, "AF_UNIX", object())):
        raise UsageError(
            f"{address_text(address)} is no address for {server_class.__name__}: a path is for the Unix classes, "
            f"such as socketserver.ThreadingUnixStreamServer, and a host and a port are for all others"
        )
    if isinstance(address, tuple) and ":" in str(address[0]) and observed.address_family == socket.AF_INET:
        # An IPv6 address needs the other family; a class attribute, so a subclass of its own carries it.
        observed = observed_class(type(server_class.__name__, (server_class,), {"address_family": socket.AF_INET6}))
    try:
        with for_this_user_only(address):
            return observed(address, handler)
    except OverflowError as error:
        raise AddressError(f"{address_text(address)} cannot be bound: a port is a number from 0 to 65535") from error
    except UnicodeError as error:
        raise AddressError(f"{address_text(address)} cannot be bound: that is no host name") from error
    except OSError as error:
        raise address_error(error, address) from error


def address_error(error: OSError, address: Any) -> AddressError:
    """What the operating system's refusal to bind `address` means, and what would do."""
    where = address_text(address)
    port = address[1] if isinstance(address, tuple) else 0
    if error.errno == errno.EADDRINUSE:
        what = "port (port=0 takes any that is free)" if isinstance(address, tuple) else "path"
        text = f"{where} is in use: {_holder(address)} holds it. Stop that, or take another {what}"
    elif error.errno in (errno.EACCES, errno.EPERM):
        why = "ports below 1024 are for administrators" if 0 < port < 1024 else "this user may not"
        what = "port above 1023 (port=0 takes any that is free)" if isinstance(address, tuple) else "path of your own"
        text = f"{where} may not be bound: {why}. Take a {what}"
    elif isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        host = safe_text(str(address[0]))
        text = f"{where} cannot be bound: {host!r} is not an address of this machine. Use 127.0.0.1"
    else:
        text = f"{where} cannot be bound: {error.strerror or error}"
    return AddressError(text, error.errno, address)


def _holder(address: Any) -> str:
    """Who has it: a server of this notebook, another process, or connections that have just ended."""
    if not isinstance(address, tuple):
        return "another server, or a file of an earlier one,"
    mine = registry.at_port(address[1])
    if mine is not None:
        return f"this notebook's server {mine.address_text}" + (f" (made in {mine.cell})" if mine.cell else "")
    return _in_words(proc.port_holder(address[1]))


def _in_words(holder: teach.Holder) -> str:
    known = {
        "here": "this process",
        "process": f"process {holder.pid} ({holder.name})",
        "user": "a process of another user",
        "waiting": "nobody, but connections that ended less than a minute ago (TIME_WAIT)",
    }
    return known.get(holder.kind, "another program")


def take_over(port: int, grace: float = 2.0) -> StopReport:
    """Stop the server of this notebook that listens on `port`, so that the port can be bound again.

    Args:
        port: The port.
        grace: As for `Server.stop`, in seconds.

    Raises:
        UsageError: Nothing of this notebook's listens there; another program is never stopped.

    Thread: any.
    """
    mine = registry.at_port(port)
    if mine is None:
        raise UsageError(
            f"no server of this notebook listens on port {safe_text(str(port), 20)}, and nothing else is stopped here"
        )
    return mine.stop(grace)


def _holder_of(address: Any) -> teach.Holder:
    mine = registry.at_port(address[1])
    if mine is None:
        return proc.port_holder(address[1])
    return teach.Holder("ours", cell=int("".join(filter(str.isdigit, mine.cell)) or 0))


teach.World.holder = staticmethod(_holder_of)
teach.World.listening = staticmethod(lambda: [server.address_text for server in registry.servers()])
