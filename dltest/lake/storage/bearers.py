"""What a mover shows a storage: a token made out to it, or what the lake file says."""

from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

from pydantic import SecretStr

from dltest.errors import CredentialError
from dltest.lake.ports import JobKind, StorageJob, TokenRequest
from dltest.model import DLTEST
from dltest.settings import StorageSettings

OPERATION = "get a token for a storage"
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
        return purse.bearer(token_request(job))

    return bearer_of


def token_request(job: StorageJob) -> TokenRequest:
    """As Rucio asks for its own: for the host, and all of the VO's area.

    So one token serves all jobs of a kind at an RSE until it ends, and the issuer is seldom asked.
    """
    hosts = {str(urlsplit(file.url).hostname) for file in job.files}
    return TokenRequest(scopes=SCOPES[job.kind], audiences=tuple(sorted(hosts)))
