"""What a client speaks, told from its first bytes: a browser that was sent to a raw port is named on its row."""

from __future__ import annotations

import re

# RFC 9112: a method is a token, and the request line ends with the version; a proxy's CONNECT and HTTP/2's preface
# ("PRI * HTTP/2.0") look the same. The line may be cut by the reading, so a known method and a space will do.
_HTTP = re.compile(
    rb"(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|TRACE|CONNECT|PRI) [!-~]|[A-Z]{3,20} [!-~]+ HTTP/\d\.\d\r?\n"
)
_TLS = re.compile(rb"\x16\x03[\x00-\x04]..\x01", re.DOTALL)  # RFC 8446: a handshake record that holds a ClientHello
_SSH = re.compile(rb"SSH-\d\.\d+-")  # RFC 4253


def greeting_of(data: bytes) -> str:
    """``"HTTP"``, ``"TLS"`` or ``"SSH"`` where `data`, the first bytes of a client, begins so; otherwise ""."""
    for name, pattern in (("HTTP", _HTTP), ("TLS", _TLS), ("SSH", _SSH)):
        if pattern.match(data):
            return name
    return ""
