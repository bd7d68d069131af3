"""Tokens that were given, as the issuer finds them again."""

from dataclasses import dataclass
from typing import Protocol

from authlib.oauth2.rfc6749 import TokenMixin

from dltest.lab.identity.book import Book, Kind
from dltest.lab.identity.holders import Client, Holder
from dltest.lab.identity.profile import Mint


class Issuer(Protocol):
    """What grants and endpoints ask of the server that they belong to."""

    @property
    def book(self) -> Book: ...
    @property
    def mint(self) -> Mint: ...
    def holder(self, subject: str) -> Holder | None: ...


@dataclass(frozen=True, slots=True)
class Given(TokenMixin):
    """A good token: neither run out nor revoked, or it would not be found.

    `name` is what the book knows it by: the `jti` of an access token, or a refresh token itself.
    """

    name: str
    client_id: str
    subject: str
    scope: str
    audiences: tuple[str, ...]
    expires: float | None = None

    @property
    def is_refresh(self) -> bool:
        return self.expires is None

    def check_client(self, client: Client) -> bool:
        return self.client_id == client.client_id

    def get_scope(self) -> str:
        return self.scope

    def is_expired(self) -> bool:
        return False

    def is_revoked(self) -> bool:
        return False


def find_refresh_token(issuer: Issuer, token: str) -> Given | None:
    facts = issuer.book.get(Kind.REFRESH, token)
    if facts is None:
        return None
    return Given(name=token, **{**facts, "audiences": tuple(facts["audiences"])})


def find_access_token(issuer: Issuer, token: str) -> Given | None:
    claims = issuer.mint.read(token)
    if claims is None or issuer.book.get(Kind.REVOKED, claims["jti"]) is not None:
        return None
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    return Given(
        name=claims["jti"],
        client_id=claims["client_id"],
        subject=claims["sub"],
        scope=claims["scope"],
        audiences=tuple(audiences),
        expires=claims["exp"],
    )
