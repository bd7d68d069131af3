"""Runs seen with other eyes: annulled by a person, or judged again. What was said first is kept."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from dltest.model import (
    Annulment,
    Judgement,
    JudgementChange,
    Run,
    RunPhase,
    Steadiness,
    Verdict,
)
from dltest.store import rollup, tables
from dltest.store.claim import write_findings
from dltest.store.columns import storable
from dltest.store.database import Database
from dltest.store.mapping import run_values, runs_from


class Judgements:
    """The part of the store that knows second thoughts."""

    def __init__(self, database: Database, steadiness: Steadiness) -> None:
        self._database = database
        self._steadiness = steadiness

    def annul(self, run_id: str, annulment: Annulment) -> bool:
        """Mark an ended run: its verdict stays, and counts in no status any more.

        False if it has not ended, or is annulled already.
        """
        with self._database.writing(f"annul run {run_id}") as connection:
            run = _ended(connection, run_id)
            if run is None or run.annulment is not None:
                return False
            table = tables.run
            connection.execute(
                update(table)
                .where(table.c.id == run_id)
                .values(
                    annulled_at=annulment.at,
                    annulled_by=annulment.by,
                    annulled_why=annulment.why,
                )
            )
            said = _first_said(connection, run)
            rollup.count_annulled(self._database, connection, run, said)
            rollup.renew_case(connection, run, self._steadiness)
            return True

    def rejudge(self, change: JudgementChange) -> bool:
        """Replace an ended run's judgement, if it is still as it was `before`; keep the change."""
        with self._database.writing(f"judge run {change.run_id} again") as connection:
            run = _ended(connection, change.run_id)
            if run is None or run.judgement != change.before:
                return False
            after = run.model_copy(update={"judgement": change.after})
            _replace(connection, after)
            connection.execute(tables.judgement_change.insert(), _values(change))
            rollup.note_second_verdict(connection, after)
            if run.annulment is None:
                rollup.renew_case(connection, after, self._steadiness)
            return True

    def judgement_changes(self, run_id: str) -> list[JudgementChange]:
        """Oldest first."""
        with self._database.reading("read former judgements") as connection:
            return _changes(connection, run_id)

    def finished_runs(self, lake: str, after: datetime, until: datetime) -> list[str]:
        """Ids of the runs that ended in this time, in that order."""
        table = tables.run
        query = (
            select(table.c.id)
            .where(
                table.c.lake == lake,
                table.c.phase == RunPhase.ENDED,
                table.c.finished_at >= after,
                table.c.finished_at < until,
            )
            .order_by(table.c.finished_at, table.c.id)
        )
        with self._database.reading("find runs of that time") as connection:
            return list(connection.execute(query).scalars())


def _ended(connection: Connection, run_id: str) -> Run | None:
    """The run, locked; None if it has not ended."""
    table = tables.run
    query = select(table).where(table.c.id == run_id, table.c.phase == RunPhase.ENDED)
    rows: Sequence[Run] = runs_from(connection, connection.execute(query.with_for_update()))
    return rows[0] if rows else None


def _replace(connection: Connection, run: Run) -> None:
    table = tables.run
    values = {name: run_values(run)[name] for name in ("verdict", "blame", "blame_where")}
    connection.execute(
        update(table).where(table.c.id == run.id).values(version=run.version + 1, **values)
    )
    write_findings(connection, run)


def _first_said(connection: Connection, run: Run) -> tuple[Verdict, str]:
    """What the run was counted as."""
    changes = _changes(connection, run.id)
    first = changes[0].before if changes else run.judgement
    return rollup.verdict_of(run.model_copy(update={"judgement": first}))


def _changes(connection: Connection, run_id: str) -> list[JudgementChange]:
    table = tables.judgement_change
    query = select(table).where(table.c.run_id == run_id).order_by(table.c.id)
    return [
        JudgementChange(
            run_id=row.run_id,
            at=row.changed_at,
            by=row.changed_by,
            why=row.why,
            before=Judgement.model_validate(row.before),
            after=Judgement.model_validate(row.after),
        )
        for row in connection.execute(query)
    ]


def _values(change: JudgementChange) -> dict[str, object]:
    return {
        "run_id": change.run_id,
        "changed_at": change.at,
        "changed_by": change.by,
        "why": change.why,
        "before": storable(change.before.model_dump(mode="json")),
        "after": storable(change.after.model_dump(mode="json")),
    }
