"""One campaign a slot, however many schedulers; what was missed, paused or impossible is told."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dltest.errors import Problem
from dltest.model import (
    RSE,
    Campaign,
    Driver,
    Judgement,
    Lake,
    Pause,
    Run,
    RunPhase,
    Schedule,
    SlotOutcome,
    SlotRecord,
    Trigger,
    Verdict,
)
from dltest.scenario import Scenario, parse
from dltest.scheduling import keep_schedules, remembered, settle
from dltest.scheduling.folder import Reading
from dltest.settings import LakeSettings
from dltest.store import Store

HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
LAKE = Lake(name="lab", rses=(RSE(name="XRD1"), RSE(name="XRD2")), seen_at=NOW)
TEXT = """\
dltest: 1
name: {name}
title: A file can be written
owner: data-ops
targets:
  at: {{rses: "{rses}"}}
steps:
  - upload: {{to: at}}
  - verify: {{at: at}}
"""


@pytest.fixture(autouse=True)
def hourly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every scenario of these tests runs every hour."""
    monkeypatch.setattr(Scenario, "timetable", property(lambda _: Schedule(every=HOUR)))


def folder(*names: str, rses: str = "*", problems: tuple[Problem, ...] = ()) -> Reading:
    found = {name: parse(TEXT.format(name=name, rses=rses), name) for name in names}
    return Reading(found, problems)


def turn(store: Store, found: Reading, now: datetime, lake: Lake = LAKE) -> list[SlotRecord]:
    """What one tick does."""
    settled = []
    for name in keep_schedules(store, "lab", found, now):
        row = store.schedule("lab", name)
        assert row is not None
        settled.append(settle(store, row, found, lake, now))
    return [record for record in settled if record is not None]


def test_a_new_schedule_begins_with_its_next_slot(store: Store) -> None:
    assert turn(store, folder("write"), NOW) == []
    (row,) = store.schedules("lab")
    assert row.next_slot is not None
    assert row.next_slot.at == NOW.replace(hour=13, minute=0)
    (record,) = turn(store, folder("write"), row.next_slot.at)
    assert record.outcome is SlotOutcome.STARTED
    (campaign,) = store.campaigns()
    assert (campaign.id, campaign.trigger, campaign.driver) == (
        record.campaign_id,
        Trigger.SCHEDULE,
        Driver.SERVICE,
    )
    runs = store.runs_of(campaign.id)
    assert [run.case.id for run in runs] == ["write[XRD1]", "write[XRD2]"]
    assert {run.admitted_at for run in runs} == {None}
    assert turn(store, folder("write"), NOW + HOUR) == []


def test_many_schedulers_open_one_campaign_a_slot(postgresql_store: Store) -> None:
    found = folder("write")
    keep_schedules(postgresql_store, "lab", found, NOW)
    row = postgresql_store.schedule("lab", "write")
    assert row is not None
    with ThreadPoolExecutor(12) as pool:
        at_once = [
            pool.submit(settle, postgresql_store, row, found, LAKE, NOW + HOUR) for _ in range(24)
        ]
    settled = [record for future in at_once if (record := future.result()) is not None]
    assert len(settled) == 1
    assert [campaign.id for campaign in postgresql_store.campaigns()] == [settled[0].campaign_id]
    assert len(postgresql_store.slots("lab")) == 1


def test_schedulers_that_saw_different_rows_open_one_campaign_a_slot(store: Store) -> None:
    """A late one still holds the row of two slots ago."""
    found = folder("write")
    keep_schedules(store, "lab", found, NOW)
    late = store.schedule("lab", "write")
    assert late is not None
    turn(store, found, NOW + HOUR)
    assert settle(store, late, found, LAKE, NOW + HOUR) is None
    assert settle(store, late, found, LAKE, NOW + 3 * HOUR) is None
    assert len(store.campaigns()) == 1


def test_missed_slots_become_one_campaign_and_are_counted(store: Store) -> None:
    keep_schedules(store, "lab", folder("write"), NOW)
    turn(store, folder("write"), NOW + 5 * HOUR)
    told = [(s.slot_at.hour, s.outcome, s.missed) for s in store.slots("lab")]
    assert told == [(17, SlotOutcome.STARTED, 0), (16, SlotOutcome.MISSED, 4)]
    assert len(store.campaigns()) == 1
    row = store.schedule("lab", "write")
    assert row is not None
    assert row.next_slot is not None
    assert row.next_slot.at.hour == 18


def end(store: Store, run: Run, now: datetime) -> None:
    with store.claim(run.id) as claim:
        assert claim is not None
        ended = {
            "phase": RunPhase.ENDED,
            "judgement": Judgement(verdict=Verdict.PASSED),
            "finished_at": now,
        }
        claim.save(claim.run.model_copy(update=ended))


