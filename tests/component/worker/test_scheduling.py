"""Schedules and limits with real workers: nobody starts a run twice, or too many at once."""

from collections import Counter
from datetime import UTC, datetime

from dltest.model import RSE, Lake, SlotOutcome, SlotRecord, Trigger
from dltest.worker.dispatch import wake

SCENARIO = """\
dltest: 1
name: write
title: A file can be written
owner: data-ops
targets:
  at: {rses: "*"}
steps:
  - upload: {to: at}
  - verify: {at: at}
"""


def started(service) -> list[SlotRecord]:
    return [slot for slot in service.store.slots("lab") if slot.outcome is SlotOutcome.STARTED]


def open_at_most(takes: list[tuple[str, str, str]], steps: int) -> int:
    """The most runs that were under way at once, read from what the probes wrote down."""
    open_now: set[str] = set()
    most = 0
    for _, run_id, what in takes:
        if what.startswith("took-"):
            open_now.add(run_id)
            most = max(most, len(open_now))
            if what == f"took-{steps - 1}":
                open_now.discard(run_id)
    return most


def test_two_workers_keep_a_limit_and_every_run_has_its_turn(service) -> None:
    ids = [f"r{n}" for n in range(8)]
    service.plan(*ids)
    service.start("control")
    service.start("control")
    wake(service.broker, ids * 2)
    service.await_(lambda: service.has_ended(*ids), "all runs end")
    assert open_at_most(service.takes(), steps=5) <= 2
    steps = Counter((run_id, what) for _, run_id, what in service.takes() if what != "passed-by")
    assert set(steps.values()) == {1}


def test_room_that_is_made_is_used_without_waiting_for_a_tick(service) -> None:
    """There is no beat here: each run that ends lets others begin, also when many end at once."""
    ids = [f"r{n:02}" for n in range(24)]
    service.plan(*ids)
    service.start("control")
    wake(service.broker, ids[:1])
    service.await_(lambda: service.has_ended(*ids), "all runs end")


def test_several_beats_and_workers_open_one_campaign_a_slot(service) -> None:
    seen = Lake(name="lab", rses=(RSE(name="XRD1"),), seen_at=datetime.now(UTC))
    service.store.remember_lake(seen)
    (service.folder / "scenarios").mkdir()
    (service.folder / "scenarios" / "write.yaml").write_text(SCENARIO)
    (service.folder / "scenarios" / "wrong.yaml").write_text("dltest: 1\n")
    for role in ("control", "control", "beat", "beat"):
        service.start(role)
    service.await_(lambda: len(started(service)) >= 2, "two slots start")
    slots = started(service)
    campaigns = service.store.campaigns()
    assert {campaign.trigger for campaign in campaigns} == {Trigger.SCHEDULE}
    assert {slot.campaign_id for slot in slots} <= {campaign.id for campaign in campaigns}
    assert len({slot.slot_at for slot in slots}) == len(slots)
    first = [run.id for run in service.store.runs_of(slots[-1].campaign_id)]
    assert len(first) == 1
    service.await_(lambda: service.has_ended(*first), "the first slot's run ends")
    assert "a scenario file is wrong" in service.logs()


def test_a_cancelled_run_that_waits_to_begin_ends_without_a_step_too_many(service) -> None:
    service.close_gate()
    service.plan("r0", "r1", "r2")
    service.start("control")
    service.start("beat")
    service.await_(service.store.held_runs, "the third run is held")
    assert service.store.cancel("r2")
    service.open_gate()
    service.await_(lambda: service.has_ended("r0", "r1", "r2"), "all runs end")
