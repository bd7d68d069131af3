"""When the slots of a schedule are: `every` only; cron and jitter come with the language."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from dltest.model import Schedule, Slot

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def slots(schedule: Schedule, name: str, after: datetime, until: datetime) -> Iterator[Slot]:
    """The slots later than `after` and not later than `until`."""
    slot = next_slot(schedule, name, after)
    while slot.at <= until:
        yield slot
        slot = next_slot(schedule, name, slot.at)


def next_slot(schedule: Schedule, name: str, after: datetime) -> Slot:  # noqa: ARG001 - jitter's
    """The first slot later than `after`."""
    every = schedule.every or timedelta(days=1)
    number = (after - EPOCH) // every + 1
    at = EPOCH + number * every
    return Slot(at=at, starts_at=at, number=number)