def test_a_case_does_not_overlap_itself(store: Store) -> None:
    keep_schedules(store, "lab", folder("write"), NOW)
    (first,) = turn(store, folder("write"), NOW + HOUR)
    one, two = store.runs_of(first.campaign_id or "")
    end(store, one, NOW)
    (second,) = turn(store, folder("write"), NOW + 2 * HOUR)
    assert (second.outcome, second.overlapping) == (SlotOutcome.STARTED, 1)
    assert [run.case.id for run in store.runs_of(second.campaign_id or "")] == [one.case.id]
    (third,) = turn(store, folder("write"), NOW + 3 * HOUR)
    assert (third.outcome, third.overlapping, third.campaign_id) == (SlotOutcome.OVERLAP, 2, None)
    assert store.slots("lab")[0] == third
    assert two.case.id == "write[XRD2]"


def test_a_pause_keeps_slots_from_starting_until_it_is_over(store: Store) -> None:
    found = folder("write")
    keep_schedules(store, "lab", found, NOW)
    pause = Pause(at=NOW, by="ops", why="tape robot", until=NOW + 2 * HOUR)
    assert store.pause_schedule("lab", "write", pause)
    (paused,) = turn(store, found, NOW + HOUR)
    assert (paused.outcome, paused.why) == (SlotOutcome.PAUSED, "paused by ops: tape robot")
    (started,) = turn(store, found, NOW + 2 * HOUR)
    assert started.outcome is SlotOutcome.STARTED
    for run in store.runs_of(started.campaign_id or ""):
        end(store, run, NOW + 3 * HOUR)
    store.pause_schedule("lab", "write", pause.model_copy(update={"until": None}))
    assert turn(store, found, NOW + 9 * HOUR)[0].outcome is SlotOutcome.PAUSED
    assert store.pause_schedule("lab", "write", None)
    assert turn(store, found, NOW + 10 * HOUR)[0].outcome is SlotOutcome.STARTED
    assert not store.pause_schedule("lab", "other", pause)


def test_a_plan_that_fails_is_told_and_stops_no_other(store: Store) -> None:
    found = Reading(folder("write").scenarios | folder("nowhere", rses="type=tape").scenarios, ())
    keep_schedules(store, "lab", found, NOW)
    told = {record.scenario: record for record in turn(store, found, NOW + HOUR)}
    assert told["write"].outcome is SlotOutcome.STARTED
    assert told["nowhere"].outcome is SlotOutcome.FAILED
    assert "type=tape" in store.slots("lab", "nowhere")[0].why
    assert turn(store, found, NOW + HOUR) == []


def test_a_file_that_went_wrong_fails_its_slots_and_one_that_is_gone_has_none(
    store: Store,
) -> None:
    keep_schedules(store, "lab", folder("write", "read"), NOW)
    wrong = folder("read", problems=(Problem("write.yaml", 3, 1, "unknown key"),))
    told = {record.scenario: record for record in turn(store, wrong, NOW + HOUR)}
    assert told["read"].outcome is SlotOutcome.STARTED
    assert told["write"].outcome is SlotOutcome.FAILED
    assert "write.yaml:3:1: unknown key" in told["write"].why
    assert [r.scenario for r in turn(store, folder("read"), NOW + 2 * HOUR)] == ["read"]
    row = store.schedule("lab", "write")
    assert row is not None
    assert row.next_slot is None
    turn(store, folder("read", "write"), NOW + 2 * HOUR)
    assert [r.scenario for r in turn(store, folder("read", "write"), NOW + 3 * HOUR)] == [
        "read",
        "write",
    ]


def test_a_changed_schedule_goes_on_with_its_own_next_slot(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_schedules(store, "lab", folder("write"), NOW)
    half = Schedule(every=HOUR / 2)
    monkeypatch.setattr(Scenario, "timetable", property(lambda _: half))
    assert keep_schedules(store, "lab", folder("write"), NOW) == []
    row = store.schedule("lab", "write")
    assert row is not None
    assert row.schedule == half
    assert row.next_slot is not None
    assert row.next_slot.at == NOW + HOUR / 2


def test_old_slots_and_their_campaigns_are_pruned(
    store: Store, campaign: Campaign, planned: Callable[..., Run]
) -> None:
    keep_schedules(store, "lab", folder("write"), NOW)
    (old,) = turn(store, folder("write"), NOW + HOUR)
    for run in store.runs_of(old.campaign_id or ""):
        end(store, run, NOW + HOUR)
    (new,) = turn(store, folder("write"), NOW + 2 * HOUR)
    assert store.prune(NOW + HOUR + timedelta(minutes=1)) == 2
    assert store.slots("lab") == [new]
    assert [kept.id for kept in store.campaigns()] == [new.campaign_id]
    assert store.last_slots("lab") == {"write": new}


def test_a_lake_that_is_silent_is_planned_for_as_it_was_last_seen(
    store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "lake.yaml"
    file.write_text(
        "name: lab\nrucio: {url: 'http://x', account: a, scope: s}\nstorage: {}\n"
        "rses: [{name: DECLARED}]\n"
    )
    settings = LakeSettings.load(file)
    assert [rse.name for rse in remembered(store, settings, NOW).rses] == ["DECLARED"]
    store.remember_lake(LAKE)
    assert not remembered(store, settings, NOW).stale
    assert remembered(store, settings, NOW + HOUR).stale
    assert remembered(store, settings, NOW).rses == LAKE.rses
