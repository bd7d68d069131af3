"""Keeps the schedules of the scenario folder, and settles each slot once.

Any number of schedulers may do this at once: a slot's row is unique, and its campaign is written
in the same transaction.
"""

import logging
from collections.abc import Mapping
from datetime import datetime

from dltest.errors import PlanError
from dltest.model import (
    Campaign,
    Driver,
    Lake,
    Run,
    Schedule,
    Scheduled,
    Slot,
    SlotOutcome,
    SlotRecord,
    Trigger,
)
from dltest.planning import plan
from dltest.planning.timetable import next_slot, slots
from dltest.scenario import Scenario
from dltest.scheduling.campaigns import campaign_of
from dltest.scheduling.folder import Reading
from dltest.store import Store

log = logging.getLogger(__name__)

Planned = tuple[Campaign, list[Run]]


def keep_schedules(store: Store, lake: str, folder: Reading, now: datetime) -> list[str]:
    """Make the rows those of the folder; gives the names of the schedules that are due.

    A scenario that is gone loses its schedule, unless a file is wrong: it may be that one, and
    its slots are then settled as failed, for all to see.
    """
    scenarios = folder.scenarios
    known = {row.scenario: row for row in store.schedules(lake)}
    for name, scenario in scenarios.items():
        schedule = scenario.timetable
        if schedule is not None and not _goes_on(known.get(name), scenario):
            _set(store, lake, name, schedule, now)
    gone = [name for name, row in known.items() if row.next_slot and _is_gone(name, scenarios)]
    lost = [name for name in gone if name in scenarios or not folder.problems]
    if lost:
        store.retire_schedules(lake, lost)
    return store.due_schedules(lake, now)


def _set(store: Store, lake: str, name: str, schedule: Schedule, now: datetime) -> None:
    if (first := _following(schedule, name, now)) is not None:
        store.set_schedule(lake, name, schedule, first)


def _following(schedule: Schedule, name: str, after: datetime) -> Slot | None:
    try:
        return next_slot(schedule, name, after)
    except PlanError as error:
        log.warning("%s", error)
        return None


def _goes_on(row: Scheduled | None, scenario: Scenario) -> bool:
    return row is not None and row.next_slot is not None and row.schedule == scenario.timetable


def _is_gone(name: str, scenarios: Mapping[str, Scenario]) -> bool:
    return name not in scenarios or scenarios[name].timetable is None


def settle(
    store: Store, row: Scheduled, folder: Reading, lake: Lake, now: datetime
) -> SlotRecord | None:
    """Settle the latest slot that has come; None if none has, or somebody else did.

    Of several that have come the latest alone gets a campaign: a service that was away does not
    make up for what it missed, and counts it.
    """
    due = _due(row, now)
    if not due:
        return None
    latest, earlier = due[-1], due[:-1]
    following = _following(row.schedule, row.scenario, latest.at)
    record = _record(row, latest, SlotOutcome.STARTED, now)
    missed = None
    if row.pause is not None and row.pause.holds(now):
        why = f"paused by {row.pause.by}: {row.pause.why}"
        record = record.model_copy(update={"outcome": SlotOutcome.PAUSED, "why": why})
        return store.settle_slot(record, row, following)
    if earlier:
        missed = _record(row, earlier[-1], SlotOutcome.MISSED, now).model_copy(
            update={"missed": len(earlier)}
        )
    planned = _planned(latest, row, folder, lake, now)
    if isinstance(planned, str):
        record = record.model_copy(update={"outcome": SlotOutcome.FAILED, "why": planned})
        log.warning("the slot of %s at %s has no plan: %s", row.scenario, latest.at, planned)
        return store.settle_slot(record, row, following, missed=missed)
    return store.settle_slot(record, row, following, planned, missed)


def _due(row: Scheduled, now: datetime) -> list[Slot]:
    """The slots that have come since the last one that was settled."""
    if row.next_slot is None or row.next_slot.starts_at > now:
        return []
    later = slots(row.schedule, row.scenario, row.next_slot.at, now)
    return [row.next_slot, *(slot for slot in later if slot.starts_at <= now)]


def _record(row: Scheduled, slot: Slot, outcome: SlotOutcome, now: datetime) -> SlotRecord:
    return SlotRecord(
        lake=row.lake,
        scenario=row.scenario,
        slot_at=slot.at,
        outcome=outcome,
        written_at=now,
    )


def _planned(
    slot: Slot, row: Scheduled, folder: Reading, lake: Lake, now: datetime
) -> Planned | str:
    """The slot's campaign, or why there is none."""
    scenario = folder.scenarios.get(row.scenario)
    if scenario is None:
        told = "; ".join(str(problem) for problem in folder.problems[:3])
        return f"there is no right file of scenario '{row.scenario}': {told or 'it is gone'}"
    try:
        laid_out = plan([scenario], lake, turn=slot.number)
    except PlanError as error:
        return str(error)
    return campaign_of(laid_out, Trigger.SCHEDULE, Driver.SERVICE, now)
