"""What Linux tells about sockets of this machine in ``/proc/net``: who listens, and whether a peer still lives.

Elsewhere there is no such file, and the answer is "not known".
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..teach import Holder

_LISTEN, _TIME_WAIT = 0x0A, 0x06  # include/net/tcp_states.h
_ESTABLISHED, _CLOSE_WAIT = 0x01, 0x08


class Entry(NamedTuple):
    """One line of ``/proc/net/tcp``: the socket's own end, its state, the inode of its file (0: no process has it).

    `far_end` is the other end, as the file has it.
    """

    host: str
    port: int
    state: int
    inode: int
    far_end: str


def host_of(text: str) -> str:
    """The address that the kernel wrote as 32-bit words in the machine's own byte order."""
    words = [int(text[i : i + 8], 16).to_bytes(4, sys.byteorder) for i in range(0, len(text), 8)]
    address = ipaddress.ip_address(b"".join(words))
    return str(getattr(address, "ipv4_mapped", None) or address)


def tcp_entries(port: int) -> Iterator[Entry]:
    """The TCP sockets of this machine's network whose own end is at `port`, as far as ``/proc`` tells."""
    wanted = f":{port:04X} "  # looked for before a line is read in full: after a busy hour there are 30 000 lines
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):  # not Linux, or no IPv6
            for line in Path("/proc/net", name).read_text().splitlines()[1:]:
                if wanted not in line:
                    continue
                fields = line.split()
                host, _, end = fields[1].partition(":")
                if end != f"{port:04X}":
                    continue  # it is the other end's
                yield Entry(host_of(host), port, int(fields[3], 16), int(fields[9]), fields[2])


def is_alive(host: str, port: int, local_host: str, local_port: int) -> bool | None:
    """Whether some process still holds the TCP socket at `host`:`port` that is connected to `local_host`:`local_port`.

    A peer that called ``shutdown(SHUT_WR)`` and one that called ``close()`` look alike from here: both sent a FIN. On
    the same machine the kernel's table tells them apart: what was closed belongs to no file any more.

    Returns:
        None when it is another machine's socket, or this system does not tell.
    """
    try:
        is_here = ipaddress.ip_address(host).is_loopback or host == local_host
    except ValueError:
        return None
    if not is_here or not Path("/proc/net/tcp").exists():
        return None
    # Several sockets may have one port, if they are connected to different places.
    to = f":{local_port:04X}"
    # The table changes while it is read, and a line may be missed: only what is missing twice is not there.
    found = (entry for _ in range(2) for entry in tcp_entries(port) if entry.host == host)
    return any(entry.inode for entry in found if entry.far_end.endswith(to))


def port_holder(port: int) -> Holder:
    """Who keeps TCP port `port` from being bound, as far as that can be told."""
    states = {entry.inode: entry.state for entry in tcp_entries(port)}
    listening = [inode for inode, state in states.items() if state == _LISTEN]
    for inode in listening:
        for pid, name in _processes_with(inode):
            return Holder("here") if pid == os.getpid() else Holder("process", pid=pid, name=name)
    if listening:
        return Holder("user")
    if _TIME_WAIT in states.values():
        return Holder("waiting")
    return Holder()


def backlog(listener: socket.socket) -> int | None:
    """How many clients the system has connected for `listener` that wait to be accepted; None if it does not tell."""
    if not hasattr(socket, "TCP_INFO"):
        return None
    try:
        # Of a listening socket, `tcpi_unacked` in struct tcp_info (include/uapi/linux/tcp.h) is this number.
        info = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 28)
    except OSError:
        return None  # a Unix socket, or closed
    return int(struct.unpack_from("I", info, 24)[0])


def backlog_peers(listener: socket.socket) -> list[tuple[str, int]]:
    """Who waits to be accepted by `listener`, as ``accept()`` would name them: connected, and of no process yet."""
    try:
        host, port = listener.getsockname()[:2]
        own = ipaddress.ip_address(host.partition("%")[0])
    except (OSError, ValueError):
        return []  # closed, or a Unix socket
    waiting = []
    for entry in tcp_entries(port):
        is_ours = own.is_unspecified or entry.host == str(own)
        if is_ours and not entry.inode and entry.state in (_ESTABLISHED, _CLOSE_WAIT):
            far_host, _, far_port = entry.far_end.partition(":")
            text = host_of(far_host)
            is_mapped = "." in text and listener.family == socket.AF_INET6
            waiting.append((f"::ffff:{text}" if is_mapped else text, int(far_port, 16)))
    return list(dict.fromkeys(waiting))  # the table changes while it is read, and a line may come twice


def connected_here(port: int) -> list[int]:
    """The descriptors of this process whose TCP sockets are connected to `port`, as far as the system tells."""
    own: dict[str, int] = {}
    for file in Path("/proc/self/fd").glob("*"):
        with contextlib.suppress(OSError):  # closed meanwhile
            own[os.readlink(file)] = int(file.name)
    wanted, found = f":{port:04X} ", dict[int, None]()  # a line may come twice
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):  # not Linux, or no IPv6
            for line in Path("/proc/net", name).read_text().splitlines()[1:]:
                fields = line.split() if wanted in line else []
                if fields and fields[2].endswith(wanted[:-1]) and f"socket:[{fields[9]}]" in own:
                    found[own[f"socket:[{fields[9]}]"]] = None
    return list(found)


def _processes_with(inode: int) -> Iterator[tuple[int, str]]:
    """Those who have the socket with this inode open, as pairs of pid and name, as far as we may look into them."""
    wanted = f"socket:[{inode}]"
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended, or belongs to somebody else
            if any(os.readlink(file) == wanted for file in (process / "fd").iterdir()):
                yield int(process.name), (process / "comm").read_text().strip()
