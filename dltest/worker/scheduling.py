"""What the service's tasks do about schedules and about runs that wait to begin."""

import logging
from datetime import UTC, datetime, timedelta

from dltest.errors import Problem
from dltest.scheduling import admit, keep_schedules, remembered, settle
from dltest.worker.dispatch import JUST_ASKED, send_admit, send_advance, send_slot
from dltest.worker.station import Station

log = logging.getLogger(__name__)

# A pass over thousands of waiting runs takes a part of a second; hundreds may end in one.
PASS_EVERY = timedelta(milliseconds=500)
PASS_LATER_SECONDS = 1.0


def see_to_schedules(station: Station, now: datetime) -> None:
    """Make the schedules those of the folder, and have what is due seen to.

    Each slot is a task of its own, so that one that breaks stops no other.
    """
    store, lake = station.store, station.lake_settings.name
    if store.has_waiters(lake):
        send_admit()
    folder = station.folder.read()
    _tell(station, folder.problems)
    for scenario in keep_schedules(store, lake, folder, now):
        send_slot(scenario)


def _tell(station: Station, problems: tuple[Problem, ...]) -> None:
    """Say once what is wrong with the folder, not at every tick."""
    if problems != station.problems_told:
        for problem in problems:
            log.warning("a scenario file is wrong, the others go on: %s", problem)
    station.problems_told = problems


def settle_slot(station: Station, scenario: str, now: datetime) -> bool:
    """Whether this opened a campaign."""
    store, settings = station.store, station.lake_settings
    row = store.schedule(settings.name, scenario)
    if row is None:
        return False
    lake = remembered(store, settings, now)
    record = settle(store, row, station.folder.read(), lake, now)
    if record is not None:
        log.info("slot %s of %s: %s", record.slot_at, scenario, record.outcome)
    return record is not None and record.campaign_id is not None


def let_begin(station: Station) -> None:
    """Admit what may begin, and wake it."""
    now = datetime.now(UTC)
    for run_id in admit(station.store, station.settings, station.lake_settings, now):
        send_advance(run_id, priority=JUST_ASKED)


def let_begin_soon(station: Station) -> None:
    """The same, but not for each of many runs that end at once.

    Whoever comes too soon after a pass sees that there is one message for a later pass, so that
    the room the last of them made is not left empty until the next tick.
    """
    store, lake, now = station.store, station.lake_settings.name, datetime.now(UTC)
    if not store.has_waiters(lake):
        return
    if store.take_turn(f"admit {lake}", now, PASS_EVERY):
        let_begin(station)
    elif store.take_turn(f"admit later {lake}", now, PASS_EVERY):
        send_admit(PASS_LATER_SECONDS)
