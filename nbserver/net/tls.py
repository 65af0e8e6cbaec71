"""TLS on a connection's socket: the handshake in the client's own thread, with a deadline, and all of it seen.

The records are kept in memory (`ssl.MemoryBIO`) and carried by the socket as any bytes are. So the handler's thread may
be blocked in ``recv`` while somebody else sends a reply, which an `ssl.SSLSocket` does not allow: OpenSSL's object is
used under a lock, and nobody waits for the network while holding it.
"""

from __future__ import annotations

import _socket
import contextlib
import ssl
import threading
import time
from typing import Any

from .. import teach
from .sockets import Seen, seen_recv, seen_send, seen_sendall

_RECORD_BYTES = 16_384  # the most that one record holds (RFC 8446, 5.1)
_RECEIVE_BYTES = 65_536
_RECORDS = {20: "ChangeCipherSpec", 21: "Alert", 23: "encrypted"}
_HANDSHAKES = {
    0: "HelloRequest",
    1: "ClientHello",
    2: "ServerHello",
    4: "NewSessionTicket",
    8: "EncryptedExtensions",
    11: "Certificate",
    12: "ServerKeyExchange",
    13: "CertificateRequest",
    14: "ServerHelloDone",
    15: "CertificateVerify",
    16: "ClientKeyExchange",
    20: "Finished",
}
_WHY = {
    "HTTP_REQUEST": "it speaks plain HTTP, not TLS",
    "WRONG_VERSION_NUMBER": "it does not speak TLS",
    "TLSV1_ALERT_UNKNOWN_CA": "it does not trust the certificate",
    "SSLV3_ALERT_BAD_CERTIFICATE": "it does not accept the certificate",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "it does not accept the certificate",
    "CERTIFICATE_VERIFY_FAILED": "its certificate is not trusted here",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "it showed no certificate",
    "NO_SHARED_CIPHER": "it knows none of the ciphers",
    "UNSUPPORTED_PROTOCOL": "it asks for a version of TLS that is not allowed",
}


def flight_of(data: bytes) -> str:
    """The records in `data`, as people name them: ``ServerHello, ChangeCipherSpec, 4 encrypted``."""
    names: list[str] = []
    encrypted = 0
    while len(data) >= 5:
        kind, size = data[0], int.from_bytes(data[3:5], "big")
        if kind == 22:
            names.append(_HANDSHAKES.get(data[5], "Handshake") if len(data) > 5 else "Handshake")
        elif kind == 23:
            encrypted += 1
        else:
            names.append(_RECORDS.get(kind, "no TLS record"))
            if kind not in _RECORDS:
                break
        data = data[5 + size :]
    return ", ".join(names + ([f"{encrypted} encrypted"] if encrypted else [])) or "part of a record"


def why_failed(error: Exception) -> str:
    """Why a handshake failed, in words."""
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError)):
        return "the client left"
    reason = str(getattr(error, "reason", "") or "")
    return _WHY.get(reason, reason.replace("_", " ").lower() or str(error))


