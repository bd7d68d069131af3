"""Totals that outlive the runs they count, written in the transaction that ends a run.

Rows are always touched in the same order (table by table, keys sorted), so that two workers that
end two runs at once wait for each other and never deadlock.
"""

from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, or_, select, update

from dltest.model import DLTEST, Run, Status, Steadiness, StepRecord, StepState, Verdict
from dltest.model.status import COUNTED
from dltest.store import tables
from dltest.store.database import Database
from dltest.store.place import Place

# Half a decade a step from a second to about a day: a tape recall and a ping fit one histogram.
BUCKETS_SECONDS = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, float("inf"))
assert all(lower < upper for lower, upper in pairwise(BUCKETS_SECONDS))  # noqa: S101

# JSON and SQL text cannot say infinity alike; this edge stands for it in the table.
ENDLESS = 1e308

WHOLE_RUN = ""
# Stands for a step where what counts is how long the issuer took for a token.
ISSUING = "*issuing"

# A status follows from the latest runs alone; older ones than these have no say in it.
REPLAYED_RUNS = 100


def add(
    database: Database, connection: Connection, run: Run, now: datetime, steadiness: Steadiness
) -> None:
    """Count a run that has just ended. Call once a run."""
    finished_at = run.finished_at or now
    _count_run(database, connection, run)
    _count_durations(database, connection, run)
    for record in sorted(run.records, key=lambda record: record.name):
        if record.state is StepState.DONE and record.measured.get("bytes"):
            _count_bytes(database, connection, run, record, finished_at)
    if _note_case(database, connection, run, finished_at):
        _note_status(connection, run, finished_at, steadiness)


def count_annulled(
    database: Database, connection: Connection, run: Run, said: tuple[Verdict, str]
) -> None:
    """Count a run that a person annulled, where it was counted when it ended."""
    table = tables.run_total
    insert = database.insert(table).values(
        **_total_key(run, said), scenario=run.case.scenario, runs=0, annulled=1
    )
    more = {"annulled": table.c.annulled + 1}
    connection.execute(insert.on_conflict_do_update(index_elements=_keys(table), set_=more))


def renew_case(connection: Connection, run: Run, steadiness: Steadiness) -> None:
    """Work the case's status out again, since one of its old runs is seen with other eyes."""
    table, state = tables.run, tables.case_state
    query = (
        select(table.c.verdict, table.c.finished_at)
        .where(
            table.c.lake == run.lake,
            table.c.case_id == run.case.id,
            table.c.finished_at.is_not(None),
            table.c.annulled_at.is_(None),
            table.c.verdict.in_(COUNTED),
        )
        .order_by(table.c.finished_at.desc())
        .limit(REPLAYED_RUNS)
    )
    is_it = (state.c.lake == run.lake, state.c.case_id == run.case.id)
    connection.execute(select(state.c.case_id).where(*is_it).with_for_update()).all()
    rows = connection.execute(query).all()[::-1]
    since = None
    status = Status()
    for verdict, finished_at in rows:
        before, status = status, status.after(verdict, steadiness)
        since = finished_at if status.verdict is not before.verdict else since
    values = {**_status_values(status), "status_since": since}
    connection.execute(update(state).where(*is_it).values(**values))


def note_second_verdict(connection: Connection, run: Run) -> None:
    """The case's latest verdict is what is said of its latest run now."""
    table = tables.case_state
    verdict, blame = verdict_of(run)
    connection.execute(
        update(table)
        .where(table.c.lake == run.lake, table.c.case_id == run.case.id, table.c.run_id == run.id)
        .values(verdict=verdict, blame=blame)
    )


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
    taken = [
        (step, max((end - begin).total_seconds(), 0.0))
        for step, begin, end in spans
        if begin is not None and end is not None
    ]
    tokens = (record.measured.get("token_seconds") for record in run.records)
    return taken + [(ISSUING, seconds) for seconds in tokens if seconds is not None]


def _count_run(database: Database, connection: Connection, run: Run) -> None:
    table = tables.run_total
    insert = database.insert(table).values(
        **_total_key(run, verdict_of(run)), scenario=run.case.scenario, runs=1, annulled=0
    )
    more = {"runs": table.c.runs + 1}
    connection.execute(insert.on_conflict_do_update(index_elements=_keys(table), set_=more))


def _total_key(run: Run, said: tuple[Verdict, str]) -> dict[str, Any]:
    verdict, blame = said
    return {
        "lake": run.lake,
        "case_id": run.case.id,
        "verdict": verdict,
        "blame": blame,
        **Place.of(run.case).columns(),
    }


def _count_durations(database: Database, connection: Connection, run: Run) -> None:
    """In one statement, where each row may stand once: a step may come twice in a run."""
    counted: dict[tuple[str, float], list[float]] = {}
    for step, seconds in _durations(run):
        counted.setdefault((step, bucket_of(seconds)), []).append(seconds)
    if not counted:
        return
    table = tables.duration_total
    insert = database.insert(table).values(
        [
            {
                "lake": run.lake,
                "scenario": run.case.scenario,
                "step": step,
                "bucket_seconds": bucket,
                "observations": len(seconds),
                "seconds_sum": sum(seconds),
            }
            for (step, bucket), seconds in sorted(counted.items())
        ]
    )
    more = {
        "observations": table.c.observations + insert.excluded.observations,
        "seconds_sum": table.c.seconds_sum + insert.excluded.seconds_sum,
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


def _note_case(database: Database, connection: Connection, run: Run, finished_at: datetime) -> bool:
    """Whether this is the latest run of its case; runs may end out of order."""
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
    newest = insert.on_conflict_do_update(
        index_elements=_keys(table), set_=latest, where=table.c.last_finished_at <= finished_at
    ).returning(table.c.run_id)
    is_newest = connection.execute(newest).first() is not None
    if verdict is Verdict.PASSED:
        unknown_or_older = or_(
            table.c.last_passed_at.is_(None), table.c.last_passed_at < finished_at
        )
        connection.execute(
            update(table)
            .where(table.c.lake == run.lake, table.c.case_id == run.case.id, unknown_or_older)
            .values(last_passed_at=finished_at)
        )
    return is_newest


def _note_status(
    connection: Connection, run: Run, finished_at: datetime, steadiness: Steadiness
) -> None:
    """The row is ours: `_note_case` has just written it in this transaction."""
    table = tables.case_state
    is_it = (table.c.lake == run.lake, table.c.case_id == run.case.id)
    row = connection.execute(select(table.c.status, table.c.recent).where(*is_it)).one()
    before = Status(verdict=row.status, recent=row.recent)
    status = before.after(verdict_of(run)[0], steadiness)
    values = _status_values(status)
    if status.verdict is not before.verdict:
        values["status_since"] = finished_at
    connection.execute(update(table).where(*is_it).values(**values))


def _status_values(status: Status) -> dict[str, Any]:
    return {"status": status.verdict, "recent": [verdict.value for verdict in status.recent]}


def _keys(table: Any) -> list[str]:
    return [column.name for column in table.primary_key]
