"""Steps that talk to a storage do so by the protocol that the scenario names."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dltest.errors import CatalogueError
from dltest.lake.ports import StorageJob
from dltest.lake.simulated import SimulatedLake
from dltest.model import LedgerEntry, LedgerState, Payload
from dltest.steps import Context, registry


class NoLedger:
    def intend(self, *entries: LedgerEntry) -> None: ...

    def settle(self, state: LedgerState, *entries: LedgerEntry) -> None: ...

    def entries(self) -> tuple[LedgerEntry, ...]:
        return ()


def context(lake: SimulatedLake) -> Context:
    now = lake.clock.now()
    return Context(
        run_id="r1",
        step=0,
        targets={"at": "XRD1"},
        payload=Payload(files=1, size_bytes=10),
        lake=lake,
        ledger=NoLedger(),
        earlier=(),
        began_at=now,
        deadline=now + timedelta(minutes=1),
        data_lifetime=timedelta(hours=1),
        now=now,
    )


def begun(name: str, key: str, protocol: str | None) -> list[StorageJob]:
    """The jobs of one step, on a lake where the run's file is known already."""
    lake = SimulatedLake()
    upload = registry()["upload"]
    body = upload.Body.model_validate({"to": "at"})
    ctx = context(lake)
    waiting: Any = upload.begin(ctx, body)
    for _ in range(2):
        upload.look(ctx, body, waiting.handle)
    if name == "absent":
        lake.catalogue.expire(ctx.dataset)
        for _ in range(5):
            lake.catalogue.ping()
    jobs: list[StorageJob] = []
    start = lake.storage.start
    lake.storage.start = lambda job: (jobs.append(job), start(job))[1]  # type: ignore[method-assign]
    step = registry()[name]
    body = step.Body.model_validate({key: "at", "protocol": protocol})
    step.begin(replace(ctx, step=1), body)
    return jobs


STEPS = [("upload", "to"), ("verify", "at"), ("download", "from"), ("absent", "at")]


@pytest.mark.parametrize(("name", "key"), STEPS)
@pytest.mark.parametrize(
    ("protocol", "scheme"), [("root", "root"), ("davs", "davs"), (None, "sim")]
)
def test_the_job_goes_by_the_protocol(name: str, key: str, protocol: str, scheme: str) -> None:
    (job,) = begun(name, key, protocol)
    assert [file.url.partition("://")[0] for file in job.files] == [scheme]


@pytest.mark.parametrize(("name", "key"), STEPS)
def test_one_that_the_rse_does_not_offer_is_refused(name: str, key: str) -> None:
    with pytest.raises(CatalogueError) as refused:
        begun(name, key, "dav")
    assert refused.value.code == "no-common-protocol"
