"""When a scenario runs by itself: every so often, or by cron in a time zone."""

from datetime import datetime, timedelta

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
