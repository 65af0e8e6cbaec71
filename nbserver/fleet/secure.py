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
        self._socket = context.wrap_socket(sock, server_hostname=name)
        self._socket.setblocking(False)
        self._lock = threading.Lock()

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
                _wait(self._socket, reading=True)
            except ssl.SSLWantWriteError:
                _wait(self._socket, reading=False)

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


def _wait(sock: socket.socket, reading: bool) -> None:
    if hasattr(select, "poll"):
        poll = select.poll()  # not select(): descriptors may be above 1 024
        poll.register(sock, select.POLLIN if reading else select.POLLOUT)
        poll.poll()
    else:
        select.select([sock] if reading else [], [] if reading else [sock], [])


def show_token(sock: Any, token: str) -> None:
    """Prove to the server to know the token, without showing it. Raises `OSError` when the server hangs up."""
    sock.sendall(tokens.CHALLENGE_ME)
    line = b""
    while not line.endswith(b"\n") and len(line) < tokens.LONGEST_LINE:
        byte = sock.recv(1)
        if not byte:
            raise ConnectionAbortedError("the server asks for no token, or has hung up")
        line += byte
    sock.sendall(tokens.proof(token, tokens.nonce_in(line)))
