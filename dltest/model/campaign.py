"""A campaign: the runs that one trigger planned together."""

from datetime import datetime
from enum import StrEnum

from dltest.model.value import Value


class Trigger(StrEnum):
    """What asked for the runs."""

    MANUAL = "manual"
    CI = "ci"
    SCHEDULE = "schedule"


class Driver(StrEnum):
    """Who takes the steps: the process that planned them, or the service's workers."""

    IN_PROCESS = "in-process"
    SERVICE = "service"


class Campaign(Value):
    """`finished_at` is when the last of its runs ended; None while one is open.

    `ignores_downtime`: a person asked for its runs although a site is in downtime.
    """

    id: str
    lake: str
    trigger: Trigger = Trigger.MANUAL
    driver: Driver
    title: str
    created_at: datetime
    ignores_downtime: bool = False
    finished_at: datetime | None = None
