"""The X.509 proxy that movers show, which somebody else makes and renews."""

from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from dltest.errors import CredentialError
from dltest.model import DLTEST


def check_proxy(file: Path | None, now: datetime | None = None) -> None:
    """A proxy that a storage would refuse says nothing of the storage.

    Raises:
        CredentialError: it cannot be read, or one certificate of its chain has run out.
    """
    if file is None:
        return
    try:
        chain = x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError) as error:
        raise _unusable(f"cannot read the proxy {file} ({type(error).__name__})") from None
    end = min(certificate.not_valid_after_utc for certificate in chain)
    if end <= (now or datetime.now(UTC)):
        raise _unusable(f"the proxy {file} has run out, at {end:%Y-%m-%d %H:%M} UTC; renew it")


def _unusable(message: str) -> CredentialError:
    return CredentialError(
        message, code="proxy-unusable", operation="show a proxy", blame=DLTEST, answered=False
    )
