"""Rows of `run`, `step_record` and `finding` <-> the `Run` that the engine knows."""

import math
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, select

from dltest.model import (
    Annulment,
    Attempt,
    Blame,
    Case,
    Finding,
    Judgement,
    Progress,
    Run,
    StepRecord,
    Trouble,
    Value,
    Watch,
)
from dltest.store import tables
from dltest.store.columns import storable
from dltest.store.place import Place

Values = dict[str, Any]

TARGETS_JOIN = "->"


def run_values(run: Run) -> Values:
    """The columns of `run` that change over its life."""
    judgement = run.judgement
    blame = judgement.blame if judgement else None
    return {
        "phase": run.phase,
        "verdict": judgement.verdict if judgement else None,
        "blame": blame.party if blame else None,
        "blame_where": blame.where if blame else None,
        "leftovers": run.leftovers,
        "cancelled": run.cancelled,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "deadline": run.deadline,
        "wake_at": run.wake_at,
        "watch": _json(run.watch) if run.watch else None,
        "step_index": run.step_index,
        "handle": storable(run.handle),
    }


CHANGING_COLUMNS = (
    *("phase", "verdict", "blame", "blame_where", "leftovers", "cancelled", "started_at"),
    *("finished_at", "deadline", "wake_at", "watch", "step_index", "handle"),
)
"""The keys of `run_values`."""


def birth_values(run: Run, position: int) -> Values:
    """All columns of a new row."""
    return {
        "id": run.id,
        "campaign_id": run.campaign_id,
        "position": position,
        "lake": run.lake,
        "scenario": run.case.scenario,
        "case_id": run.case.id,
        **Place.of(run.case).columns(),
        "targets": TARGETS_JOIN.join(run.case.targets.values()),
        "planned_at": run.planned_at,
        "admitted_at": run.admitted_at,
        "case_definition": _json(run.case),
        "version": run.version,
        **run_values(run),
    }


def record_values(run: Run) -> dict[int, Values]:
    """The rows of `step_record` by position."""
    placed = dict(enumerate(run.records)) | {tables.CLEANUP_POSITION: run.cleanup}
    return {
        position: {
            "run_id": run.id,
            "position": position,
            "name": record.name,
            "state": record.state,
            "began_at": record.began_at,
            "ended_at": record.ended_at,
            "measured": {k: v for k, v in record.measured.items() if math.isfinite(v)},
            "evidence": storable(record.evidence),
            "troubles": [_json(trouble) for trouble in record.troubles],
            "progress": _json(record.progress) if record.progress else None,
            "attempts": [_json(attempt) for attempt in record.attempts],
        }
        for position, record in placed.items()
    }


def finding_values(run: Run) -> list[Values]:
    findings = run.judgement.findings if run.judgement else ()
    return [
        {
            "run_id": run.id,
            "position": position,
            "code": finding.code,
            "title": finding.title,
            "verdict": finding.verdict,
            "blame": finding.blame.party,
            "blame_where": finding.blame.where,
            "step": finding.step,
        }
        for position, finding in enumerate(findings)
    ]


def runs_from(connection: Connection, rows: Iterable[Row[Any]]) -> list[Run]:
    """The runs of these rows of `run`, in their order: three queries for any number."""
    found = list(rows)
    ids = [row.id for row in found]
    records = _children(connection, tables.step_record, ids)
    judged = [row.id for row in found if row.verdict is not None]
    findings = _children(connection, tables.finding, judged)
    return [_run(row, records.get(row.id, []), findings.get(row.id, [])) for row in found]


def _children(connection: Connection, table: Any, ids: list[str]) -> dict[str, list[Row[Any]]]:
    found: dict[str, list[Row[Any]]] = {}
    # SQLite takes 32766 variables in a statement.
    for start in range(0, len(ids), 10_000):
        chosen = table.c.run_id.in_(ids[start : start + 10_000])
        for row in connection.execute(select(table).where(chosen).order_by(table.c.position)):
            found.setdefault(row.run_id, []).append(row)
    return found


def _run(row: Row[Any], records: list[Row[Any]], findings: list[Row[Any]]) -> Run:
    steps = [record for record in records if record.position != tables.CLEANUP_POSITION]
    cleanup = [record for record in records if record.position == tables.CLEANUP_POSITION]
    return Run(
        id=row.id,
        campaign_id=row.campaign_id,
        lake=row.lake,
        case=Case.model_validate(row.case_definition),
        phase=row.phase,
        step_index=row.step_index,
        handle=row.handle,
        records=tuple(_record(step) for step in steps),
        cleanup=_record(cleanup[0]) if cleanup else StepRecord(name="clean-up"),
        judgement=_judgement(row, findings),
        leftovers=row.leftovers,
        cancelled=row.cancelled,
        planned_at=row.planned_at,
        admitted_at=row.admitted_at,
        held=row.held,
        annulment=_annulment(row),
        started_at=row.started_at,
        finished_at=row.finished_at,
        wake_at=row.wake_at,
        watch=Watch.model_validate(row.watch) if row.watch else None,
        deadline=row.deadline,
        version=row.version,
    )


def _annulment(row: Row[Any]) -> Annulment | None:
    if row.annulled_at is None:
        return None
    return Annulment(at=row.annulled_at, by=row.annulled_by, why=row.annulled_why)


def _record(row: Row[Any]) -> StepRecord:
    return StepRecord(
        name=row.name,
        state=row.state,
        began_at=row.began_at,
        ended_at=row.ended_at,
        measured=row.measured,
        evidence=row.evidence,
        troubles=tuple(Trouble.model_validate(trouble) for trouble in row.troubles),
        progress=Progress.model_validate(row.progress) if row.progress else None,
        attempts=tuple(Attempt.model_validate(attempt) for attempt in row.attempts),
    )


def _judgement(row: Row[Any], findings: list[Row[Any]]) -> Judgement | None:
    if row.verdict is None:
        return None
    return Judgement(
        verdict=row.verdict,
        findings=tuple(
            Finding(
                code=finding.code,
                title=finding.title,
                blame=Blame(party=finding.blame, where=finding.blame_where),
                verdict=finding.verdict,
                step=finding.step,
            )
            for finding in findings
        ),
    )


def _json(value: Value) -> Any:
    return storable(value.model_dump(mode="json"))
