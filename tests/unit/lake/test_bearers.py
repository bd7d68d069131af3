from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from dltest.errors import CredentialError
from dltest.lake.ports import FileRef, JobKind, JobState, StorageJob, TokenRequest
from dltest.lake.storage import run_job
from dltest.lake.storage.bearers import bearers_of
from dltest.model import DLTEST
from dltest.settings import StorageSettings

SETTINGS = StorageSettings(bearer=SecretStr("of the lake file"))


class Purse:
    def __init__(self) -> None:
        self.asked: TokenRequest | None = None

    def bearer(self, request: TokenRequest) -> SecretStr:
        self.asked = request
        return SecretStr("a token")


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
    assert bearers_of(SETTINGS, purse)(job(kind)) == SecretStr("a token")
    assert purse.asked == TokenRequest(scopes=scopes, audiences=("storage.example",))


def test_without_a_token_to_show_the_job_is_lost_and_no_storage_is_blamed(tmp_path: Path) -> None:
    with pytest.raises(CredentialError):
        bearers_of(SETTINGS)(job())
    status = run_job(job(), SETTINGS, spool=tmp_path)
    assert status.state is JobState.LOST
    assert status.trouble is not None
    assert (status.trouble.code, status.trouble.blame) == ("token-unavailable", DLTEST)
