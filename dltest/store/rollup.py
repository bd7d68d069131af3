"""Totals that outlive the runs they count, written in the transaction that ends a run.

Rows are always touched in the same order (table by table, keys sorted), so that two workers that
end two runs at once wait for each other and never deadlock.
"""

from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, or_, update

from dltest.model import DLTEST, Run, StepRecord, StepState, Verdict
from dltest.store import tables
from dltest.store.database import Database
from dltest.store.place import Place

# Half a decade a step from a second to about a day: a tape recall and a ping fit one histogram.
BUCKETS_SECONDS = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, float("inf"))
assert all(lower < upper for lower, upper in pairwise(BUCKETS_SECONDS))  # noqa: S101

# JSON and SQL text cannot say infinity alike; this edge stands for it in the table.
ENDLESS = 1e308

WHOLE_RUN = ""


def add(database: Database, connection: Connection, run: Run, now: datetime) -> None:
    """Count a run that has just ended. Call once a run."""
    finished_at = run.finished_at or now
    _count_run(database, connection, run)
    for step, seconds in sorted(_durations(run)):
        _count_duration(database, connection, run, step, seconds)
    for record in sorted(run.records, key=lambda record: record.name):
        if record.state is StepState.DONE and record.measured.get("bytes"):
            _count_bytes(database, connection, run, record, finished_at)
    _note_case(database, connection, run, finished_at)


def verdict_of(run: Run) -> tuple[Verdict, str]:
    """Verdict and blame; a run that ended unjudged is our own failing."""
    if run.judgement is None:
        return Verdict.INCONCLUSIVE, str(DLTEST)
    return run.judgement.verdict, str(run.judgement.blame or "")


def bucket_of(seconds: float) -> float:
    edge = next(edge for edge in BUCKETS_SECONDS if seconds <= edge)
    return min(edge, ENDLESS)


def _durations(run: Run) -> list[tuple[str, float]]:
    spans = [(record.name, record.began_at, record.ended_at) for record in run.records]
    spans.append((run.cleanup.name, run.cleanup.began_at, run.cleanup.ended_at))
    spans.append((WHOLE_RUN, run.started_at, run.finished_at))
    return [
        (step, max((end - begin).total_seconds(), 0.0))
        for step, begin, end in spans
        if begin is not None and end is not None
    ]


def _count_run(database: Database, connection: Connection, run: Run) -> None:
    table = tables.run_total
    verdict, blame = verdict_of(run)
    insert = database.insert(table).values(
        lake=run.lake,
        case_id=run.case.id,
        verdict=verdict,
        blame=blame,
        scenario=run.case.scenario,
        **Place.of(run.case).columns(),
        runs=1,
    )
    more = {"runs": table.c.runs + 1}
    connection.execute(insert.on_conflict_do_update(index_elements=_keys(table), set_=more))


def _count_duration(
    database: Database, connection: Connection, run: Run, step: str, seconds: float
) -> None:
    table = tables.duration_total
    insert = database.insert(table).values(
        lake=run.lake,
        scenario=run.case.scenario,
        step=step,
        bucket_seconds=bucket_of(seconds),
        observations=1,
        seconds_sum=seconds,
    )
    more = {
        "observations": table.c.observations + 1,
        "seconds_sum": table.c.seconds_sum + seconds,
    }
    connection.execute(insert.on_conflict_do_update(index_elements=_keys(table), set_=more))


def _count_bytes(
    database: Database,
    connection: Connection,
    run: Run,
    record: StepRecord,
    finished_at: datetime,
) -> None:
    table = tables.transfer_total
    moved = int(record.measured["bytes"])
    rate = record.measured.get("rate_bytes_per_second")
    insert = database.insert(table).values(
        lake=run.lake,
        step=record.name,
        **_place_of(run, record).columns(),
        bytes_sum=moved,
        last_rate_bytes_per_second=rate,
        last_at=finished_at,
    )
    more: dict[str, Any] = {"bytes_sum": table.c.bytes_sum + moved}
    if rate is not None:
        more |= {"last_rate_bytes_per_second": rate, "last_at": finished_at}
    connection.execute(insert.on_conflict_do_update(index_elements=_keys(table), set_=more))


def _place_of(run: Run, record: StepRecord) -> Place:
    """Replication crosses the case's link; any other step touches the RSE its evidence names."""
    place = Place.of(run.case)
    if place.source and record.name == "replicate":
        return place
    return Place(rse=str(record.evidence.get("rse") or place.rse))


def _note_case(database: Database, connection: Connection, run: Run, finished_at: datetime) -> None:
    table = tables.case_state
    verdict, blame = verdict_of(run)
    latest = {
        "verdict": verdict,
        "blame": blame,
        "run_id": run.id,
        "last_finished_at": finished_at,
    }
    insert = database.insert(table).values(
        lake=run.lake,
        case_id=run.case.id,
        scenario=run.case.scenario,
        **Place.of(run.case).columns(),
        **latest,
    )
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=_keys(table),
            set_=latest,
            # Runs of one case may end out of order.
            where=table.c.last_finished_at <= finished_at,
        )
    )
    if verdict is Verdict.PASSED:
        unknown_or_older = or_(
            table.c.last_passed_at.is_(None), table.c.last_passed_at < finished_at
        )
        connection.execute(
            update(table)
            .where(table.c.lake == run.lake, table.c.case_id == run.case.id, unknown_or_older)
            .values(last_passed_at=finished_at)
        )


def _keys(table: Any) -> list[str]:
    return [column.name for column in table.primary_key]
