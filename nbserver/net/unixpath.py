"""The paths of Unix sockets: private ones, and taking away what outlives the socket."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..errors import UsageError

_PREFIX = "nbserver-"


def private_path() -> str:
    """A path for a Unix socket in a new folder that nobody else can enter; `UnixPath.remove` takes both away.

    Raises:
        UsageError: This system has no Unix sockets.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise UsageError("this system has no Unix sockets")
    return os.path.join(tempfile.mkdtemp(prefix=_PREFIX), "server.sock")  # the folder's mode is 0700


@contextlib.contextmanager
def for_this_user_only(address: Any) -> Iterator[None]:
    """Let what is bound to a path be made with mode 0600. Raises `UsageError` when the system did not do so."""
    if not isinstance(address, str) or not address or address.startswith("\0"):
        yield
        return
    before = os.umask(0o177)  # of the whole process, for the moment that bind() takes
    try:
        yield
    finally:
        os.umask(before)
    mode = stat.S_IMODE(os.stat(address).st_mode)
    if mode & 0o077:
        raise UsageError(f"this system lets others open {address!r} (mode {mode:o}): take a path on another disk")


class UnixPath(NamedTuple):
    """Where a Unix socket is bound, and its inode, by which it is told from what another has bound there since."""

    path: str
    inode: int

    @classmethod
    def of(cls, base: Any) -> UnixPath | None:
        """That of a server; None if it has none."""
        address = base.server_address
        if getattr(base, "address_family", None) != getattr(socket, "AF_UNIX", object()) or not address:
            return None
        path = os.path.abspath(address) if isinstance(address, str) else ""
        inode = _inode(path)
        return cls(path, inode) if inode else None

    def remove(self) -> None:
        """Take away the socket's file, if it is still the same, and a folder that `private_path` has made."""
        if _inode(self.path) != self.inode:
            return
        with contextlib.suppress(OSError):  # somebody took it away this moment
            os.unlink(self.path)
            folder = os.path.dirname(self.path)
            if os.path.basename(folder).startswith(_PREFIX):
                os.rmdir(folder)


def _inode(path: str) -> int | None:
    try:
        return os.stat(path).st_ino if path else None
    except OSError:
        return None
