"""When campaigns are due: slots follow from schedule and name alone, the same for everybody.

Slots of `every` are aligned to the epoch (1970-01-01 UTC), so that they do not move when a
service starts anew; those of `cron` to the clocks of its time zone.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count

from dltest.errors import PlanError
from dltest.model import Schedule, Slot
from dltest.scenario.cron import moments, number_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# A date that has to be a certain weekday comes after twelve years at worst.
_LOOK_BACK = tuple(timedelta(hours=hours) for hours in (1, 24, 24 * 8, 24 * 32, 24 * 366 * 13))


def slots(schedule: Schedule, name: str, after: datetime, until: datetime) -> Iterator[Slot]:
    """All slots of scenario `name` with after < at <= until, in order of time."""
    for at, number in _ticks(schedule, after):
        if at > until:
            return
        yield _slot(schedule, name, at, number)


def next_slot(schedule: Schedule, name: str, after: datetime) -> Slot:
    """The first slot with at > after.

    Raises:
        PlanError: the schedule has no slot any more.
    """
    for at, number in _ticks(schedule, after):
        return _slot(schedule, name, at, number)
    raise PlanError(f"scenario '{name}': its schedule has no slot after {after:%Y-%m-%d %H:%M}")


def latest_slot(schedule: Schedule, name: str, now: datetime) -> Slot | None:
    """The last slot with at <= now, whether or not its jitter is over; None if there was none."""
    if schedule.every:
        number = (now - EPOCH) // schedule.every
        return _slot(schedule, name, EPOCH + number * schedule.every, number)
    for back in _LOOK_BACK:
        if found := list(slots(schedule, name, now - back, now)):
            return found[-1]
    return None


def turn_at(now: datetime) -> int:
    """The turn of runs that follow no schedule: the hour, so that plan and run mean the same."""
    return (now - EPOCH) // timedelta(hours=1)


def _ticks(schedule: Schedule, after: datetime) -> Iterator[tuple[datetime, int]]:
    """Moments after `after`, with their numbers."""
    if schedule.every:
        for number in count((after - EPOCH) // schedule.every + 1):
            yield EPOCH + number * schedule.every, number
    elif schedule.cron:
        for moment in moments(schedule.cron, schedule.time_zone, after):
            yield moment, number_of(schedule.cron, schedule.time_zone, moment)


def _slot(schedule: Schedule, name: str, at: datetime, number: int) -> Slot:
    return Slot(at=at, starts_at=at + _jitter(schedule.jitter, name, at), number=number)


def _jitter(most: timedelta, name: str, at: datetime) -> timedelta:
    """Less than `most`, in whole milliseconds, drawn from name and slot."""
    choices = max(most // timedelta(milliseconds=1), 1)
    drawn = int.from_bytes(sha256(f"{name} {at.isoformat()}".encode()).digest()[:8])
    return timedelta(milliseconds=drawn % choices)
