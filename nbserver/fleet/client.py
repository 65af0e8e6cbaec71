"""One client: a socket, a thread that hears, and a console to speak from."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from ..console import Ends, Program
from ..errors import ConnectionEnded, NotHeard, NotListening, UsageError
from ..events import KEPT_BYTES, Kind, new_event, text_event
from ..text import Decoder, safe_text
from .script import Step, checked, play
from .secure import SecureSocket, show_token

_CONNECT_SECONDS = 5.0
_RECEIVE_BYTES = 65_536


class Target(NamedTuple):
    """Where a client connects to.

    Attributes:
        address: ``(host, port)``, or a Unix socket's path.
        family: `socket.AF_INET`, `socket.AF_INET6`, or `socket.AF_UNIX`.
        type: `socket.SOCK_STREAM` or `socket.SOCK_DGRAM`.
        tls: How to speak TLS there, or None.
        token: What the server asks for first, or "".
    """

    address: Any
    family: int = socket.AF_INET
    type: int = socket.SOCK_STREAM
    tls: ssl.SSLContext | None = None
    token: str = ""

    @classmethod
    def at(cls, address: Any) -> Target:
        """The target at an address that somebody wrote down. Raises `UsageError` when it is none."""
        if isinstance(address, str) and "/" in address:
            return cls(address, socket.AF_UNIX)
        if not (isinstance(address, tuple) and list(map(type, address)) == [str, int]):
            raise UsageError(
                "a client's target is a Server, an address such as ('127.0.0.1', 8008), the path of a Unix socket, "
                f"or a function to run, not {safe_text(repr(address), 80)}"
            )
        return cls(address, socket.AF_INET6 if ":" in str(address[0]) else socket.AF_INET)

    def __str__(self) -> str:
        return safe_text(":".join(map(str, self.address)) if isinstance(self.address, tuple) else str(self.address))


class Client(Program):
    """Connects to a target, hears in a thread of its own, and says what it is told to.

    Call, from any thread: `say`, `hear`, `end_input`, `close`, `run_again`. What is typed into its console is said.

    Attributes:
        number: Which client of this process, counted from 1; free numbers are given again.
        target: Where it is connected to.
    """

    def __init__(self, number: int, target: Target, script: Iterable[Step] = ()) -> None:
        """Connect.

        Args:
            number: See the class.
            target: See the class.
            script: What it says by itself, from its start on.

        Raises:
            NotListening: Nothing listens there.
            UsageError: The address is none, or the script holds something that is no step.
        """
        super().__init__(number, self._listen, f"client {number}")
        self.target = target
        self._script = checked(script)
        self._player: threading.Thread | None = None
        # Several may speak at once: the person, a script, a cell. What each says arrives in one piece.
        self._speaking = threading.Lock()
        self._prepare()

    def start(self) -> None:
        """Start to hear, and to follow its script. Raises `RuntimeError` when the system has no more threads."""
        super().start()
        if self._script:
            self._player = play(self, self._script)

    def _settle(self) -> None:
        if self._player is not None:
            self._player.join()  # its client has ended, which ends every wait in it

    def _prepare(self) -> None:
        self._decoder = Decoder()
        self._heard: list[str] = []
        self._socket = _connect(self.target)
        self.connected(Ends(self._socket.getsockname(), self.target.address))
        self._tap = self.taps[-1]  # told what is said and heard: of TLS that is more than a socket sees

    @property
    def open_sockets(self) -> list[tuple[socket.socket, int]]:
        """Its socket while that is open, with the number of the run that made it."""
        sock = self._socket.plain if isinstance(self._socket, SecureSocket) else self._socket
        return [(sock, self.runs)] if sock.fileno() >= 0 else []

    def say(self, text: str) -> None:
        """Send `text` in UTF-8, as it is: no line end is added.

        Raises:
            ConnectionEnded: The connection has ended.
        """
        data = text.encode("utf-8", "surrogateescape")
        with self._speaking:
            if self._is_closing or self.has_ended:
                raise ConnectionEnded(f"client {self.number} is not connected any more")
            # Told first: the other side may answer before this thread runs again.
            self._tell(new_event((Kind.SENT, time.time(), self.number, data[:KEPT_BYTES], len(data))))
            began = time.time()
            try:
                self._socket.sendall(data)
                self._tap.said(data, len(data), began, "sendall")
            except OSError as error:
                raise ConnectionEnded(f"client {self.number} could not send: {error}") from error

    def hear(self, timeout: float | None = 5.0) -> str:
        """The text that has come since the last time; waits for it if there is none.

        Args:
            timeout: In seconds; None waits for ever.

        Raises:
            NotHeard: Nothing came in time.
            ConnectionEnded: Nothing came, and nothing will: the other side has closed.
        """
        self._journal.wait_for(lambda: self._heard or self.has_ended, timeout)
        pieces, self._heard = self._heard, []
        if pieces:
            return "".join(pieces)
        if self.has_ended:
            raise ConnectionEnded(f"client {self.number} hears no more: the connection has ended")
        raise NotHeard(f"client {self.number} has heard nothing within {timeout} s")

    def remark(self, text: str) -> None:
        """Write a line into its console that nobody has sent: what became of it. Thread: any."""
        self._tell(text_event(Kind.PRINTED, time.time(), self.number, text), announce=True)

    def close(self) -> None:
        """Close the connection. Thread: any; doing it twice is doing it once."""
        self._is_closing = True
        with contextlib.suppress(OSError):  # the other side was faster
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that hears
        self.close_input("the client was closed")

    def end_input(self) -> None:
        """Close its sending side: the server reads the end, and can still answer.

        Raises:
            ConnectionEnded: The connection has ended.
            UsageError: It sends datagrams, which have no end.
        """
        if self.target.type != socket.SOCK_STREAM:
            raise UsageError("datagrams have no end that could be sent")
        if self._is_closing or self.has_ended:
            raise ConnectionEnded(f"client {self.number} is not connected any more")
        self._tell(text_event(Kind.NOTICE, time.time(), self.number, "closed its sending side"), announce=True)
        with contextlib.suppress(OSError):  # the other side was faster
            self._socket.shutdown(socket.SHUT_WR)

    def _nobody_asks(self, text: str) -> bool:
        return False

    def answer(self, text: str, ask: int = 0) -> bool:
        """What was typed into its console: it is said."""
        self.say(text)
        return True

    def _listen(self) -> None:
        """The thread: hear until the end."""
        self._tell(text_event(Kind.OPENED, time.time(), self.number, str(self.target)), announce=True)
        with self._socket:
            while True:
                try:
                    data = self._socket.recv(_RECEIVE_BYTES)
                except OSError as error:
                    if not self._is_closing:
                        self.remark(f"({error.strerror or error})")
                    return
                if not data and self.target.type == socket.SOCK_STREAM:
                    if not self._is_closing:
                        self._tell(new_event((Kind.EOF, time.time(), self.number, b"", 0)))
                    return
                if self._is_closing:
                    return
                self._tap.heard(data, len(data), "recv")
                if text := self._decoder.feed(data):  # half a character is nothing to hear yet
                    self._heard.append(text)
                event = new_event((Kind.RECEIVED, time.time(), self.number, data[:KEPT_BYTES], len(data)))
                self._tell(event, announce=True)

    @property
    def title(self) -> str:
        """Which one, and where it is connected to, in one line that is safe to show."""
        return f"client {self.number} of {self.target}, {'ended' if self.has_ended else 'connected'}"

    def __repr__(self) -> str:
        return f"<Client {self.number} of {self.target}, {'ended' if self.has_ended else 'connected'}>"


def _connect(target: Target) -> socket.socket | SecureSocket:
    """A connected socket; the operating system's refusal put in words."""
    try:
        sock = socket.socket(target.family, target.type)
    except OSError as error:  # no descriptor left
        raise UsageError(f"{target} cannot be connected to: {error}") from error
    try:
        sock.settimeout(_CONNECT_SECONDS)
        if target.family == getattr(socket, "AF_UNIX", None) and target.type == socket.SOCK_DGRAM:
            sock.bind("")  # an abstract name of its own (Linux): a datagram server has nobody to answer otherwise
        sock.connect(target.address)
        ready = sock if target.tls is None else SecureSocket(sock, target.tls, str(target.address[0]))
        if target.token:
            show_token(ready, target.token)
        ready.settimeout(None)
        return ready
    except (OSError, OverflowError, UnicodeError, ValueError) as error:
        sock.close()
        if isinstance(error, (ConnectionRefusedError, FileNotFoundError, TimeoutError)):
            raise NotListening(f"nothing listens on {target}: start a server there first") from error
        raise UsageError(f"{target} cannot be connected to: {error}") from error