@teach.hide
class TLSSocket(Seen):
    """A connection's socket that speaks TLS. What is counted and kept is the plain text.

    Of `ssl.SSLSocket` it has, besides the socket's own methods: `do_handshake`, ``version()``, ``cipher()``,
    ``getpeercert()``, ``selected_alpn_protocol()``, ``session_reused``, ``context``.
    """

    carry_in = _socket.socket.recv  # what carries the records
    carry_out = _socket.socket.send

    __slots__ = ("_incoming", "_outgoing", "_receiving", "_sending", "_tls", "_using", "connection", "unsent")

    def __init__(self, context: ssl.SSLContext, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._using = threading.Lock()  # OpenSSL's object; never held while waiting
        # Records go out whole and in order, and come in in order: held by one sender, and one receiver, at a time.
        self._sending, self._receiving = threading.RLock(), threading.RLock()
        self.unsent = b""  # of a record, when the socket took a part of it only

    # ── the handshake ──

    def do_handshake(self, seconds: float | None = None) -> None:
        """Shake hands with the client, within `seconds` in all; each flight is noticed in the transcript.

        Raises:
            TimeoutError: It took longer.
            OSError: The client left, or does not speak TLS; `why_failed` says it in words.
        """
        timeout, deadline = self.gettimeout(), None if seconds is None else time.monotonic() + seconds
        try:
            while not self._step():
                self._flush_noticed()
                if deadline is not None:
                    self.settimeout(max(0.001, deadline - time.monotonic()))
                self._fill(noticed=True)
            self._flush_noticed()
        except ssl.SSLError:
            self._flush_noticed()  # the alert says to the client what was wrong
            raise
        finally:
            self.settimeout(timeout)

    def _step(self) -> bool:
        with self._using:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                return False
        return True

    def _flush_noticed(self) -> None:
        with self._sending:
            self.unsent += self._outgoing.read()
            if self.unsent:
                self.connection.notice(f"TLS to the client: {flight_of(self.unsent)} ({len(self.unsent)} bytes)")
                self._flush()

    # ── the work of recv() and send(), which `Seen` counts ──

    def _receive(self, bufsize: int = 1024, flags: int = 0, /) -> bytes:
        if flags:
            raise ValueError("recv() of a TLS socket takes no flags")
        while True:
            with self._receiving:
                data = self._read(bufsize)
                if data is None:
                    self._flush()  # a new key, say, which OpenSSL answers by itself
                    self._fill()
                else:
                    return data

    def _read(self, bufsize: int) -> bytes | None:
        """Plain text that has come already; b"" at the end, None when there is none yet."""
        with self._using:
            try:
                return self._tls.read(bufsize)
            except ssl.SSLWantReadError:
                return None
            except (
                ssl.SSLZeroReturnError,
                ssl.SSLEOFError,
            ):  # with and without "close notify", as `ssl.SSLSocket` does
                return b""

    def _fill(self, noticed: bool = False) -> None:
        """Wait for more records."""
        data = self.carry_in(_RECEIVE_BYTES)
        if noticed and data:
            self.connection.notice(f"TLS from the client: {flight_of(data)} ({len(data)} bytes)")
        with self._using:
            if data:
                self._incoming.write(data)
            else:
                self._incoming.write_eof()

    def _send(self, data: Any, flags: int = 0, /) -> int:
        with self._sending:
            size = self._encrypt(memoryview(data).cast("B")[:_RECORD_BYTES])
            self._flush()
            return size

    def _send_all(self, data: Any, flags: int = 0, /) -> None:
        view = memoryview(data).cast("B")
        with self._sending:
            while view:
                view = view[self._send(view) :]

    def _encrypt(self, view: memoryview) -> int:
        if not view:
            return 0
        with self._using:
            size = self._tls.write(view)
            self.unsent += self._outgoing.read()
        return size

    def _flush(self, flags: int = 0) -> None:
        with self._sending:
            self.unsent += self._outgoing.read()
            while self.unsent:
                self.unsent = self.unsent[self.carry_out(self.unsent, flags) :]

    def push(self, data: Any, flags: int) -> int:
        """Send a part of `data` at once, uncounted; what of a record does not fit now goes before the next one.

        Raises:
            BlockingIOError: Nothing fits, or the handler is sending.
        """
        if not self._sending.acquire(blocking=False):
            raise BlockingIOError
        try:
            self._flush(flags)
            size = self._encrypt(memoryview(data).cast("B")[:_RECORD_BYTES])
            with contextlib.suppress(BlockingIOError):
                self._flush(flags)
            return size
        finally:
            self._sending.release()

    recv_unseen, send_unseen = _receive, _send_all
    recv = seen_recv(_receive)
    send = seen_send(_send)
    sendall = seen_sendall(_send_all)

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """As the socket's own; seen."""
        view = memoryview(buffer).cast("B")
        data = self.recv(min(nbytes or len(view), len(view)), flags)
        view[: len(data)] = data
        return len(data)

    def _past_tls(self, *args: Any) -> Any:
        """Messages of the socket's own would go past TLS. Raises `NotImplementedError`, as an `ssl.SSLSocket` does."""
        raise NotImplementedError("recvmsg() and sendmsg() go past TLS: use recv() and send()")

    recvmsg = recvmsg_into = sendmsg = _past_tls  # type: ignore[assignment]

    # ── the end, and what `ssl.SSLSocket` tells ──

    def shutdown(self, how: int) -> None:
        """As the socket's own, with "close notify" before it."""
        if how != _socket.SHUT_RD and self._sending.acquire(blocking=False):
            try:
                with contextlib.suppress(OSError, ValueError), self._using:
                    self._tls.unwrap()
                with contextlib.suppress(OSError):
                    self._flush(getattr(_socket, "MSG_DONTWAIT", 0))
            finally:
                self._sending.release()
        super().shutdown(how)

    def __getattr__(self, name: str) -> Any:
        if name in ("version", "cipher", "getpeercert", "selected_alpn_protocol", "session_reused", "context"):
            return getattr(self._tls, name)
        raise AttributeError(f"a TLS socket of nbserver has no attribute {name!r}")
