from datetime import timedelta
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from pydantic import SecretStr

from dltest.errors import CredentialError
from dltest.lake.ports import FileRef, JobKind, JobState, StorageJob, TokenRequest
from dltest.lake.storage import run_job
from dltest.lake.storage.bearers import bearers_of
from dltest.model import DLTEST, IDENTITY
from dltest.settings import StorageSettings

SETTINGS = StorageSettings(bearer=SecretStr("of the lake file"))


KEY = ECKey.generate_key("P-256")
WRITES = "storage.modify:/dltest storage.read:/dltest"


class Purse:
    """Always the same; without claims one that only its issuer can read."""

    def __init__(self, **claims: object) -> None:
        self._claims = claims
        self.asked: TokenRequest | None = None

    def bearer(self, request: TokenRequest) -> SecretStr:
        self.asked = request
        return SecretStr(jwt.encode({"alg": "ES256"}, self._claims, KEY) if self._claims else "x")


def job(kind: JobKind = JobKind.PUT, *, with_token: bool = True) -> StorageJob:
    file = FileRef(url="davs://storage.example:1094/area/x", index=0, size_bytes=1)
    return StorageJob(
        id="a",
        kind=kind,
        rse="XRD5",
        seed="a",
        files=(file,),
        limit=timedelta(seconds=5),
        with_token=with_token,
    )


def test_a_storage_that_wants_no_token_is_shown_what_the_lake_file_says() -> None:
    assert bearers_of(SETTINGS, Purse())(job(with_token=False)) == SETTINGS.bearer


@pytest.mark.parametrize(
    ("kind", "scopes"),
    [
        (JobKind.READ, ("storage.read:/",)),
        (JobKind.GET, ("storage.read:/",)),
        (JobKind.STAT, ("storage.read:/",)),
        (JobKind.PUT, ("storage.modify:/", "storage.read:/")),
        (JobKind.UNLINK, ("storage.modify:/", "storage.read:/")),
        (JobKind.DAMAGE, ("storage.modify:/", "storage.read:/")),
    ],
)
def test_a_token_is_made_out_to_the_host_and_reads_unless_the_job_writes(
    kind: JobKind, scopes: tuple[str, ...]
) -> None:
    purse = Purse()
    assert bearers_of(SETTINGS, purse)(job(kind)) == SecretStr("x")
    assert purse.asked == TokenRequest(scopes=scopes, audiences=("storage.example",))


@pytest.mark.parametrize(
    "audience",
    [
        "storage.example",
        "storage.example:1094",
        "https://storage.example:1094",
        ["elsewhere.example", "storage.example"],
        "https://wlcg.cern.ch/jwt/v1/any",
    ],
)
def test_a_token_may_be_made_out_as_sites_have_it(audience: object) -> None:
    assert bearers_of(SETTINGS, Purse(aud=audience, scope=WRITES))(job()) is not None


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"aud": "elsewhere.example", "scope": WRITES}, "token-audience-wrong"),
        ({"aud": "storage.example", "scope": "storage.read:/"}, "token-scope-missing"),
    ],
)
def test_no_storage_is_shown_a_token_that_is_worth_nothing(
    claims: dict[str, str], code: str
) -> None:
    with pytest.raises(CredentialError) as refused:
        bearers_of(SETTINGS, Purse(**claims))(job())
    assert (refused.value.code, refused.value.blame) == (code, IDENTITY)


def test_without_a_token_to_show_the_job_is_lost_and_no_storage_is_blamed(tmp_path: Path) -> None:
    with pytest.raises(CredentialError):
        bearers_of(SETTINGS)(job())
    status = run_job(job(), SETTINGS, spool=tmp_path)
    assert status.state is JobState.LOST
    assert status.trouble is not None
    assert (status.trouble.code, status.trouble.blame) == ("token-unavailable", DLTEST)
