"""Totals are exact however many workers end runs at once, and each run counts once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from dltest.model import (
    Blame,
    Campaign,
    Finding,
    Judgement,
    Run,
    RunPhase,
    StepRecord,
    StepState,
    Verdict,
)
from dltest.store import Place, Store

MakeRun = Callable[..., Run]
LINK = Place(source="XRD2", destination="XRD1")


def ended(now: datetime, verdict: Verdict, seconds: float = 20) -> dict[str, object]:
    finding = Finding(
        code="storage-unreachable", title="", blame=Blame.site("XRD1"), verdict=verdict
    )
    good = verdict is Verdict.PASSED
    records = (
        StepRecord(
            name="upload",
            state=StepState.DONE,
            measured={"bytes": 100, "rate_bytes_per_second": 50},
            evidence={"rse": "XRD2"},
        ),
        StepRecord(
            name="replicate",
            state=StepState.DONE if good else StepState.REFUSED,
            began_at=now,
            ended_at=now + timedelta(seconds=2),
            measured={"bytes": 100},
        ),
    )
    return {
        "phase": RunPhase.ENDED,
        "records": records,
        "judgement": Judgement(verdict=verdict, findings=() if good else (finding,)),
        "started_at": now,
        "finished_at": now + timedelta(seconds=seconds),
    }


def end(store: Store, run_id: str, changes: dict[str, object]) -> None:
    with store.claim(run_id) as claim:
        assert claim is not None
        claim.save(claim.run.model_copy(update=changes))


def test_totals_of_two_runs(
    store: Store, campaign: Campaign, planned: MakeRun, now: datetime
) -> None:
    store.create_campaign(campaign, [planned("r1"), planned("r2"), planned("r3")])
    end(store, "r1", ended(now, Verdict.PASSED))
    end(store, "r2", ended(now, Verdict.FAILED, seconds=400_000))
    seen = store.snapshot()

    assert [(t.verdict, t.blame, t.place, t.runs) for t in seen.runs] == [
        (Verdict.FAILED, "site XRD1", LINK, 1),
        (Verdict.PASSED, "", LINK, 1),
    ]
    durations = [(t.step, t.bucket_seconds, t.observations, t.seconds_sum) for t in seen.durations]
    assert durations == [
        ("", 30, 1, 20),
        ("", float("inf"), 1, 400_000),
        ("replicate", 3, 2, 4),
    ]
    transfers = [
        (t.step, t.place, t.bytes_sum, t.last_rate_bytes_per_second) for t in seen.transfers
    ]
    assert transfers == [
        ("replicate", LINK, 100, None),
        ("upload", Place(rse="XRD2"), 200, 50),
    ]
    assert seen.open_runs == {("lab", "planned"): 1}

    (case,) = store.cases()
    assert (case.case_id, case.run_id, case.verdict) == (
        "replicate[XRD2->XRD1]",
        "r2",
        Verdict.FAILED,
    )
    assert case.blame == "site XRD1"
    assert case.last_finished_at == now + timedelta(seconds=400_000)
    assert case.last_passed_at == now + timedelta(seconds=20)


def test_a_run_that_ends_late_does_not_hide_a_newer_one(
    store: Store, campaign: Campaign, planned: MakeRun, now: datetime
) -> None:
    store.create_campaign(campaign, [planned("old"), planned("new")])
    end(store, "new", ended(now, Verdict.PASSED, seconds=60))
    end(store, "old", ended(now, Verdict.FAILED, seconds=30))
    (case,) = store.cases()
    assert (case.run_id, case.verdict) == ("new", Verdict.PASSED)


def test_many_workers_ending_runs_at_once_lose_no_count(
    store: Store, campaign: Campaign, planned: MakeRun, now: datetime
) -> None:
    ids = [f"r{n}" for n in range(60)]
    store.create_campaign(campaign, [planned(run_id) for run_id in ids])
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda run_id: end(store, run_id, ended(now, Verdict.PASSED)), ids))
    seen = store.snapshot()
    assert [total.runs for total in seen.runs] == [60]
    assert {t.step: t.bytes_sum for t in seen.transfers} == {"replicate": 6000, "upload": 6000}
    assert store.open_runs()[RunPhase.PLANNED] == 0


def test_a_run_reopened_to_be_cleaned_counts_once(
    store: Store, campaign: Campaign, planned: MakeRun, now: datetime
) -> None:
    store.create_campaign(campaign, [planned("r1")])
    end(store, "r1", ended(now, Verdict.PASSED))
    totals = store.snapshot()
    with store.claim("r1", ended=True) as claim:
        assert claim is not None
        claim.save(claim.run.model_copy(update={"phase": RunPhase.CLEANING}))
    with store.claim("r1", ended=True) as claim:
        assert claim is None
    end(store, "r1", ended(now, Verdict.PASSED))
    assert store.snapshot() == totals


def test_a_turn_is_taken_once_until_it_is_time_again(store: Store, now: datetime) -> None:
    every = timedelta(minutes=5)
    turns = [store.take_turn("sweep", now + n * timedelta(minutes=2), every) for n in range(4)]
    assert turns == [True, False, False, True]
    assert store.take_turn("prune", now, every)


def test_the_tick_is_noted(store: Store, now: datetime) -> None:
    assert store.last_tick() is None
    store.mark_tick(now)
    store.mark_tick(now + timedelta(seconds=15))
    assert store.last_tick() == now + timedelta(seconds=15)
    assert store.take_turn("tick other", now + timedelta(seconds=20), timedelta(seconds=15))
    assert store.last_tick() == store.snapshot().last_tick == now + timedelta(seconds=20)
