"""Whom dltest trusts over TLS."""

import ssl
from pathlib import Path


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """The authorities of that file alone, or those of the system where none is named."""
    return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
