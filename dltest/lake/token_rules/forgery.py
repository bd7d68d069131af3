"""What people without the issuer's key make of a token that they have."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

Claims = Mapping[str, Any]

WRONG_ISSUER = "https://issuer.dltest.invalid/"
OTHER_VO_ISSUER = "https://other-vo.dltest.invalid/"
UNKNOWN_KEY_ID = "dltest-unknown-key"


class Forgery(StrEnum):
    """How it was tampered with; each is signed by nobody, or by a key of our own."""

    GARBAGE = "garbage"
    ALG_NONE = "alg-none"
    BAD_SIGNATURE = "bad-signature"
    ALTERED_CLAIMS = "altered-claims"
    UNKNOWN_KEY = "unknown-key"
    BORROWED_KEY_ID = "borrowed-key-id"
    WRONG_ISSUER = "wrong-issuer"
    OTHER_VO = "other-vo"


def forged(token: str, how: Forgery, scope: str) -> str:
    """The token as the forger would show it; `scope` is what ALTERED_CLAIMS writes into it."""
    if how is Forgery.GARBAGE:
        return "garbage"
    header, claims, signature = parts(token)
    if how is Forgery.ALG_NONE:
        return f"{_pack({'alg': 'none', 'typ': 'JWT'})}.{_pack(claims)}."
    if how is Forgery.BAD_SIGNATURE:
        return _joined(header, claims, bytes([signature[0] ^ 1, *signature[1:]]))
    if how is Forgery.ALTERED_CLAIMS:
        return _joined(header, {**claims, "scope": scope}, signature)
    key_id = UNKNOWN_KEY_ID if how is Forgery.UNKNOWN_KEY else header.get("kid")
    return _signed({**claims, **_SWAPPED.get(how, {})}, key_id)


_SWAPPED: dict[Forgery, Claims] = {
    Forgery.WRONG_ISSUER: {"iss": WRONG_ISSUER},
    Forgery.OTHER_VO: {"iss": OTHER_VO_ISSUER, "wlcg.groups": ["/other-vo"]},
}


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """Header, claims and signature of a JWT in its compact form, unchecked."""
    header, claims, signature = token.split(".")
    return json.loads(_decoded(header)), json.loads(_decoded(claims)), _decoded(signature)


def _signed(claims: Claims, key_id: str | None) -> str:
    """Signed by a key that nobody publishes."""
    header = {"alg": "ES256", "typ": "JWT", **({"kid": key_id} if key_id else {})}
    return jwt.encode(header, dict(claims), ECKey.generate_key("P-256"))


def _joined(header: Claims, claims: Claims, signature: bytes) -> str:
    return f"{_pack(header)}.{_pack(claims)}.{_encoded(signature)}"


def _pack(document: Claims) -> str:
    return _encoded(json.dumps(document, separators=(",", ":")).encode())


def _encoded(octets: bytes) -> str:
    """Base64url without padding (RFC 7515, 2)."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
