"""What a mover shows a storage: a token made out to it, or what the lake file says."""

from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

from pydantic import SecretStr

from dltest.errors import CredentialError
from dltest.lake.identity.reading import Claims, claims_of
from dltest.lake.ports import JobKind, StorageJob, TokenRequest
from dltest.model import DLTEST
from dltest.settings import StorageSettings

OPERATION = "get a token for a storage"
# The WLCG profile's audience of a token that is good everywhere.
ANYWHERE = "https://wlcg.cern.ch/jwt/v1/any"
Bearers = Callable[[StorageJob], SecretStr | None]
# What comes before a written file: whatever lies there is looked at, and removed.
READING = ("storage.read:/",)
WRITING = ("storage.modify:/", "storage.read:/")
SCOPES = dict.fromkeys((JobKind.GET, JobKind.READ, JobKind.STAT), READING) | dict.fromkeys(
    (JobKind.PUT, JobKind.UNLINK, JobKind.DAMAGE), WRITING
)


class Purse(Protocol):
    """Has dltest's own tokens."""

    def bearer(self, request: TokenRequest) -> SecretStr:
        """One that is good for that. Raises `CredentialError`."""


def bearers_of(settings: StorageSettings, purse: Purse | None = None) -> Bearers:
    """The same for all storages, but for those that want a token."""

    def bearer_of(job: StorageJob) -> SecretStr | None:
        if not job.with_token:
            return settings.bearer
        if purse is None:
            raise CredentialError(
                f"{job.rse} wants a token, and the lake file has no section `identity`",
                code="token-unavailable",
                operation=OPERATION,
                rse=job.rse,
                blame=DLTEST,
            )
        request = token_request(job)
        bearer = purse.bearer(request)
        if lack := _lacking(claims_of(bearer.get_secret_value()), request):
            code, what = lack
            raise CredentialError(
                f"the token for {job.rse} that dltest was given {what}",
                code=code,
                operation=OPERATION,
                rse=job.rse,
                answered=False,
            )
        return bearer

    return bearer_of


def _lacking(claims: Claims, request: TokenRequest) -> tuple[str, str] | None:
    """In what a token falls short of what was asked for; one that only its issuer can read, never.

    An issuer may grant less (RFC 6749, section 3.3). A storage that refuses such a token is right.
    """
    given = claims.get("aud", [])
    named = {_host(str(one)) for one in (given if isinstance(given, list) else [given])}
    if "aud" in claims and not {*request.audiences, _host(ANYWHERE)} & named:
        return "token-audience-wrong", f"is made out to {given}"
    rights = {_right(one) for one in str(claims.get("scope", "")).split()}
    if "scope" in claims and (missing := {_right(one) for one in request.scopes} - rights):
        return "token-scope-missing", f"lacks {' and '.join(sorted(missing))}"
    return None


def _right(scope: str) -> str:
    return scope.partition(":")[0]


def _host(audience: str) -> str:
    """Sites have a token made out to a host, to host and port, or to a URL."""
    return urlsplit(audience if "//" in audience else f"//{audience}").hostname or audience


def token_request(job: StorageJob) -> TokenRequest:
    """As Rucio asks for its own: for the host, and all of the VO's area.

    So one token serves all jobs of a kind at an RSE until it ends, and the issuer is seldom asked.
    """
    hosts = {str(urlsplit(file.url).hostname) for file in job.files}
    return TokenRequest(scopes=SCOPES[job.kind], audiences=tuple(sorted(hosts)))
