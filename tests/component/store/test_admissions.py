"""Runs begin within the limits, whoever lets them begin and how many do it at once."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from dltest.model import (
    RSE,
    Campaign,
    Downtime,
    Driver,
    Lake,
    Pace,
    Run,
    RunPhase,
    StepRecord,
    StepState,
    Trigger,
    Verdict,
)
from dltest.scheduling import admit
from dltest.settings import LakeSettings, Settings
from dltest.store import Store

MakeRun = Callable[..., Run]
LAKE = LakeSettings.model_validate(
    {"name": "lab", "rucio": {"url": "http://127.0.0.1:1", "account": "root", "scope": "test"}}
)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PARALLEL_PER_RSE", "PARALLEL_PER_LINK", "PARALLEL_RUNS", "WAITING_RULES"):
        monkeypatch.delenv(f"DLTEST_{name}", raising=False)


@pytest.fixture
def let(store: Store, now: datetime) -> Callable[..., list[str]]:
    """Admits under these limits, some seconds after `now`."""

    def admitted(seconds: float = 0, **limits: int) -> list[str]:
        settings = Settings.model_validate(limits)
        return list(admit(store, settings, LAKE, now + timedelta(seconds=seconds)))

    return admitted


Let = Callable[..., list[str]]


def save(store: Store, run_id: str, **changes: object) -> None:
    with store.claim(run_id) as claim:
        assert claim is not None
        claim.save(claim.run.model_copy(update=changes))


def end(store: Store, run_id: str, now: datetime) -> None:
    save(store, run_id, phase=RunPhase.ENDED, finished_at=now)


def paced(run: Run, pace: Pace, bytes_written: int = 0) -> Run:
    case = run.case.model_copy(update={"pace": pace, "bytes_written": bytes_written})
    return run.model_copy(update={"case": case})


def test_who_asked_by_hand_does_not_queue_behind_schedules(
    store: Store, campaign: Campaign, planned: MakeRun, now: datetime, let: Let
) -> None:
    scheduled = campaign.model_copy(update={"id": "s", "trigger": Trigger.SCHEDULE})
    runs = [planned(name).model_copy(update={"campaign_id": "s"}) for name in ("a", "b")]
    store.create_campaign(scheduled, runs)
    later = {"planned_at": now + timedelta(seconds=1)}
    store.create_campaign(campaign, [planned("by-hand").model_copy(update=later)])
    assert let(seconds=2, parallel_per_link=1) == ["by-hand"]


def test_held_runs_say_why_and_begin_when_there_is_room(
    store: Store, campaign: Campaign, planned: MakeRun, now: datetime, let: Let
) -> None:
    store.create_campaign(campaign, [planned(name) for name in ("a", "b", "c")])
    assert let(parallel_per_link=2) == ["a", "b"]
    assert store.due(now, 10) == ["a", "b"]
    held = store.run("c")
    assert held is not None
    assert held.held == "parallel-per-link: this installation allows 2 open at once on XRD2->XRD1"
    assert store.held_runs() == {("lab", "parallel-per-link"): 1}
    assert let(parallel_per_link=2) == []
    end(store, "a", now)
    assert let(parallel_per_link=2) == ["c"]
    begun = store.run("c")
    assert begun is not None
    assert (begun.held, begun.admitted_at) == (None, now)
    assert store.held_runs() == {}


def test_a_step_that_is_saved_leaves_admission_alone(
    store: Store, campaign: Campaign, planned: MakeRun, now: datetime, let: Let
) -> None:
    store.create_campaign(campaign, [planned("a"), planned("b")])
    assert let(parallel_runs=1) == ["a"]
    save(store, "a", phase=RunPhase.EXERCISING, admitted_at=None, held="nonsense")
    run = store.run("a")
    assert run is not None
    assert (run.admitted_at, run.held) == (now, None)
    assert let(parallel_runs=1) == []


def test_many_workers_at_once_never_admit_one_too_many(
    postgresql_store: Store, campaign: Campaign, planned: MakeRun, now: datetime
) -> None:
    store = postgresql_store
    ids = [f"r{n:02}" for n in range(40)]
    store.create_campaign(campaign, [planned(run_id) for run_id in ids])
    settings = Settings.model_validate({"parallel_per_rse": 3})

    def work(_: int) -> list[str]:
        """Admit, end what was admitted, and again, as workers do."""
        ended = []
        while store.has_waiters("lab"):
            for run_id in admit(store, settings, LAKE, now):
                is_open = [run for run in store.runs(100) if run.admitted_at and not run.is_ended]
                assert len(is_open) <= 3
                end(store, run_id, now)
                ended.append(run_id)
        return ended

    with ThreadPoolExecutor(6) as pool:
        ended = [run_id for found in pool.map(work, range(6)) for run_id in found]
    assert sorted(ended) == ids


def test_a_scenarios_pace_holds_its_own_runs_alone(
    store: Store, campaign: Campaign, planned: MakeRun, let: Let
) -> None:
    slow = Pace(per_link=1)
    other = planned("other")
    other = other.model_copy(update={"case": other.case.model_copy(update={"scenario": "quick"})})
    store.create_campaign(campaign, [*(paced(planned(n), slow) for n in ("a", "b")), other])
    assert let() == ["a", "other"]
    assert store.held_runs() == {("lab", "pace-per-link"): 1}


def test_bandwidth_spaces_beginnings_by_what_the_last_one_writes(
    store: Store, campaign: Campaign, planned: MakeRun, now: datetime, let: Let
) -> None:
    pace = Pace(bandwidth=1_000_000)
    runs = [paced(planned(name), pace, 60_000_000) for name in ("a", "b", "c")]
    store.create_campaign(campaign, runs)
    assert [let(at) for at in (0, 59, 60, 119, 120)] == [["a"], [], ["b"], [], ["c"]]


def test_no_run_begins_while_too_many_replications_wait_for_the_lake(
    store: Store, campaign: Campaign, planned: MakeRun, let: Let
) -> None:
    store.create_campaign(campaign, [planned(name) for name in ("a", "b", "c")])
    waits = (
        StepRecord(name="upload", state=StepState.DONE),
        StepRecord(name="replicate", state=StepState.WAITING),
    )
    assert let(parallel_runs=2) == ["a", "b"]
    for name in ("a", "b"):
        save(store, name, phase=RunPhase.EXERCISING, records=waits)
    assert let(waiting_rules=2) == []
    assert store.held_runs() == {("lab", "waiting-rules"): 1}
    assert let(waiting_rules=3) == ["c"]


def test_runs_in_downtime_end_skipped_unless_somebody_insists(
    store: Store, campaign: Campaign, planned: MakeRun, now: datetime, let: Let
) -> None:
    store.remember_lake(Lake(name="lab", rses=(RSE(name="XRD1"), RSE(name="XRD2")), seen_at=now))
    until = now + timedelta(hours=1)
    store.add_downtime(
        Downtime(
            id="d1",
            lake="lab",
            rses="XRD1",
            until_at=until,
            by="ops",
            why="disks",
            created_at=now,
        )
    )
    stubborn = campaign.model_copy(update={"id": "c2", "ignores_downtime": True})
    store.create_campaign(campaign, [planned("a")])
    store.create_campaign(stubborn, [planned("b", campaign_id="c2")])
    assert let() == ["b"]
    run = store.run("a")
    assert run is not None
    assert run.is_ended
    assert run.judgement is not None
    assert run.judgement.verdict is Verdict.SKIPPED
    (finding,) = run.judgement.findings
    assert (finding.code, str(finding.blame)) == ("downtime", "site XRD1")
    assert finding.title.endswith("disks (ops)")
    assert [total.verdict for total in store.snapshot().runs] == [Verdict.SKIPPED]
    store.create_campaign(
        campaign.model_copy(update={"id": "c3"}), [planned("c", campaign_id="c3")]
    )
    assert let(3600) == ["c"]


def test_downtimes_are_listed_and_taken_back(store: Store, now: datetime) -> None:
    downtime = Downtime(
        id="d1", lake="lab", rses="XRD1", until_at=now, by="ops", why="disks", created_at=now
    )
    store.add_downtime(downtime)
    assert store.downtimes("lab") == [downtime]
    assert store.downtimes("other") == []
    store.prune(now)
    assert store.downtimes("lab") == [downtime]
    store.prune(now + timedelta(seconds=1))
    assert store.downtimes("lab") == []
    assert not store.remove_downtime("lab", "d1")


def test_another_lakes_runs_and_those_of_other_processes_are_left_alone(
    store: Store, campaign: Campaign, planned: MakeRun, let: Let
) -> None:
    own = campaign.model_copy(update={"id": "c2", "driver": Driver.IN_PROCESS})
    store.create_campaign(campaign, [planned("a", lake="other")])
    store.create_campaign(own, [planned("b", campaign_id="c2")])
    assert let() == []
    assert not store.has_waiters("lab")


def test_a_long_queue_is_gone_through_quickly(
    postgresql_store: Store, campaign: Campaign, planned: MakeRun, now: datetime
) -> None:
    store = postgresql_store
    store.create_campaign(campaign, [planned(f"r{n:04}") for n in range(2000)])
    settings = Settings.model_validate({"parallel_per_rse": 5})
    assert len(admit(store, settings, LAKE, now)) == 5
    began = time.perf_counter()
    assert admit(store, settings, LAKE, now) == ()
    assert time.perf_counter() - began < 2


def breaking(run: Run, *disturbs: str) -> Run:
    return run.model_copy(update={"case": run.case.model_copy(update={"disturbs": disturbs})})


def test_what_breaks_an_rse_runs_apart_from_what_needs_it_and_keeps_its_turn(
    store: Store, campaign: Campaign, planned: MakeRun, let: Let, now: datetime
) -> None:
    first, breaks, behind = planned("a"), breaking(planned("b"), "XRD1"), planned("c")
    store.create_campaign(campaign, [first, breaks, behind])
    assert let() == ["a"]
    held = {run_id: store.run(run_id).held for run_id in "bc"}  # type: ignore[union-attr]
    assert {str(why).partition(":")[0] for why in held.values()} == {"apart"}
    end(store, "a", now)
    assert let() == ["b"]
    end(store, "b", now)
    assert let() == ["c"]


def test_what_breaks_the_lake_runs_alone(
    store: Store, campaign: Campaign, planned: MakeRun, let: Let, now: datetime
) -> None:
    store.create_campaign(campaign, [breaking(planned("a"), "*"), planned("b")])
    assert let() == ["a"]
    assert let() == []
    end(store, "a", now)
    assert let() == ["b"]
