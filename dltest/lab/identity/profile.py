"""Tokens of the WLCG profile: what they claim, how they are signed, and how they are read again."""

import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key

from dltest.lab.identity.configuration import NodeConfig
from dltest.lab.identity.holders import Client, Holder
from dltest.lab.identity.keys import ALGORITHM, ensure_keys, new_key

ANY_AUDIENCE = "https://wlcg.cern.ch/jwt/v1/any"
LIFETIME_SECONDS = 3600.0
LONGEST_SECONDS = 86400.0
GROUPS = "wlcg.groups"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a request may choose of its token: audiences, and, of this issuer alone, its times."""

    audiences: tuple[str, ...] = ()
    lifetime: float = LIFETIME_SECONDS
    not_before: float = 0.0

    @classmethod
    def of(cls, form: Mapping[str, str], resources: Iterable[str] = ()) -> Self:
        """From a token request: `audience` may hold several, each `resource` (RFC 8707) is one.

        Raises `ValueError` for times that are not numbers.
        """
        lifetime = float(form.get("lifetime") or LIFETIME_SECONDS)
        return cls(
            audiences=(*form.get("audience", "").split(), *resources),
            lifetime=min(max(lifetime, 1.0), LONGEST_SECONDS),
            not_before=float(form.get("not_before") or 0.0),
        )

    def or_for(self, audiences: tuple[str, ...]) -> "Wishes":
        """For these audiences, where the request names none."""
        return self if self.audiences else replace(self, audiences=audiences)


class Mint:
    """Makes and reads the tokens of one node."""

    def __init__(self, config: NodeConfig) -> None:
        self._config = config
        self._unpublished = new_key()

    def now(self) -> float:
        """By the clock of this node, which may be wrong."""
        return time.time() + self._config.clock_seconds

    def access_token(self, client: Client, holder: Holder, scope: str, wishes: Wishes) -> str:
        begin = int(self.now() + wishes.not_before)
        config = self._config
        audiences = (config.audience,) if config.audience else wishes.audiences or (ANY_AUDIENCE,)
        claims = {
            "wlcg.ver": "1.0",
            "iss": self._config.issuer,
            "sub": holder.subject,
            "aud": audiences[0] if len(audiences) == 1 else list(audiences),
            "scope": self.granted(scope),
            "client_id": client.client_id,
            "iat": int(self.now()),
            "nbf": begin,
            "exp": begin + int(config.lifetime_seconds or wishes.lifetime),
            "jti": str(uuid.uuid4()),
        }
        if groups := claimed_groups(scope, holder.groups):
            claims[GROUPS] = groups
        return self.sign(claims, "at+jwt")

    def granted(self, scope: str) -> str:
        """Less than was asked for, where this node withholds something."""
        asked = scope.split()
        return " ".join(one for one in asked if one.partition(":")[0] not in self._config.withheld)

    def sign(self, claims: dict[str, Any], kind: str = "JWT") -> str:
        key = self._key()
        return jwt.encode({"alg": ALGORITHM, "typ": kind, "kid": key.kid}, claims, key)

    def read(self, token: str) -> dict[str, Any] | None:
        """The claims of a token that this issuer has signed and that is good at this time."""
        try:
            decoded = jwt.decode(token, ensure_keys(self._config.folder), [ALGORITHM])
        except (JoseError, ValueError):
            return None
        claims = decoded.claims
        is_ours = claims.get("iss") == self._config.issuer
        return claims if is_ours and claims["nbf"] <= self.now() < claims["exp"] else None

    def _key(self) -> Key:
        first, following, *_ = ensure_keys(self._config.folder).keys
        match self._config.signing:
            case "first":
                return first
            case "next":
                return following
            case "unpublished":
                return self._unpublished


def claimed_groups(scope: str, held: tuple[str, ...]) -> list[str]:
    """The groups that the scopes ask for: `wlcg.groups` all, `wlcg.groups:/name` that one."""
    asked = [one.partition(":")[2] for one in scope.split() if one.partition(":")[0] == GROUPS]
    named = [group for group in asked if group in held]
    return [*named, *(group for group in held if "" in asked and group not in named)]


def is_covered(scope: str, held: str) -> bool:
    """Whether somebody with the scopes `held` may have this one, a deeper path say."""
    name, _, path = scope.partition(":")
    for one in held.split():
        what, _, area = one.partition(":")
        if one == scope or (what == name and path and _is_below(path, area)):
            return True
    return False


def _is_below(path: str, area: str) -> bool:
    """Path segments count, not characters: `/foobar` is not below `/foo`."""
    if ".." in path.split("/") or not area:
        return False
    return path == area or path.startswith(area.rstrip("/") + "/")
