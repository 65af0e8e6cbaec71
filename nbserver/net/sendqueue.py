"""How far what was sent has come: Linux tells it of each TCP socket of this machine. Elsewhere it is not known.

``send()`` returns when the system has taken the bytes. From there they go into the peer's system, and from there into
its program, when that calls ``recv()``.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from pathlib import Path
from typing import Any

from . import proc

if sys.platform == "linux":
    import fcntl
    import termios

_ACKNOWLEDGED = 120  # `tcpi_bytes_acked` in struct tcp_info (include/uapi/linux/tcp.h), since Linux 4.1


def taken(sock: socket.socket) -> tuple[int, int] | None:
    """How many bytes the system of a TCP socket's peer has taken, and how many still wait here; None if not known."""
    if sys.platform != "linux":
        return None
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKNOWLEDGED + 8)
        queued = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0" * 4))[0]
        return struct.unpack_from("Q", info, _ACKNOWLEDGED)[0], queued
    except (OSError, ValueError, struct.error):  # closed, no TCP, or an older Linux
        return None


def unread(port: int) -> dict[tuple[str, int], int]:
    """How many bytes each program of this machine that is connected to `port` has not read: by its address.

    Reads the table of all TCP sockets: some milliseconds where there are thousands.
    """
    found: dict[tuple[str, int], int] = {}
    wanted = f":{port:04X} "
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):  # not Linux, or no IPv6
            for line in Path("/proc/net", name).read_text().splitlines()[1:]:
                fields = line.split() if wanted in line else []
                if fields and fields[2].endswith(wanted[:-1]):
                    host, _, own = fields[1].partition(":")
                    found[proc.host_of(host), int(own, 16)] = int(fields[4].partition(":")[2], 16)
    return found


def unread_of(peer: Any, found: dict[tuple[str, int], int]) -> int | None:
    """What the program at address `peer` has not read, among what `unread` has found; None if it is not there."""
    if not isinstance(peer, tuple) or len(peer) < 2:
        return None
    return found.get((str(peer[0]).removeprefix("::ffff:"), peer[1]))
