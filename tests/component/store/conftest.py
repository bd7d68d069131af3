"""Runs to store."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from dltest.model import Campaign, Case, Driver, Payload, Run, StepCall, StepRecord
from dltest.store import Store

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def planned() -> Callable[..., Run]:
    """Makes a planned run; keywords replace what it would hold."""

    def make(run_id: str = "r1", **changes: object) -> Run:
        case = Case(
            scenario="replicate",
            targets={"source": "XRD2", "destination": "XRD1"},
            payload=Payload(files=2, size_bytes=1024),
            steps=(StepCall(type="replicate", body={"to": "destination"}),),
            duration_limit=timedelta(minutes=30),
            tags=("core",),
        )
        born = {
            "id": run_id,
            "campaign_id": "c1",
            "lake": "lab",
            "case": case,
            "records": (StepRecord(name="upload"), StepRecord(name="replicate")),
            "planned_at": NOW,
        }
        return Run.model_validate(born | changes)

    return make


@pytest.fixture
def campaign() -> Campaign:
    return Campaign(id="c1", lake="lab", driver=Driver.SERVICE, title="core", created_at=NOW)


@pytest.fixture
def one_run(store: Store, campaign: Campaign, planned: Callable[..., Run]) -> Run:
    """A planned run that is in the store."""
    run = planned()
    store.create_campaign(campaign, [run])
    return run
