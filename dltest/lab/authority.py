"""The lab's own certificate authority, and the host certificate all its servers share."""

import hashlib
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dltest.lab.layout import write_atomically

Flaw = Literal["expired", "untrusted", "of-another-host"]

# Storages that must be told apart by host name have an address each (see `lab.storage`).
ADDRESSES = ("127.0.0.1", "127.0.0.5", "127.0.0.6")
LIFE = timedelta(days=825)
RENEW_BEFORE = timedelta(days=30)


class Authority:
    """The files of the authority below one folder."""

    def __init__(self, folder: Path) -> None:
        self.certificate = folder / "ca.pem"
        self.key = folder / "ca.key"
        self.folder = folder / "certificates"
        self.host_certificate = folder / "host.pem"
        self.host_key = folder / "host.key"

    def ensure(self) -> None:
        """Make what is missing or about to expire; whole again after a crash in between."""
        if self._is_good():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        key, certificate = _make_authority()
        host_key, host = _make_host(key, certificate)
        _write_key(self.key, key)
        _write_key(self.host_key, host_key)
        write_atomically(self.folder / f"{subject_hash(certificate.subject)}.0", _pem(certificate))
        write_atomically(self.certificate, _pem(certificate))
        write_atomically(self.host_certificate, _pem(host))

    def host(self, flaw: "Flaw | None" = None) -> tuple[Path, Path]:
        """Certificate and key for a server; with a flaw, such as no client shall accept."""
        if flaw is None:
            return self.host_certificate, self.host_key
        certificate, key = (self.folder / f"host-{flaw}.{kind}" for kind in ("pem", "key"))
        if not certificate.exists():
            host_key, host = self._make_flawed(flaw)
            _write_key(key, host_key)
            write_atomically(certificate, _pem(host))
        return certificate, key

    def _make_flawed(self, flaw: "Flaw") -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        if flaw == "untrusted":
            return _make_host(*_make_authority("an authority that nobody knows"))
        authority_key = serialization.load_pem_private_key(self.key.read_bytes(), None)
        assert isinstance(authority_key, ec.EllipticCurvePrivateKey)  # noqa: S101 - made here
        authority = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        if flaw == "expired":
            return _make_host(authority_key, authority, life=timedelta(days=-1))
        return _make_host(authority_key, authority, host="elsewhere.example")

    def _is_good(self) -> bool:
        if not self.host_certificate.exists():
            return False
        host = x509.load_pem_x509_certificate(self.host_certificate.read_bytes())
        lasts = host.not_valid_after_utc - datetime.now(UTC) > RENEW_BEFORE
        names = host.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        known = {str(one) for one in names.get_values_for_type(x509.IPAddress)}
        return lasts and known >= set(ADDRESSES)


def subject_hash(name: x509.Name) -> str:
    """OpenSSL's hash of a subject, by which it finds `<hash>.0` in a certificate folder.

    The first four bytes, little-endian, of the SHA-1 of the name's canonical encoding: each
    attribute as lower-case UTF8String with runs of spaces made one (X509_NAME_hash).
    """
    canonical = b"".join(_canonical(attribute) for attribute in name)
    digest = hashlib.sha1(canonical, usedforsecurity=False).digest()
    return digest[3::-1].hex()


def _canonical(attribute: x509.NameAttribute[str | bytes]) -> bytes:
    text = " ".join(str(attribute.value).split()).lower().encode()
    oid = _der(0x06, _oid(attribute.oid.dotted_string))
    return _der(0x31, _der(0x30, oid + _der(0x0C, text)))


def _der(tag: int, content: bytes) -> bytes:
    if len(content) > 127:
        raise ValueError("only short names are encoded here")
    return bytes((tag, len(content))) + content


def _oid(dotted: str) -> bytes:
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return bytes((40 * first + second, *rest))


def _make_authority(
    called: str = "dltest lab authority",
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, called)])
    builder = (
        _builder(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
    )
    return key, builder.sign(key, hashes.SHA256())


def _make_host(
    authority_key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    *,
    host: str = "localhost",
    life: timedelta = LIFE,
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    names: list[x509.GeneralName] = [x509.DNSName(host)]
    if host == "localhost":
        names += [x509.IPAddress(ip_address(one)) for one in ADDRESSES]
    uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = (
        _builder(name, authority.subject, key.public_key(), life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
    )
    return key, builder.sign(authority_key, hashes.SHA256())


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    life: timedelta = LIFE,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, now + life) - timedelta(hours=1))
        .not_valid_after(now + life)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_atomically(path, pem.decode(), mode=0o400)
