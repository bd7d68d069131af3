"""Usual times: the median of the latest runs that passed."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from dltest.model import Campaign, Judgement, Run, RunPhase, Verdict
from dltest.store import Store


@pytest.fixture
def took(store: Store, campaign: Campaign, planned: Callable[..., Run], now: datetime):
    """Stores ended runs of so many seconds each."""

    def keep(*seconds: float, verdict: Verdict = Verdict.PASSED, lake: str = "lab") -> None:
        mine = campaign.model_copy(update={"id": f"{verdict}-{lake}", "lake": lake})
        runs = [
            planned(f"{verdict}-{lake}-{index}", campaign_id=mine.id, lake=lake)
            for index in range(len(seconds))
        ]
        store.create_campaign(mine, runs)
        for run, one in zip(runs, seconds, strict=True):
            ended = {
                "phase": RunPhase.ENDED,
                "judgement": Judgement(verdict=verdict),
                "started_at": now,
                "finished_at": now + timedelta(seconds=one),
            }
            with store.claim(run.id) as claim:
                assert claim is not None
                claim.save(claim.run.model_copy(update=ended))

    return keep


def test_the_usual_time_is_the_median_of_what_passed_on_the_lake(store: Store, took) -> None:
    took(10, 20, 90)
    took(1, 1, 1, 1, verdict=Verdict.FAILED)
    took(5, 5, 5, 5, lake="other")
    assert store.usual_seconds("lab", ["replicate", "upload"]) == {"replicate": 20.0}


def test_a_scenario_that_never_passed_has_none(store: Store, took) -> None:
    took(3, verdict=Verdict.DEGRADED)
    assert store.usual_seconds("lab", ["replicate"]) == {}
