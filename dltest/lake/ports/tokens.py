"""The door to the token issuer."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol

from pydantic import JsonValue, SecretStr

from dltest.model import Trouble, Value


class TokenRequest(Value):
    """What a token shall say, in the words of the WLCG token profile.

    An issuer may grant less than it was asked for (RFC 6749, section 3.3), and most let no client
    choose `lifetime`, `not_before` (from now) or an audience: what counts are the claims of the
    token that it gave. A `renewable` token comes with a refresh token.
    """

    scopes: tuple[str, ...]
    audiences: tuple[str, ...] = ()
    lifetime: timedelta | None = None
    not_before: timedelta | None = None
    renewable: bool = False

    def lacking(self, claims: Mapping[str, JsonValue]) -> list[str]:
        """The storage scopes and audiences that were asked for, and are not among the claims."""
        granted = str(claims.get("scope", "")).split()
        told = claims.get("aud")
        audiences = told if isinstance(told, list) else [told]
        rights = [one for one in self.scopes if one.startswith("storage.")]
        return [
            *(one for one in rights if one not in granted),
            *(f"the audience {one}" for one in self.audiences if one not in audiences),
        ]


class IssuedToken(Value):
    """A token in hand: for headers of requests alone, never for a record. `claims` are evidence.

    `seconds` is how long the issuer took.
    """

    value: SecretStr
    claims: dict[str, JsonValue]
    seconds: float
    refresh: SecretStr | None = None


class NodeHealth(Value):
    """How one node of the issuer does: whether it gives tokens, and which keys it publishes.

    `token_seconds` and `keys_seconds` are None where it did not come to that; `key_ids` are the
    `kid` of its JWKS. `clock_seconds` is how far its clock is ahead of ours.
    """

    node: str
    trouble: Trouble | None = None
    token_seconds: float | None = None
    keys_seconds: float | None = None
    key_ids: tuple[str, ...] = ()
    clock_seconds: float | None = None


class Tokens(Protocol):
    """The token issuer, as a client of it sees it."""

    @property
    def issuer(self) -> str:
        """Its name, as it stands in the claim `iss`."""

    def issue(self, request: TokenRequest) -> IssuedToken:
        """A token by client credentials, fresh from the issuer; its signature is checked."""

    def refresh(self, token: SecretStr) -> IssuedToken:
        """An access token for a refresh token (RFC 6749, section 6)."""

    def revoke(self, token: SecretStr) -> None:
        """End an access or refresh token before its time (RFC 7009)."""

    def nodes(self) -> tuple[str, ...]:
        """The URLs of the servers that do the issuer's work, or its own where none are known."""

    def probe(self, node: str) -> NodeHealth:
        """Ask one node for a token and for its keys; what it does not do is no error."""
