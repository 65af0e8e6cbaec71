"""What this machine lets the kernel have, and who else works on it; read from files, as far as there are any.

Each function takes the folder to read below, ``/`` for the machine itself: a test writes a small one of its own.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_PEOPLE = range(1000, 60_000)  # the numbers that systems give to people's accounts, and not to services
_MACHINE = Path("/")


class Limit(NamedTuple):
    """How many there may be: threads, those of other processes included; or file descriptors.

    Attributes:
        whose: Who shares them, in words.
        used: How many there are, as far as this process can see.
        most: How many there may be.
    """

    whose: str
    used: int
    most: int

    @property
    def left(self) -> int:
        """How many more there may be."""
        return max(0, self.most - self.used)

    def __str__(self) -> str:
        return f"{self.whose} has {self.used} of at most {self.most}"


def container_limit(root: Path = _MACHINE) -> Limit | None:
    """The tightest limit that a control group sets on this process, or one that holds it; None where none does."""
    limits = []
    for folder in _pids_folders(root):
        most = _text(folder / "pids.max").strip()
        if most.isdecimal():  # else "max", or the file is not there
            used = _text(folder / "pids.current").strip()
            limits.append(Limit("this container or session", int(used) if used.isdecimal() else 0, int(most)))
    return min(limits, key=lambda limit: limit.left, default=None)


def _pids_folders(root: Path) -> Iterator[Path]:
    """The folders of this process's control group and of all that hold it; both versions may be there."""
    paths = {}
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if "pids" in controllers.split(","):
            paths["cgroup"] = path
        elif not controllers:
            paths["cgroup2"] = path
    for line in _text(root / "proc/self/mountinfo").splitlines():
        mount, _, what = line.partition(" - ")
        kind, *_, options = what.split()
        if kind in paths and (kind == "cgroup2" or "pids" in options.split(",")):
            shown, at = mount.split()[3:5]  # which group is seen there, and where
            inside = paths[kind].removeprefix(shown).lstrip("/")
            place = root / at.lstrip("/")
            yield place
            # In a container the path may be told as it is seen from outside: then its own group is the one shown.
            folder = place / inside
            while folder != place and ".." not in folder.parts:
                yield folder
                folder = folder.parent


def user_limit(root: Path = _MACHINE) -> Limit | None:
    """What this user may have on the whole machine (``ulimit -u``); None where that is not limited, or not told."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    if most == resource.RLIM_INFINITY:
        return None
    return Limit("this user", sum(threads for uid, threads in _processes(root) if uid == os.getuid()), most)


def _processes(root: Path) -> Iterator[tuple[int, int]]:
    """The number of the user and the number of threads of each process that can be seen."""
    for file in (root / "proc").glob("[0-9]*/status"):
        uid = re.search(r"^Uid:\s*(\d+)", status := _text(file), re.MULTILINE)
        threads = re.search(r"^Threads:\s*(\d+)", status, re.MULTILINE)
        if uid and threads:  # else it has ended
            yield int(uid[1]), int(threads[1])


def descriptor_limit() -> tuple[Limit, int] | None:
    """How many files and sockets this process may have open, and to how many it may raise that; None if unlimited."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return None
    return Limit("this kernel", len(list(Path("/dev/fd").iterdir())), soft), hard


def other_people(root: Path = _MACHINE) -> list[str]:
    """The accounts of people other than this user who have a home or a process on this machine; sorted."""
    names, found = {}, {uid for uid, _ in _processes(root)}
    for line in _text(root / "etc/passwd").splitlines():
        fields = line.split(":")
        if len(fields) == 7 and fields[2].isdecimal():  # else a comment, or a line for the network's accounts
            names[int(fields[2])] = fields[0]
            if (root / fields[5].strip("/")).is_dir():
                found.add(int(fields[2]))
    own = os.getuid() if hasattr(os, "getuid") else -1
    return sorted(names.get(uid, f"user {uid}") for uid in found if uid in _PEOPLE and uid != own)


def has_ipv6() -> bool:
    """Whether a server can listen on ``::1``."""
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except (OSError, AttributeError):
        return False
    return True


def _text(path: Path) -> str:
    """What a file says; "" where there is none."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
