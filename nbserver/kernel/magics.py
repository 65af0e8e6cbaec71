"""``%%server`` and ``%%client``: the options of a line, given to plain functions."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

from ..errors import UsageError

_SERVER_HELP = (
    "%%server takes --lan, which lets the network connect, --no-snapshot, which keeps the conversation out of the "
    "notebook's file, and nothing else: the program's own text says where it listens"
)
_CLIENT_HELP = "%%client takes --count N, how many clients run the program, from 1 to 200, and --no-snapshot"
_NO_SNAPSHOT = "--no-snapshot"


class Magics:
    """The two magics of one shell.

    Each hands the cell's text to a plain function, so that all they do can be had without them.
    """

    def __init__(self, server: Callable[[str, bool, bool], Any], client: Callable[[str, int, bool], Any]) -> None:
        """Take what they call.

        Args:
        server: Runs a server's program, given its text, whether the network may connect, and whether what is said is
            kept.
        client: Runs a client's program, given its text, how often, and whether what is said is kept.
        """
        self._server = server
        self._client = client

    def register(self, ip: Any) -> None:
        """Make them known to the shell `ip`."""
        ip.register_magic_function(self.server, "cell", "server")
        ip.register_magic_function(self.client, "cell", "client")

    def unregister(self, ip: Any) -> None:
        """Take them away again."""
        for name in ("server", "client"):
            ip.magics_manager.magics["cell"].pop(name, None)

    def server(self, line: str, cell: str) -> Any:
        """Run the cell as a server's program, in a thread beside the notebook.

            %%server [--lan] [--no-snapshot]

        Everything up to and including serve_forever(), unchanged. The cell returns as soon as it listens; run again, it
        replaces its own earlier server and takes over the port. Whatever address the program binds, only this machine's
        clients are let in; with --lan those in the same network as well. With --no-snapshot the notebook does
        not keep what was said.
        """
        words = line.split()
        if not {*words} <= {"--lan", _NO_SNAPSHOT}:
            raise UsageError(f"{line.strip()!r} is not an option: {_SERVER_HELP}")
        return self._server(_below(cell), "--lan" in words, _NO_SNAPSHOT not in words)

    def client(self, line: str, cell: str) -> Any:
        """Run the cell as a client's program, in threads beside the notebook.

            %%client [--count N] [--no-snapshot]

        Each has its own variables and its own console. Run again, it replaces its own earlier clients.
        """
        words = line.split()
        count = parse_count(" ".join(word for word in words if word != _NO_SNAPSHOT))
        return self._client(_below(cell), count, _NO_SNAPSHOT not in words)


def _below(cell: str) -> str:
    """A cell's text with the magic's own line counted, so that lines have the numbers that the notebook shows."""
    return f"\n{cell}"


def parse_count(line: str) -> int:
    """The number in ``--count N`` or ``--count=N``; 1 for an empty line. Raises `UsageError` for anything else."""
    words = line.replace("=", " ").split()
    if not words:
        return 1
    if words[0] not in ("--count", "-n"):
        near = " (did you mean --count?)" if difflib.get_close_matches(words[0], ["--count"]) else ""
        raise UsageError(f"{words[0]!r} is not an option{near}: {_CLIENT_HELP}")
    try:
        (text,) = words[1:]
        count = int(text)
    except ValueError:
        raise UsageError(f"{line.strip()!r} names no number: {_CLIENT_HELP}") from None
    if not 1 <= count <= 200:
        raise UsageError(f"--count {count} is not between 1 and 200: {_CLIENT_HELP}")
    return count
