"""A class's token: who knows it may come in. Words only; who sends them is elsewhere.

The client's first line is ``HELLO <token>``, which anybody can type. A client that does not want to show the token to
whoever listens on the way says ``HELLO ?``, is sent ``PROVE <nonce>``, and answers with `proof`.
"""

from __future__ import annotations

import hmac
import secrets

LONGEST_LINE = 256
"""A line of this exchange is not longer, in bytes, its end included."""

CHALLENGE_ME = b"HELLO ?\n"


def new_token() -> str:
    """128 random bits, as 32 digits and letters a to f."""
    return secrets.token_hex(16)


def hello(token: str) -> bytes:
    """The line that shows the token."""
    return f"HELLO {token}\n".encode()


def challenge(nonce: str) -> bytes:
    """The line that asks for a `proof` over `nonce`."""
    return f"PROVE {nonce}\n".encode()


def nonce_in(line: bytes) -> str:
    """The nonce of a `challenge`; "" if the line is none."""
    word, _, nonce = line.decode("ascii", "replace").strip().partition(" ")
    return nonce if word == "PROVE" else ""


def proof(token: str, nonce: str) -> bytes:
    """The line that proves to know the token without showing it: HMAC-SHA-256 of the nonce, in hex."""
    return hmac.new(token.encode(), nonce.encode(), "sha256").hexdigest().encode() + b"\n"


def is_right(line: bytes, wanted: bytes) -> bool:
    """Whether `line` is the wanted one, line ends aside; takes as long for a wrong one as for a right one."""
    return hmac.compare_digest(line.strip(), wanted.strip())
