"""Runs that are not exercised: what there is to say of them stands without any record."""

from datetime import datetime

from dltest.model import (
    SCENARIO,
    Finding,
    Judgement,
    Run,
    RunPhase,
    StepRecord,
    StepState,
    Verdict,
)


def skipped(run: Run, finding: Finding, now: datetime) -> Run:
    """The run as it ends when nothing of it was done; the finding says why."""
    return run.model_copy(
        update={
            "phase": RunPhase.ENDED,
            "records": tuple(
                record.model_copy(update={"state": StepState.SKIPPED}) for record in run.records
            ),
            "cleanup": StepRecord(name=run.cleanup.name, state=StepState.SKIPPED),
            "judgement": Judgement(verdict=Verdict.SKIPPED, findings=(finding,)),
            "started_at": now,
            "finished_at": now,
        }
    )


def not_supported(lake: str) -> Finding:
    """A case needs what this lake does not have, which is nobody's failing."""
    return Finding(
        code="not-supported",
        title=f"nobody may break lake '{lake}' on purpose: only labs have faults",
        blame=SCENARIO,
        verdict=Verdict.SKIPPED,
    )
