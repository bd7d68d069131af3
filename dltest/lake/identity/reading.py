"""JSON Web Tokens as those read them who are given them (RFC 7519)."""

import json
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from pydantic import JsonValue

Claims = dict[str, JsonValue]
# What the WLCG profile lets issuers sign with, and what is as good.
ALGORITHMS = ["ES256", "ES384", "RS256", "RS384", "RS512", "PS256"]


class UntrustworthyTokenError(Exception):
    """No token, or not of the one who should have signed it; the message does not hold it."""


class UnknownKeyError(UntrustworthyTokenError):
    """Signed with a key that is not among those that are known."""


def verified_claims(token: str, keys: KeySet) -> Claims:
    """What a token says, once its signature is found good; its times are not looked at."""
    try:
        claims: Claims = jwt.decode(token, keys, ALGORITHMS).claims
    except InvalidKeyIdError:
        raise UnknownKeyError("it is signed with a key that is not published") from None
    except (JoseError, ValueError) as error:
        why = f"its signature cannot be verified ({type(error).__name__})"
        raise UntrustworthyTokenError(why) from None
    return claims


def claims_of(token: str) -> Claims:
    """What a token says, whoever signed it; nothing where only its issuer can read it."""
    try:
        told: Any = json.loads(jws.extract_compact(token.encode()).payload or b"null")
    except (JoseError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
