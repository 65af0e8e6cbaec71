"""The client's end of TLS and of a token."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from typing import Any

from .. import tokens


class SecureSocket:
    """A connected socket that speaks TLS, and may be sent to while another thread waits in `recv`.

    OpenSSL's object is used under a lock, and nobody waits for the network while holding it.
    """

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, host: str) -> None:
        """Shake hands. Raises `OSError` when that fails; the time limit is the socket's own."""
        name = host if context.check_hostname else None
        self._timeout = sock.gettimeout()
        self._socket = context.wrap_socket(sock, server_hostname=name)
        self._socket.setblocking(False)
        self._lock = threading.Lock()

    @property
    def plain(self) -> socket.socket:
        """The socket below."""
        return self._socket

    def settimeout(self, seconds: float | None) -> None:
        """As a socket's own."""
        self._timeout = seconds

    def recv(self, size: int) -> bytes:
        """As a blocking socket's own."""
        return bytes(self._patiently(self._socket.recv, size))

    def sendall(self, data: bytes) -> None:
        """As a blocking socket's own. Thread: one at a time."""
        view = memoryview(data)
        while view:
            view = view[self._patiently(self._socket.send, view) :]

    def _patiently(self, call: Any, argument: Any) -> Any:
        while True:
            try:
                with self._lock:
                    return call(argument)
            except ssl.SSLWantReadError:
                _wait(self._socket, True, self._timeout)
            except ssl.SSLWantWriteError:
                _wait(self._socket, False, self._timeout)

    def getsockname(self) -> Any:
        """As a socket's own."""
        return self._socket.getsockname()

    def shutdown(self, how: int) -> None:
        """As a socket's own."""
        socket.socket.shutdown(self._socket, how)  # past the one of TLS, which another thread is using

    def close(self) -> None:
        """As a socket's own."""
        self._socket.close()

    def __enter__(self) -> SecureSocket:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _wait(sock: socket.socket, reading: bool, timeout: float | None) -> None:
    if hasattr(select, "poll"):
        poll = select.poll()  # not select(): descriptors may be above 1 024
        poll.register(sock, select.POLLIN if reading else select.POLLOUT)
        ready = bool(poll.poll(None if timeout is None else timeout * 1000))
    else:
        ready = any(select.select([sock] if reading else [], [] if reading else [sock], [], timeout))
    if not ready:
        raise TimeoutError("timed out")


def show_token(sock: Any, token: str) -> None:
    """Prove to the server to know the token, without showing it. Raises `OSError` when it does not ask for one."""
    sock.sendall(tokens.CHALLENGE_ME)
    line = b""
    while not line.endswith(b"\n") and len(line) < tokens.LONGEST_LINE:
        try:
            byte = sock.recv(1)
        except TimeoutError:
            raise ConnectionAbortedError(
                "it was not asked for a token: it waits in the backlog, or none is wanted"
            ) from None
        if not byte:
            raise ConnectionAbortedError("the server hung up and did not ask for a token")
        line += byte
    sock.sendall(tokens.proof(token, tokens.nonce_in(line)))
