"""What happened: written by the engine, read by the judge, kept for ever in the store."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field, JsonValue

from dltest.model.blame import Blame
from dltest.model.value import Value
from dltest.model.verdict import Verdict


class StepState(StrEnum):
    """Where a step stands.

    `refused`: the lake answered, and the answer was no. `overdue`: it did not come to an end in
    the time given. `unknown`: we could not find out. `skipped`: an earlier step ended the run.
    """

    PENDING = "pending"
    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"
    OVERDUE = "overdue"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"

    @property
    def is_final(self) -> bool:
        return self not in {StepState.PENDING, StepState.WAITING}


class Trouble(Value):
    """A fact that stood in the way, in the lake's own words; the judge decides what it means.

    `code` is kebab-case and stable (docs/reference/findings.md). `phase` is FTS's SOURCE,
    DESTINATION or TRANSFER where one is known.
    """

    code: str
    message: str
    blame: Blame
    phase: str | None = None


class Progress(Value):
    """How far a waiting step has come; units are files and bytes."""

    files_done: int = 0
    bytes_done: int = 0
    rate_bytes_per_second: float | None = None
    note: str = ""


class Attempt(Value):
    """An earlier try of a step that may be retried; the record itself tells of the last one."""

    state: StepState
    began_at: datetime
    ended_at: datetime
    troubles: tuple[Trouble, ...] = ()


class StepRecord(Value):
    """One step of one run.

    `measured` holds numbers whose unit is the end of their name (`_seconds`, `_bytes`,
    `_bytes_per_second`, `_files`). `evidence` holds what a person would look up: rule ids, FTS
    jobs, PFNs, checksums, the servers' own words; never a secret.
    """

    name: str
    state: StepState = StepState.PENDING
    began_at: datetime | None = None
    ended_at: datetime | None = None
    measured: dict[str, float] = Field(default_factory=dict)
    evidence: dict[str, JsonValue] = Field(default_factory=dict)
    troubles: tuple[Trouble, ...] = ()
    progress: Progress | None = None
    attempts: tuple[Attempt, ...] = ()


class Finding(Value):
    """What the judge says of one expectation that did not hold, or could not be checked."""

    code: str
    title: str
    blame: Blame
    verdict: Verdict
    step: str | None = None


class Judgement(Value):
    """The verdict of a run and why. `blame` is that of the finding that decided the verdict."""

    verdict: Verdict
    findings: tuple[Finding, ...] = ()

    @property
    def blame(self) -> Blame | None:
        return next((f.blame for f in self.findings if f.verdict is self.verdict), None)
