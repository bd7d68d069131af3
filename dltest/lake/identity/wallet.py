"""The tokens that dltest itself goes by: kept while they are good, renewed ahead of their end."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import SecretStr

from dltest.errors import CredentialError
from dltest.lake.identity.issuer import Issuer
from dltest.lake.identity.reading import claims_of
from dltest.lake.identity.sources import ByAgent, ByCredentials, Discovered, Source, unavailable
from dltest.lake.ports import TokenRequest
from dltest.settings import IdentitySettings

LONGEST_AHEAD_SECONDS = 300.0
# Of a token's life; what is shorter than 15 minutes is renewed when this much of it is left.
AHEAD = 1 / 3
LEEWAY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Held:
    """A token with the times that count. Where it does not say them, it is asked for each time."""

    value: SecretStr
    expires: float
    renew: float

    @classmethod
    def of(cls, value: SecretStr, now: float) -> "Held":
        claims = claims_of(value.get_secret_value())
        begin, end = (claims.get(name) for name in ("nbf", "exp"))
        if isinstance(begin, int | float) and begin > now + LEEWAY_SECONDS:
            raise unavailable("our token is not valid yet: a clock is wrong", "token-not-yet-valid")
        if not isinstance(end, int | float):
            return cls(value, expires=now, renew=now)
        if end <= now:
            raise unavailable("our token has run out", "token-expired")
        return cls(value, end, end - min(LONGEST_AHEAD_SECONDS, AHEAD * (end - now)))


class Wallet:
    """Safe to share between threads."""

    def __init__(self, source: Source, *, now: Callable[[], float] = time.time) -> None:
        self._source = source
        self._now = now
        self._held: dict[TokenRequest, Held] = {}
        self._lock = threading.Lock()

    def bearer(self, request: TokenRequest) -> SecretStr:
        """A token that is good now, and for a while.

        Raises:
            CredentialError: there is none to be had; as ours is at fault, nothing is known of the
                lake then.
        """
        with self._lock:
            held = self._held.get(request)
            if held is None or self._now() >= held.renew:
                held = self._held[request] = self._renewed(request, held)
            return held.value

    def _renewed(self, request: TokenRequest, held: Held | None) -> Held:
        """The issuer may be gone for a while: what it has given goes on."""
        try:
            return Held.of(self._source(request), self._now())
        except CredentialError as error:
            if held is not None and self._now() < held.expires:
                return held
            raise CredentialError(
                str(error),
                code=error.code,
                operation=error.operation,
                blame=error.blame,
                retryable=True,
                answered=False,
            ) from error


def open_wallet(settings: IdentitySettings) -> Wallet:
    """As the lake file says: client credentials, else oidc-agent, else bearer token discovery."""
    return Wallet(_source(settings))


def _source(settings: IdentitySettings) -> Source:
    if settings.client_id is not None:
        return ByCredentials(Issuer(settings))
    if settings.oidc_agent is not None:
        return ByAgent(settings.oidc_agent)
    return Discovered(settings.token_file)
