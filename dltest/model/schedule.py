"""When a scenario runs by itself: every so often, or by cron in a time zone."""

from datetime import datetime, timedelta
from enum import StrEnum

from dltest.model.value import Value


class Schedule(Value):
    """Either `every` or `cron` (five fields, read in `time_zone`) is set.

    A slot is a moment at which a campaign is due, in UTC; slots follow from the schedule alone,
    so that any number of schedulers agree on them. `jitter` delays the begin of a slot's campaign
    by up to so much, the same for everybody who asks (it is drawn from name and slot).
    """

    every: timedelta | None = None
    cron: str | None = None
    time_zone: str = "UTC"
    jitter: timedelta = timedelta(0)


class Slot(Value):
    """`number` counts up by one a slot where slots are even (`every`); a sampled mesh turns by it.

    `starts_at` is `at` plus the slot's own jitter.
    """

    at: datetime
    starts_at: datetime
    number: int


class Pause(Value):
    """A person's word that a scenario is not to run by itself, for ever or `until` then."""

    at: datetime
    by: str
    why: str
    until: datetime | None = None

    def holds(self, now: datetime) -> bool:
        return self.until is None or now < self.until


class Scheduled(Value):
    """A scenario's schedule on a lake, and where it stands.

    `next_slot` is the first that nobody has dealt with; None when the scenario, or its schedule,
    is no longer in the folder.
    """

    lake: str
    scenario: str
    schedule: Schedule
    next_slot: Slot | None
    pause: Pause | None = None


class SlotOutcome(StrEnum):
    """What became of a slot.

    `missed`: nobody was awake; the campaign of a later slot stands for it. `overlap`: every case
    still had an open run. `failed`: there was no plan. `paused`: a person had paused the schedule.
    """

    STARTED = "started"
    MISSED = "missed"
    OVERLAP = "skipped-overlap"
    PAUSED = "paused"
    FAILED = "failed"


class SlotRecord(Value):
    """What became of one slot.

    `missed` counts the slots that this row stands for (outcome `missed`); `overlapping` the
    cases that were not planned, since they still had an open run; `why` is the planner's word.
    """

    lake: str
    scenario: str
    slot_at: datetime
    outcome: SlotOutcome
    campaign_id: str | None = None
    missed: int = 0
    overlapping: int = 0
    why: str = ""
    written_at: datetime
