"""One JSON object a run: the shape that other programs rely on (docs/reference/json.md)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from dltest.model import Annulment, Attempt, JudgementChange, Run, StepRecord


def run_object(run: Run, changes: Iterable[JudgementChange] = ()) -> dict[str, Any]:
    """Stable fields only; times are ISO 8601 in UTC, absent facts are null.

    `changes` are the run's former judgements, where somebody asked for them.
    """
    judgement = run.judgement
    return {
        "run_id": run.id,
        "campaign_id": run.campaign_id,
        "scenario": run.case.scenario,
        "case": run.case.id,
        "lake": run.lake,
        "verdict": judgement.verdict.value if judgement else None,
        "blame": str(judgement.blame) if judgement and judgement.blame else None,
        "findings": [
            {"code": finding.code, "title": finding.title, "blame": str(finding.blame)}
            for finding in (judgement.findings if judgement else ())
        ],
        "started_at": _time(run.started_at),
        "finished_at": _time(run.finished_at),
        "steps": [_step(record) for record in (*run.records, run.cleanup)],
        "leftovers": run.leftovers,
        "held": run.held,
        "annulled": _annulled(run.annulment),
        "judged_again": [_change(change) for change in changes],
    }


def _annulled(annulment: Annulment | None) -> dict[str, Any] | None:
    if annulment is None:
        return None
    return {"at": _time(annulment.at), "by": annulment.by, "why": annulment.why}


def _change(change: JudgementChange) -> dict[str, Any]:
    return {
        "at": _time(change.at),
        "by": change.by,
        "why": change.why,
        "before": change.before.verdict.value,
        "after": change.after.verdict.value,
    }


def _step(record: StepRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "state": record.state.value,
        "began_at": _time(record.began_at),
        "ended_at": _time(record.ended_at),
        "measured": record.measured,
        "evidence": record.evidence,
        "attempts": [_attempt(attempt) for attempt in record.attempts],
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "state": attempt.state.value,
        "began_at": _time(attempt.began_at),
        "ended_at": _time(attempt.ended_at),
        "troubles": [
            {"code": trouble.code, "message": trouble.message, "blame": str(trouble.blame)}
            for trouble in attempt.troubles
        ],
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None
