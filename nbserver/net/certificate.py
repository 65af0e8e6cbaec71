"""A throw-away certificate, for lessons and tests."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from ..errors import UsageError


@dataclass(frozen=True)
class Certificate:
    """A certificate that nobody else trusts, and what the two ends need of it.

    Attributes:
        server: For the server's end, as ``serve(handler, tls=…)`` takes it.
        client: For the client's end; it trusts this certificate and no other.
        authority: The certificate of who signed it, in PEM: what ``curl --cacert`` takes.
    """

    server: ssl.SSLContext
    client: ssl.SSLContext
    authority: bytes


def throwaway_certificate(*names: str) -> Certificate:
    """A new certificate, signed by an authority that is forgotten at once.

    Args:
        *names: Host names and addresses that it is for; ``localhost``, ``127.0.0.1`` and ``::1`` if there are none.

    Raises:
        UsageError: The package trustme is not installed, or a name is none.
    """
    try:
        import trustme
    except ImportError as error:
        raise UsageError("a throw-away certificate needs the package trustme: pip install trustme") from error
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority = trustme.CA()
    try:
        authority.issue_cert(*(names or ("localhost", "127.0.0.1", "::1"))).configure_cert(server)
    except (TypeError, ValueError) as error:
        raise UsageError(f"a certificate is for host names and addresses, not {names!r}: {error}") from error
    authority.configure_trust(client)
    return Certificate(server, client, authority.cert_pem.bytes())
