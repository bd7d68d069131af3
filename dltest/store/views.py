"""Totals and latest states as the exporter and the pages read them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from dltest.model import HoldReason, LedgerState, RunPhase, Verdict
from dltest.store import tables
from dltest.store.admissions import held_runs
from dltest.store.database import Database
from dltest.store.marks import last_tick_query
from dltest.store.place import Place
from dltest.store.rollup import ENDLESS
from dltest.store.schedules import next_slots, slot_totals


@dataclass(frozen=True, slots=True)
class CaseState:
    """The latest that is known of one case."""

    lake: str
    case_id: str
    scenario: str
    place: Place
    verdict: Verdict
    blame: str
    run_id: str
    last_finished_at: datetime
    last_passed_at: datetime | None
    status: Verdict | None
    status_since: datetime | None
    recent: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class RunTotal:
    lake: str
    case_id: str
    scenario: str
    place: Place
    verdict: Verdict
    blame: str
    runs: int
    annulled: int


@dataclass(frozen=True, slots=True)
class DurationTotal:
    """One bucket alone, not cumulated; `step` is '' for the whole run."""

    lake: str
    scenario: str
    step: str
    bucket_seconds: float
    observations: int
    seconds_sum: float


@dataclass(frozen=True, slots=True)
class TransferTotal:
    lake: str
    step: str
    place: Place
    bytes_sum: int
    last_rate_bytes_per_second: float | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that is exported, of one moment.

    Keys: (lake, phase), (lake, reason), (lake, scenario, outcome), (lake, scenario), (lake, RSE).
    """

    cases: tuple[CaseState, ...]
    runs: tuple[RunTotal, ...]
    durations: tuple[DurationTotal, ...]
    transfers: tuple[TransferTotal, ...]
    open_runs: dict[tuple[str, str], int]
    held_runs: dict[tuple[str, str], int]
    slots: dict[tuple[str, str, str], int]
    next_slots: dict[tuple[str, str], datetime]
    leftovers: dict[tuple[str, str], int]
    last_tick: datetime | None


class Views:
    """The part of the store that reads totals."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def cases(self) -> list[CaseState]:
        """By lake, scenario and place."""
        with self._database.reading("read the cases") as connection:
            return _cases(connection)

    def snapshot(self) -> Snapshot:
        """All totals in one transaction."""
        with self._database.reading("read the totals") as connection:
            return Snapshot(
                cases=tuple(_cases(connection)),
                runs=tuple(_run_totals(connection)),
                durations=tuple(_duration_totals(connection)),
                transfers=tuple(_transfer_totals(connection)),
                open_runs=_open_runs(connection),
                held_runs=_held_runs(connection),
                slots=slot_totals(connection),
                next_slots=next_slots(connection),
                leftovers=_leftovers(connection),
                last_tick=connection.execute(last_tick_query()).scalar_one(),
            )


def _place(row: Any) -> Place:
    return Place(source=row.source, destination=row.destination, rse=row.rse)


def _cases(connection: Connection) -> list[CaseState]:
    table = tables.case_state
    query = select(table).order_by(table.c.lake, table.c.scenario, table.c.case_id)
    return [
        CaseState(
            lake=row.lake,
            case_id=row.case_id,
            scenario=row.scenario,
            place=_place(row),
            verdict=row.verdict,
            blame=row.blame,
            run_id=row.run_id,
            last_finished_at=row.last_finished_at,
            last_passed_at=row.last_passed_at,
            status=row.status,
            status_since=row.status_since,
            recent=tuple(Verdict(word) for word in row.recent),
        )
        for row in connection.execute(query)
    ]


def _run_totals(connection: Connection) -> list[RunTotal]:
    table = tables.run_total
    query = select(table).order_by(*table.primary_key)
    return [
        RunTotal(
            lake=row.lake,
            case_id=row.case_id,
            scenario=row.scenario,
            place=_place(row),
            verdict=row.verdict,
            blame=row.blame,
            runs=row.runs,
            annulled=row.annulled,
        )
        for row in connection.execute(query)
    ]


def _duration_totals(connection: Connection) -> list[DurationTotal]:
    table = tables.duration_total
    query = select(table).order_by(*table.primary_key)
    return [
        DurationTotal(
            lake=row.lake,
            scenario=row.scenario,
            step=row.step,
            bucket_seconds=float("inf") if row.bucket_seconds == ENDLESS else row.bucket_seconds,
            observations=row.observations,
            seconds_sum=row.seconds_sum,
        )
        for row in connection.execute(query)
    ]


def _transfer_totals(connection: Connection) -> list[TransferTotal]:
    table = tables.transfer_total
    query = select(table).order_by(*table.primary_key)
    return [
        TransferTotal(
            lake=row.lake,
            step=row.step,
            place=_place(row),
            bytes_sum=row.bytes_sum,
            last_rate_bytes_per_second=row.last_rate_bytes_per_second,
        )
        for row in connection.execute(query)
    ]


def _open_runs(connection: Connection) -> dict[tuple[str, str], int]:
    """For every lake and open phase, zeros included."""
    run = tables.run
    query = (
        select(run.c.lake, run.c.phase, func.count())
        .where(run.c.phase != RunPhase.ENDED)
        .group_by(run.c.lake, run.c.phase)
    )
    counted = {(lake, phase.value): count for lake, phase, count in connection.execute(query)}
    phases = [phase.value for phase in RunPhase if phase is not RunPhase.ENDED]
    zeros = {(lake, phase): 0 for lake in _lakes(connection) for phase in phases}
    return zeros | counted


def _held_runs(connection: Connection) -> dict[tuple[str, str], int]:
    """For every lake and reason, zeros included."""
    zeros = {(lake, reason.value): 0 for lake in _lakes(connection) for reason in HoldReason}
    return zeros | held_runs(connection)


def _leftovers(connection: Connection) -> dict[tuple[str, str], int]:
    """For every lake and RSE that has had any; a count that returns to zero is told."""
    entry, run = tables.ledger_entry, tables.run
    behind = func.sum(entry.c.count).filter(
        run.c.phase == RunPhase.ENDED, entry.c.state != LedgerState.GONE
    )
    query = (
        select(run.c.lake, entry.c.rse, func.coalesce(behind, 0))
        .join(run, run.c.id == entry.c.run_id)
        .group_by(run.c.lake, entry.c.rse)
    )
    return {(lake, rse): int(count) for lake, rse, count in connection.execute(query)}


def _lakes(connection: Connection) -> list[str]:
    return list(connection.execute(select(tables.lake.c.name)).scalars())
