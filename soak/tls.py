"""How a server's certificate is checked, for whoever talks to it."""

from __future__ import annotations

import ssl

PARTIAL_CHAIN = ssl.VERIFY_X509_PARTIAL_CHAIN
"""A certificate may be trusted by itself, without the authority that signed it."""


def client_context(*, verify: bool, certificate: str = "") -> ssl.SSLContext:
    """Return the settings of a TLS client.

    `verify` checks the certificate's chain and name by the system's authorities (SSL_CERT_FILE adds others).
    With `certificate`, a PEM file, the server must show that one or one it has signed instead, whatever its
    name: it is a server that soak has started with it. Raises OSError where the file cannot be read,
    `ssl.SSLError` where it is no certificate.
    """
    if verify and certificate:
        context = ssl.create_default_context(cafile=certificate)
        context.check_hostname = False
        context.verify_flags |= PARTIAL_CHAIN
        return context
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
