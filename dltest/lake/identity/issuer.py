"""An OpenID Connect issuer, as a client of it sees it."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import SecretStr

from dltest.errors import CredentialError
from dltest.lake.identity.calls import Form, IssuerCalls, refused, unreachable, untrustworthy
from dltest.lake.identity.reading import (
    Claims,
    UnknownKeyError,
    UntrustworthyTokenError,
    verified_claims,
)
from dltest.lake.ports import IssuedToken, NodeHealth, TokenRequest
from dltest.settings import IdentitySettings

DISCOVERY = ".well-known/openid-configuration"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # RFC 8693
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - RFC 8693, section 3
GET, REVOKE = "get a token", "revoke a token"
PROBED = TokenRequest(scopes=("openid",))


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where an issuer, or one node of it, does what (OpenID Connect Discovery, section 3)."""

    token: str
    keys: str
    revocation: str | None

    @classmethod
    def of(cls, document: Mapping[str, Any], node: str) -> Self:
        """As they are at the node. Raises `KeyError` for what every issuer says."""

        def at_node(url: str) -> str:
            return node.rstrip("/") + url.removeprefix(str(document["issuer"]).rstrip("/"))

        revocation = document.get("revocation_endpoint")
        return cls(
            token=at_node(document["token_endpoint"]),
            keys=at_node(document["jwks_uri"]),
            revocation=at_node(revocation) if revocation else None,
        )


class Issuer:
    """`ports.Tokens` over HTTP. Safe to share between threads."""

    def __init__(self, settings: IdentitySettings) -> None:
        self._settings = settings
        self._calls = IssuerCalls(settings)
        self._endpoints: Endpoints | None = None
        self._keys = KeySet([])

    @property
    def issuer(self) -> str:
        return self._settings.issuer

    def nodes(self) -> tuple[str, ...]:
        return self._settings.nodes or (self.issuer,)

    def issue(self, request: TokenRequest) -> IssuedToken:
        """By client credentials; a renewable one is exchanged for it, as transfer services do."""
        token = self._token(_credentials_form(request))
        if not request.renewable:
            return token
        form = {
            **_form(request),
            "grant_type": EXCHANGE,
            "scope": " ".join((*request.scopes, "offline_access")),
            "subject_token": token.value.get_secret_value(),
            "subject_token_type": ACCESS_TOKEN,
        }
        return self._token(form)

    def refresh(self, token: SecretStr) -> IssuedToken:
        form = {"grant_type": "refresh_token", "refresh_token": token.get_secret_value()}
        return self._token(form)

    def revoke(self, token: SecretStr) -> None:
        where = self._known().revocation
        if where is None:
            raise refused(f"{self.issuer} revokes no tokens", REVOKE)
        self._calls.post(where, {"token": token.get_secret_value()}, REVOKE)

    def probe(self, node: str) -> NodeHealth:
        health = NodeHealth(node=node)
        try:
            endpoints = self._discovered(node)
            begin = time.monotonic()
            keys = self._fetched_keys(endpoints)
            facts = {
                "keys_seconds": time.monotonic() - begin,
                "key_ids": tuple(str(key.kid) for key in keys.keys),
            }
            health = health.model_copy(update=facts)
            value, _, seconds = self._asked(endpoints, _credentials_form(PROBED))
            with self._distrusted():
                claims = self._claims(value, keys)
        except CredentialError as error:
            return health.model_copy(update={"trouble": error.as_trouble()})
        facts = {"token_seconds": seconds, "clock_seconds": _ahead(claims)}
        return health.model_copy(update=facts)

    def _token(self, form: Form) -> IssuedToken:
        value, answer, seconds = self._asked(self._known(), form)
        refresh = answer.get("refresh_token")
        with self._distrusted():
            claims = self._verified(value)
        return IssuedToken(
            value=SecretStr(value),
            claims=claims,
            seconds=seconds,
            refresh=SecretStr(refresh) if isinstance(refresh, str) else None,
        )

    def _asked(self, endpoints: Endpoints, form: Form) -> tuple[str, dict[str, Any], float]:
        begin = time.monotonic()
        answer = self._calls.post(endpoints.token, form, GET)
        seconds = time.monotonic() - begin
        value = answer.get("access_token")
        if not isinstance(value, str):
            raise untrustworthy(f"{endpoints.token} answers without an access token")
        return value, answer, seconds

    def _verified(self, token: str) -> Claims:
        """Keys are asked for anew where it is signed with one that we do not know."""
        try:
            return self._claims(token, self._keys)
        except UnknownKeyError:
            self._keys = self._fetched_keys(self._known())
            return self._claims(token, self._keys)

    def _claims(self, token: str, keys: KeySet) -> Claims:
        claims = verified_claims(token, keys)
        if claims.get("iss") != self.issuer:
            raise UntrustworthyTokenError(f"it says that it is of {claims.get('iss')}")
        return claims

    @contextmanager
    def _distrusted(self) -> Iterator[None]:
        try:
            yield
        except UntrustworthyTokenError as error:
            raise untrustworthy(f"nobody can trust a token of {self.issuer}: {error}") from None

    def _known(self) -> Endpoints:
        if self._endpoints is None:
            self._endpoints = self._discovered(self.issuer)
        return self._endpoints

    def _discovered(self, node: str) -> Endpoints:
        operation = "discover the issuer"
        url = f"{node.rstrip('/')}/{DISCOVERY}"
        document = self._calls.get(url, operation)
        if document.get("issuer") != self.issuer:
            message = f"{url} is of {document.get('issuer')}, not of {self.issuer}"
            raise refused(message, operation, "issuer-mismatch")
        try:
            return Endpoints.of(document, node)
        except KeyError as missing:
            raise unreachable(f"{url} does not say its {missing}", operation) from None

    def _fetched_keys(self, endpoints: Endpoints) -> KeySet:
        operation = "get the issuer's keys"
        document = self._calls.get(endpoints.keys, operation)
        try:
            return KeySet.import_key_set({"keys": document["keys"]})
        except (JoseError, KeyError, ValueError, TypeError):
            raise unreachable(f"{endpoints.keys} answers without keys", operation) from None


def _credentials_form(request: TokenRequest) -> Form:
    return {"grant_type": "client_credentials", **_form(request)}


def _form(request: TokenRequest) -> dict[str, str]:
    """What is asked for. Audiences go by the name that IAM and Rucio use, not by that of RFC 8707.

    `lifetime` and `not_before` are words of the lab's issuer; others have none for it.
    """
    form = {"scope": " ".join(request.scopes)}
    if request.audiences:
        form["audience"] = " ".join(request.audiences)
    for name in ("lifetime", "not_before"):
        if (span := getattr(request, name)) is not None:
            form[name] = f"{span.total_seconds():.0f}"
    return form


def _ahead(claims: Claims) -> float:
    """How far its clock is ahead, from a token just given. Tokens know whole seconds only."""
    issued = claims.get("iat")
    ahead = float(issued) - time.time() if isinstance(issued, int | float) else 0.0
    return 0.0 if -2 < ahead < 1 else ahead
