"""The tokens of transfers, and what the service asks of their issuer.

As in FTS: the token of a submission says who submits; each file has a token for its source and
one for its destination, and moves with these alone. All are checked when they come, by the
issuer's published keys.
"""

import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Self

import httpx2
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from dltest.lab.transfer_service.configuration import ServiceConfig
from dltest.lab.transfer_service.refusal import RefusedRequest

Claims = dict[str, Any]
_CLAIMS = ("iss", "nbf", "exp", "scope", "aud")
_PATIENCE_SECONDS = 10.0
_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:{}_token"  # noqa: S105 - RFC 8693, section 3


class IssuerError(Exception):
    """The issuer does not answer, or refuses; its own words, and no token."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a transfer, and the refresh token that it was exchanged for."""

    token_id: str
    access_token: str = field(repr=False)
    scope: str
    expires: float
    refresh_token: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, value: str, claims: Claims) -> Self:
        digest = hashlib.sha256(value.encode()).hexdigest()[:16]
        return cls(digest, value, str(claims["scope"]), float(claims["exp"]))

    @property
    def is_held(self) -> bool:
        """Whether its file waits until it has been exchanged for a refresh token."""
        return "offline_access" in self.scope.split() and self.refresh_token is None

    def exchanged(self, refresh_token: str) -> Self:
        return replace(self, refresh_token=refresh_token)


class Issuer:
    """One OpenID Connect issuer. Without a name it knows nobody, and every token is refused."""

    def __init__(self, config: ServiceConfig) -> None:
        self._name = config.issuer
        self._client = (config.client_id, config.client_secret)
        self._http = httpx2.AsyncClient(
            timeout=_PATIENCE_SECONDS, verify=str(config.ca_file) if config.ca_file else True
        )
        self._keys = KeySet([])

    async def learn(self, tokens: Iterable[str]) -> None:
        """Ask for the published keys if one of these tokens is signed by a key yet unknown."""
        known = {key.kid for key in self._keys.keys}
        if self._name and any(_key_id(token) not in known for token in tokens):
            try:
                found = await self._document("jwks_uri")
                self._keys = KeySet.import_key_set(found)
            except (IssuerError, JoseError, ValueError):
                return  # what cannot be verified is refused

    def verified(self, token: str) -> Claims | None:
        """The claims of a token that is good now, whatever it is for."""
        try:
            claims = dict(jwt.decode(token, self._keys).claims)
        except (JoseError, ValueError):
            return None
        is_ours = claims.get("iss") == self._name
        is_now = claims.get("nbf", 0) <= time.time() < claims.get("exp", 0)
        return claims if is_ours and is_now else None

    def transfer_token(self, value: str) -> Token:
        """One that came with a file. Raises `RefusedRequest` in FTS's words."""
        claims = _unverified(value)
        for name in _CLAIMS:
            if name not in claims:
                raise RefusedRequest(f"Token does not contain {_a(name)} claim")
        if claims["iss"] != self._name:
            raise RefusedRequest(f"Transfer access-token has unknown issuer: {claims['iss']}")
        if self.verified(value) is None:
            raise RefusedRequest("Failed to validate access-token")
        return Token.of(value, claims)

    async def exchange(self, token: Token) -> str:
        """A refresh token for it (RFC 8693)."""
        return await self._granted(
            "refresh_token",
            grant_type=_EXCHANGE,
            subject_token=token.access_token,
            subject_token_type=_TOKEN_TYPE.format("access"),
            requested_token_type=_TOKEN_TYPE.format("refresh"),
            scope=token.scope,
        )

    async def renewed(self, token: Token) -> Token:
        """The same token, good for longer (RFC 6749, section 6)."""
        value = await self._granted(
            "access_token", grant_type="refresh_token", refresh_token=token.refresh_token or ""
        )
        expires = float(_unverified(value).get("exp", 0))
        return replace(token, access_token=value, expires=expires)

    async def close(self) -> None:
        await self._http.aclose()

    async def _granted(self, wanted: str, **form: str) -> str:
        endpoint = await self._endpoint("token_endpoint")
        told = await self._json("POST", endpoint, data=form, auth=self._client)
        if wanted not in told:
            raise IssuerError(f"the issuer gave no {wanted}")
        return str(told[wanted])

    async def _document(self, name: str) -> Any:
        return await self._json("GET", await self._endpoint(name))

    async def _endpoint(self, name: str) -> str:
        discovery = f"{self._name}.well-known/openid-configuration"
        return str((await self._json("GET", discovery))[name])

    async def _json(self, method: str, url: str, **options: Any) -> Any:
        try:
            answer = await self._http.request(method, url, **options)
            answer.raise_for_status()
            return answer.json()
        except httpx2.HTTPStatusError as error:
            raise IssuerError(f"{error.response.status_code}: {error.response.text}") from error
        except (httpx2.HTTPError, ValueError) as error:
            raise IssuerError(str(error) or type(error).__name__) from error


def _a(name: str) -> str:
    return f"an {name}" if name[0] in "aeio" else f"a {name}"


def _key_id(token: str) -> str | None:
    try:
        return jws.extract_compact(token.encode()).headers().get("kid")
    except (JoseError, ValueError):
        return None


def _unverified(token: str) -> Claims:
    try:
        told = json.loads(jws.extract_compact(token.encode()).payload)
    except (JoseError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
