"""Who may come in. The door is asked before a thread is given, the gate in the client's own thread.

The door knows where a client comes from, and says at once; the gate hears the client out: its TLS handshake, its token.
"""

from __future__ import annotations

import os
import secrets
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import tokens
from ..errors import UsageError
from ..text import safe_text
from . import tls
from .certificate import Certificate
from .connection import Connection
from .peer import host_text
from .reach import Zone, peer_zone

if TYPE_CHECKING:
    from .observation import Observation

_TOKEN_SECONDS = 30.0  # a person may have to paste it
_TRIES = 3  # wrong tokens from one address
_TRIED_FROM = 1000  # so many addresses are remembered: one machine may have any number of them
_TRIES_SECONDS = 60.0  # after which they are forgotten: a class may sit behind one address


@dataclass(frozen=True)
class Access:
    """Who may connect to one server.

    Attributes:
        lan: Whether those in the same network may; otherwise only this machine.
        allow_public: Whether everybody may.
        token: What a client's first line must show (`nbserver.tokens`); "" asks for none.
        same_user: Whether only this user may; of a Unix socket (Linux).
        tls: How to speak TLS, or None. A `Certificate` also says how our own clients trust it.
    """

    lan: bool = False
    allow_public: bool = False
    token: str = field(default="", repr=False)  # a notebook may be projected
    same_user: bool = False
    tls: ssl.SSLContext | Certificate | None = None

    @property
    def context(self) -> ssl.SSLContext | None:
        """The server's end of TLS."""
        return self.tls.server if isinstance(self.tls, Certificate) else self.tls

    @property
    def client_context(self) -> ssl.SSLContext | None:
        """The end of a client in this process. It knows the server, so without a `Certificate` it verifies nothing."""
        if self.tls is None:
            return None
        if isinstance(self.tls, Certificate):
            return self.tls.client
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

    def __post_init__(self) -> None:
        """Raises `UsageError` when the token cannot be shown in one line, or the context is none of a server's."""
        if self.token and (not self.token.isprintable() or " " in self.token or not 8 <= len(self.token) <= 200):
            raise UsageError("a token is 8 to 200 characters without blanks; token=True makes one")
        if self.context is not None:
            try:
                self.context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)
            except (AttributeError, ssl.SSLError) as error:
                raise UsageError(
                    "tls is an ssl.SSLContext of a server, such as ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) "
                    f"with a certificate, not {safe_text(repr(self.tls), 80)}"
                ) from error


class Door:
    """Asked for each that knocks. Thread: the accept loop's."""

    def __init__(self, observation: Observation) -> None:
        self._observation = observation
        self._lock = threading.Lock()  # wrong tokens are counted by the clients' threads
        self._wrong: Counter[str] = Counter()
        self._forget_at = 0.0

    def why_not(self, request: Any, peer: Any) -> str:
        """Why this one is not let in; "" lets it in."""
        return (
            self._from_too_far(request, peer)
            or self._another_user(request)
            or self._too_many_tries(peer)
            or self._too_many_from_there(peer)
        )

    def _from_too_far(self, request: Any, peer: Any) -> str:
        access, zone = self._observation.access, peer_zone(request, peer)
        if zone is Zone.MACHINE or access.allow_public or (access.lan and zone is Zone.NETWORK):
            return ""
        return "only this network may connect" if access.lan else "only this machine may connect (lan=True lets more)"

    def _another_user(self, request: Any) -> str:
        if not self._observation.access.same_user:
            return ""
        uid = peer_uid(request)
        return "" if uid in (None, 0, os.geteuid()) else "only the user who started the server may connect"

    def _too_many_tries(self, peer: Any) -> str:
        if not self._wrong:
            return ""
        with self._lock:
            if time.monotonic() > self._forget_at:
                self._wrong.clear()
            return "too many wrong tokens from its address" if self._wrong[host_text(peer)] >= _TRIES else ""

    def _too_many_from_there(self, peer: Any) -> str:
        most = self._observation.limits.max_per_peer
        if most is None:
            return ""
        host = host_text(peer)
        count = sum(host_text(connection.peer) == host for connection in self._observation.live)
        return f"{count} connections from its address are open, the most allowed" if count >= most else ""

    def wrong_token(self, peer: Any) -> None:
        """Somebody at `peer` showed a wrong one."""
        with self._lock:
            if len(self._wrong) >= _TRIED_FROM:
                self._wrong.clear()
            self._wrong[host_text(peer)] += 1
            self._forget_at = time.monotonic() + _TRIES_SECONDS


def peer_uid(sock: Any) -> int | None:
    """Whose process is at the other end of a Unix socket; None where the system does not tell (not Linux)."""
    if not isinstance(sock, socket.socket) or not hasattr(socket, "SO_PEERCRED"):
        return None
    _, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(uid)


class Gate:
    """Asked in the client's thread, before its handler is made. Thread: any; each with its own client."""

    def __init__(self, observation: Observation) -> None:
        self._observation = observation

    def why_not(self, connection: Connection, request: Any) -> str:
        """Why the handler is not to be made for this one; "" lets it in."""
        why = self._no_handshake(connection, request) if isinstance(request, tls.TLSSocket) else ""
        if not why and self._observation.access.token and not connection.is_datagram:
            why = self._no_token(connection, request)
            if why:
                connection.tell_client(why)
        return why

    def _no_handshake(self, connection: Connection, request: tls.TLSSocket) -> str:
        began = time.monotonic()
        try:
            request.do_handshake(self._observation.limits.handshake_seconds)
        except (OSError, ValueError) as error:
            return f"no TLS handshake: {tls.why_failed(error)}"
        milliseconds = (time.monotonic() - began) * 1000
        cipher = (request.cipher() or ("no cipher",))[0]
        connection.notice(f"TLS handshake done in {milliseconds:.0f} ms: {request.version()}, {cipher}")
        return ""

    def _no_token(self, connection: Connection, request: Any) -> str:
        token, deadline = self._observation.access.token, time.monotonic() + _TOKEN_SECONDS
        timeout = request.gettimeout()
        try:
            line, wanted = _line(request, deadline), tokens.hello(token)
            if line == tokens.CHALLENGE_ME:
                nonce = secrets.token_hex(16)
                getattr(request, "send_unseen", request.sendall)(tokens.challenge(nonce))
                line, wanted = _line(request, deadline), tokens.proof(token, nonce)
        except TimeoutError:
            return f"no token within {_TOKEN_SECONDS:g} s"
        except OSError:
            return "it left before it showed a token"
        finally:
            request.settimeout(timeout)
        if tokens.is_right(line, wanted):
            connection.notice("showed the token")
            return ""
        self._observation.door.wrong_token(connection.peer)
        return "wrong token: the first line must be HELLO and the token"


def _line(request: Any, deadline: float) -> bytes:
    """One line, byte by byte, so that nothing of what follows is taken; unseen, since it may hold the token."""
    line = b""
    while not line.endswith(b"\n") and len(line) < tokens.LONGEST_LINE:
        request.settimeout(max(0.001, deadline - time.monotonic()))
        byte = getattr(request, "recv_unseen", request.recv)(1)
        if not byte:
            raise ConnectionResetError
        line += byte
    return line
