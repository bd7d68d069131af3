"""A run: one execution of one case, from its row's birth to its verdict and its clean end."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field, JsonValue

from dltest.model.case import Case
from dltest.model.record import Judgement, StepRecord
from dltest.model.value import Value
from dltest.model.watch import Watch


class RunPhase(StrEnum):
    """A verdict stands from `cleaning` on; only `ended` runs are never looked at again."""

    PLANNED = "planned"
    EXERCISING = "exercising"
    CLEANING = "cleaning"
    ENDED = "ended"


class HoldReason(StrEnum):
    """What a planned run waits for: its scenario's pace, the installation's limits, the lake's.

    `apart`: it breaks what open runs use, or they break what it uses.
    """

    PACE_RSE = "pace-per-rse"
    PACE_LINK = "pace-per-link"
    PACE_BANDWIDTH = "pace-bandwidth"
    PARALLEL_RSE = "parallel-per-rse"
    PARALLEL_LINK = "parallel-per-link"
    PARALLEL_RUNS = "parallel-runs"
    WAITING_RULES = "waiting-rules"
    APART = "apart"


class Annulment(Value):
    """A person's word that a run's verdict does not count: the test was wrong, not the lake."""

    at: datetime
    by: str
    why: str


class JudgementChange(Value):
    """A run that was judged again: what was said before, and after."""

    run_id: str
    at: datetime
    by: str
    why: str
    before: Judgement
    after: Judgement


class Run(Value):
    """The whole state of a run: everything the engine needs to go on after a crash anywhere.

    `handle` is what the step at `step_index` (or the clean-up) waits with. `wake_at` is when it
    wants to be looked at again; rows are truth, wake-ups are hints. `watch` wakes it before. A
    planned run begins once it was admitted; `held` says why it was not yet, as `reason: sentence`.
    """

    id: str
    campaign_id: str
    lake: str
    case: Case
    phase: RunPhase = RunPhase.PLANNED
    step_index: int = 0
    handle: dict[str, JsonValue] | None = None
    records: tuple[StepRecord, ...] = ()
    cleanup: StepRecord = Field(default_factory=lambda: StepRecord(name="clean-up"))
    judgement: Judgement | None = None
    leftovers: int = 0
    cancelled: bool = False
    planned_at: datetime
    admitted_at: datetime | None = None
    held: str | None = None
    annulment: Annulment | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    wake_at: datetime | None = None
    watch: Watch | None = None
    deadline: datetime | None = None
    version: int = 0

    @property
    def is_ended(self) -> bool:
        return self.phase is RunPhase.ENDED
