"""Campaigns and runs come back as they went in, are claimed by one at a time, and are found."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from dltest.errors import StoreError
from dltest.model import (
    Blame,
    Campaign,
    Driver,
    Finding,
    Judgement,
    Progress,
    Run,
    RunPhase,
    StepRecord,
    StepState,
    Trouble,
    Verdict,
)
from dltest.store import Store

MakeRun = Callable[..., Run]


def save(store: Store, run_id: str, **changes: object) -> Run:
    with store.claim(run_id) as claim:
        assert claim is not None
        claim.save(claim.run.model_copy(update=changes))
    found = store.run(run_id)
    assert found is not None
    return found


def ended(now: datetime, verdict: Verdict = Verdict.PASSED, **more: object) -> dict[str, object]:
    return {
        "phase": RunPhase.ENDED,
        "judgement": Judgement(verdict=verdict),
        "started_at": now,
        "finished_at": now + timedelta(seconds=20),
        **more,
    }


def eventful(run: Run, now: datetime) -> Run:
    """A run in which every field holds something."""
    trouble = Trouble(
        code="storage-unreachable",
        message="no \x00 route",
        blame=Blame.site("XRD1"),
        phase="SOURCE",
    )
    record = StepRecord(
        name="upload",
        state=StepState.REFUSED,
        began_at=now,
        ended_at=now + timedelta(seconds=1.5),
        measured={"bytes": 2048.0, "rate_bytes_per_second": 5e6},
        evidence={"pfn": "davs://x/\ud800", "nested": [{"a": None}], "answer": 1},
        troubles=(trouble,),
        progress=Progress(files_done=1, note="writing"),
    )
    finding = Finding(
        code="storage-unreachable",
        title="XRD1 does not answer",
        blame=Blame.site("XRD1"),
        verdict=Verdict.FAILED,
        step="upload",
    )
    return run.model_copy(
        update={
            "phase": RunPhase.CLEANING,
            "step_index": 1,
            "handle": {"rule_id": "abc", "n": 3},
            "records": (record, StepRecord(name="replicate", state=StepState.SKIPPED)),
            "cleanup": StepRecord(name="clean-up", state=StepState.WAITING, began_at=now),
            "judgement": Judgement(verdict=Verdict.FAILED, findings=(finding,)),
            "leftovers": 2,
            "started_at": now,
            "wake_at": now + timedelta(seconds=5),
            "deadline": now + timedelta(minutes=5),
        }
    )


def test_a_planned_run_comes_back_as_it_went_in(store: Store, one_run: Run) -> None:
    assert store.run("r1") == one_run
    assert list(one_run.case.targets) == ["source", "destination"]


def test_everything_that_a_step_changes_comes_back(
    store: Store, one_run: Run, now: datetime
) -> None:
    changed = eventful(one_run, now)
    with store.claim("r1") as claim:
        assert claim is not None
        claim.save(changed)
    found = store.run("r1")
    assert found is not None
    assert found.version == 1
    # What no database takes is replaced, and nothing else.
    assert found.records[0].troubles[0].message == "no \ufffd route"
    assert found.records[0].evidence["pfn"] == "davs://x/?"
    masked = found.model_copy(update={"records": changed.records, "version": 0})
    assert masked == changed


def test_findings_and_handles_are_replaced_not_added(
    store: Store, one_run: Run, now: datetime
) -> None:
    changed = eventful(one_run, now)
    for _ in range(2):
        save(store, "r1", **dict(changed))
    found = save(store, "r1", handle=None, judgement=Judgement(verdict=Verdict.PASSED))
    assert found.handle is None
    assert found.judgement == Judgement(verdict=Verdict.PASSED)


def test_an_exception_in_the_block_writes_nothing(store: Store, one_run: Run) -> None:
    def break_off() -> None:
        with store.claim("r1") as claim:
            assert claim is not None
            claim.save(claim.run.model_copy(update={"step_index": 1}))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert store.run("r1") == one_run
    with store.claim("r1") as claim:
        assert claim is not None


def test_only_one_holds_a_run(store: Store, one_run: Run) -> None:
    seen = []

    def other() -> None:
        with store.claim("r1") as claim:
            seen.append(claim)

    with store.claim("r1") as mine:
        assert mine is not None
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(10)
    assert seen == [None]


def test_ended_and_unknown_runs_are_not_claimed(store: Store, one_run: Run, now: datetime) -> None:
    save(store, "r1", **ended(now))
    for run_id in ("r1", "r2"):
        with store.claim(run_id) as claim:
            assert claim is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_run_changed_behind_the_claim_is_not_overwritten(
    store: Store, database_url: str, one_run: Run
) -> None:
    """On PostgreSQL nobody can: the row is locked."""
    other = Store.open(database_url)

    def be_overtaken() -> None:
        with store.claim("r1") as claim:
            assert claim is not None
            save(other, "r1", step_index=1)
            claim.save(claim.run.model_copy(update={"step_index": 0, "leftovers": 9}))

    with pytest.raises(StoreError, match="changed by someone else"):
        be_overtaken()
    other.close()
    found = store.run("r1")
    assert found is not None
    assert (found.step_index, found.leftovers) == (1, 0)


def test_a_cancel_during_a_step_is_not_unsaid(store: Store, one_run: Run, now: datetime) -> None:
    with store.claim("r1") as claim:
        assert claim is not None
        cancel = threading.Thread(target=store.cancel, args=["r1"])
        cancel.start()
        claim.save(claim.run.model_copy(update={"phase": RunPhase.EXERCISING}))
    cancel.join(10)
    found = store.run("r1")
    assert found is not None
    assert found.cancelled
    save(store, "r1", **ended(now))
    assert not store.cancel("r1")


def test_runs_are_found_by_the_beginning_of_their_id(
    store: Store, campaign: Campaign, planned: MakeRun
) -> None:
    store.create_campaign(
        campaign, [planned("abc1"), planned("abd2"), planned("ab%"), planned("ab")]
    )
    assert [store.run(text) and store.run(text).id for text in ("abc", "ab%", "ab")] == [
        "abc1",
        "ab%",
        "ab",
    ]
    assert store.run("x") is None
    assert store.run("") is None
    store.create_campaign(campaign.model_copy(update={"id": "c2"}), [planned("abc2")])
    with pytest.raises(ValueError, match="abc1, abc2"):
        store.run("abc")


def test_runs_are_listed_newest_first_and_chosen(
    store: Store, campaign: Campaign, planned: MakeRun, now: datetime
) -> None:
    runs = [planned(f"r{n}", planned_at=now + timedelta(seconds=n)) for n in range(4)]
    store.create_campaign(campaign, runs)
    save(store, "r2", **ended(now, Verdict.FAILED))
    assert [run.id for run in store.runs(3)] == ["r3", "r2", "r1"]
    assert [run.id for run in store.runs(verdict=Verdict.FAILED)] == ["r2"]
    assert [run.id for run in store.runs(lake="lab", scenario="replicate", limit=1)] == ["r3"]
    assert store.runs(lake="other") == []


def test_a_campaign_is_finished_when_its_last_run_is(
    store: Store, campaign: Campaign, planned: MakeRun, now: datetime
) -> None:
    store.create_campaign(campaign, [planned("r2"), planned("r1")])
    assert [run.id for run in store.runs_of("c1")] == ["r2", "r1"]
    save(store, "r1", **ended(now))
    assert store.campaign("c1") == campaign
    save(store, "r2", **ended(now))
    assert store.campaigns() == [
        campaign.model_copy(update={"finished_at": now + timedelta(seconds=20)})
    ]
    assert store.campaign("c9") is None


def test_due_are_the_services_open_runs_longest_overdue_first(
    store: Store, campaign: Campaign, planned: MakeRun, now: datetime
) -> None:
    at = {"later": 9, "second": -1, "first": -5, "done": -9}
    runs = [
        planned(name, admitted_at=now, wake_at=now + timedelta(seconds=s)) for name, s in at.items()
    ]
    waits = [
        planned("waits-to-begin"),
        planned("never-begins", planned_at=now - timedelta(hours=1)),
    ]
    store.create_campaign(campaign, [*runs, planned("new", admitted_at=now), *waits])
    store.cancel("never-begins")
    own = campaign.model_copy(update={"id": "c2", "driver": Driver.IN_PROCESS})
    mine = [planned(name, campaign_id="c2", wake_at=now) for name in ("mine", "swept")]
    store.create_campaign(own, mine)
    save(store, "swept", phase=RunPhase.CLEANING, finished_at=now)
    save(store, "done", **ended(now))
    assert store.due(now, 10) == ["never-begins", "new", "first", "second", "swept"]
    assert store.due(now, 2) == ["never-begins", "new"]
    assert store.due(now, 10, "other") == []
    assert not store.is_due("first", now, "other")
    assert [store.is_due(name, now, "lab") for name in ("first", "later", "done")] == [
        True,
        False,
        False,
    ]
    assert store.open_runs() == {
        RunPhase.PLANNED: 7,
        RunPhase.EXERCISING: 0,
        RunPhase.CLEANING: 1,
    }


def test_a_campaign_is_planned_whole_or_not_at_all(
    store: Store, campaign: Campaign, planned: MakeRun
) -> None:
    with pytest.raises(StoreError):
        store.create_campaign(campaign, [planned("r1"), planned("r1")])
    assert store.campaign("c1") is None
    assert store.runs() == []


def test_a_thousand_runs_are_planned_in_two_seconds(
    store: Store, campaign: Campaign, planned: MakeRun
) -> None:
    runs = [planned(f"r{n}") for n in range(1000)]
    began = time.perf_counter()
    store.create_campaign(campaign, runs)
    assert time.perf_counter() - began < 2
    assert len(store.runs_of("c1")) == 1000


def test_times_without_zone_are_refused(
    store: Store, campaign: Campaign, planned: MakeRun, now: datetime
) -> None:
    with pytest.raises(StoreError, match="time zone"):
        store.create_campaign(campaign, [planned(wake_at=now.replace(tzinfo=None))])
