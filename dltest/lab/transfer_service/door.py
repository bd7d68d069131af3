"""Who is at the door: a request, and whom its bearer token makes its sender."""

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import Request

from dltest.lab.transfer_service.configuration import ServiceConfig
from dltest.lab.transfer_service.identity import NOBODY, Identity
from dltest.lab.transfer_service.tokens import Claims, Issuer

_BEARER = "Bearer "
# The WLCG profile's audience of a token that is good everywhere.
_ANYWHERE = "https://wlcg.cern.ch/jwt/v1/any"


class Door:
    """As FTS: a token that is not good makes its bearer nobody, and no error."""

    def __init__(self, config: ServiceConfig, issuer: Issuer) -> None:
        self._issuer = issuer
        self._vo = config.vo
        self._certified = Identity(config.user_dn, config.vo)
        self._audiences = {*config.audiences, _ANYWHERE}

    async def user(self, request: Request) -> Identity:
        said = request.headers.get("authorization", "")
        if not said.startswith(_BEARER):
            return self._certified
        token = said.removeprefix(_BEARER)
        await self._issuer.learn([token])
        claims = self._issuer.verified(token)
        if claims is None or not self._is_meant(claims):
            return NOBODY
        return Identity.of_token(token, claims, self._vo)

    async def learn(self, body: Mapping[str, Any]) -> None:
        """The keys by which the tokens of a submission can be verified."""
        await self._issuer.learn(_tokens_in(body))

    def _is_meant(self, claims: Claims) -> bool:
        """Whether the token is made out to this service."""
        named = claims.get("aud", ())
        return bool(self._audiences & set([named] if isinstance(named, str) else named))


def _tokens_in(body: Mapping[str, Any]) -> Iterator[str]:
    entries = body.get("files")
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict):
            for name in ("source_tokens", "destination_tokens"):
                yield from map(str, entry.get(name) or ())
