"""Judges an old run again by today's judge, on the record that was written then."""

from datetime import datetime

from dltest.judge import judge
from dltest.model import JudgementChange, Run, StepState


def judged_again(run: Run, *, by: str, why: str, now: datetime) -> JudgementChange | None:
    """The change; None for a run that has not ended or did nothing, such as one in a downtime."""
    is_empty = all(record.state is StepState.SKIPPED for record in run.records)
    if not run.is_ended or run.judgement is None or is_empty:
        return None
    return JudgementChange(
        run_id=run.id,
        at=now,
        by=by,
        why=why,
        before=run.judgement,
        after=judge(run.case, run.records, cancelled=run.cancelled),
    )
