"""Who waits to begin and who is at it, read and decided under one lock a lake."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, case, func, select, text, update

from dltest.model import Driver, Pace, RunPhase, StepState, Trigger
from dltest.store import tables
from dltest.store.database import Database
from dltest.store.mapping import TARGETS_JOIN

# Any constant serves as long as nothing else in the same database uses it.
ADVISORY_LOCK = 5_349_872

# The first so many are looked at; those behind them wait for these in any case, or nearly.
LONGEST_QUEUE = 5_000

_DISTURBS = tables.run.c.case_definition["disturbs"]


@dataclass(frozen=True, slots=True)
class Waiter:
    """A planned run of the service that was not admitted yet."""

    run_id: str
    scenario: str
    targets: tuple[str, ...]
    ignores_downtime: bool
    held: str | None
    disturbs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """So many open runs of one scenario over the same targets."""

    scenario: str
    targets: tuple[str, ...]
    runs: int


@dataclass(frozen=True, slots=True)
class Crowd:
    """All that an admission is decided by.

    `waiters` are those of people and CI first, then the oldest; `free_from` says when a
    scenario's bandwidth allows the next begin; `waiting_rules` is how many of our replications
    wait for the lake; `disturbed` are the RSEs that open runs break, or `LAKE`.
    """

    waiters: tuple[Waiter, ...]
    open: tuple[Group, ...]
    paces: Mapping[str, Pace]
    free_from: Mapping[str, datetime]
    waiting_rules: int
    disturbed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Admission:
    """`held` maps run -> why; `closed` are runs whose targets are in downtime, run -> why."""

    admitted: tuple[str, ...] = ()
    held: Mapping[str, str] = field(default_factory=dict)
    closed: Mapping[str, str] = field(default_factory=dict)


class Admissions:
    """The part of the store that lets runs begin."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def admit(self, lake: str, now: datetime, decide: Callable[[Crowd], Admission]) -> Admission:
        """Let `decide` choose who begins, and write it down; one at a time on each lake."""
        if not self.has_waiters(lake):
            return Admission()
        with self._database.writing("admit runs") as connection:
            if self._database.is_postgresql:
                lock = text("SELECT pg_advisory_xact_lock(:key, hashtext(:lake))")
                connection.execute(lock, {"key": ADVISORY_LOCK, "lake": lake})
            crowd = _crowd(connection, lake)
            admission = decide(crowd)
            _write(connection, crowd, admission, now)
            return admission

    def has_waiters(self, lake: str) -> bool:
        with self._database.reading("see whether a run waits to begin") as connection:
            return connection.execute(_waiting(lake).limit(1)).first() is not None

    def held_runs(self) -> dict[tuple[str, str], int]:
        """How many are held, by lake and reason."""
        with self._database.reading("count held runs") as connection:
            return held_runs(connection)


def held_runs(connection: Connection) -> dict[tuple[str, str], int]:
    table = tables.run
    query = (
        select(table.c.lake, table.c.held, func.count())
        .where(table.c.phase == RunPhase.PLANNED, table.c.held.is_not(None))
        .group_by(table.c.lake, table.c.held)
    )
    counted: dict[tuple[str, str], int] = {}
    for lake, held, runs in connection.execute(query):
        key = (lake, held.partition(":")[0])
        counted[key] = counted.get(key, 0) + runs
    return counted


def _crowd(connection: Connection, lake: str) -> Crowd:
    waiters = tuple(
        Waiter(
            run_id=row.id,
            scenario=row.scenario,
            targets=tuple(row.targets.split(TARGETS_JOIN)),
            ignores_downtime=row.ignores_downtime,
            held=row.held,
            disturbs=tuple(row.disturbs or ()),
        )
        for row in connection.execute(_waiting(lake).limit(LONGEST_QUEUE))
    )
    paces = _paces(connection, waiters)
    return Crowd(
        waiters=waiters,
        open=_open(connection, lake) if waiters else (),
        paces=paces,
        free_from=_free_from(connection, lake, paces),
        waiting_rules=_waiting_rules(connection, lake) if waiters else 0,
        disturbed=_disturbed(connection, lake) if waiters else (),
    )


def _waiting(lake: str) -> Any:
    """A schedule has time; who asked by hand, or waits in CI, has not."""
    run, campaign = tables.run, tables.campaign
    is_scheduled = case((campaign.c.trigger == Trigger.SCHEDULE, 1), else_=0)
    return (
        select(
            run.c.id,
            run.c.scenario,
            run.c.targets,
            run.c.held,
            campaign.c.ignores_downtime,
            _DISTURBS.label("disturbs"),
        )
        .join(campaign, campaign.c.id == run.c.campaign_id)
        .where(
            run.c.lake == lake,
            run.c.phase == RunPhase.PLANNED,
            run.c.admitted_at.is_(None),
            run.c.cancelled.is_(False),
            campaign.c.driver == Driver.SERVICE,
        )
        .order_by(is_scheduled, run.c.planned_at, run.c.campaign_id, run.c.position)
    )


def _disturbed(connection: Connection, lake: str) -> tuple[str, ...]:
    query = select(_DISTURBS).where(*_is_open(lake))
    told = (names or () for names in connection.execute(query).scalars())
    return tuple(sorted({name for names in told for name in names}))


def _is_open(lake: str) -> tuple[ColumnElement[bool], ...]:
    run = tables.run
    has_begun = (run.c.phase != RunPhase.PLANNED) | run.c.admitted_at.is_not(None)
    return (run.c.lake == lake, run.c.phase != RunPhase.ENDED, has_begun)


def _open(connection: Connection, lake: str) -> tuple[Group, ...]:
    run = tables.run
    query = (
        select(run.c.scenario, run.c.targets, func.count().label("runs"))
        .where(*_is_open(lake))
        .group_by(run.c.scenario, run.c.targets)
    )
    return tuple(
        Group(row.scenario, tuple(row.targets.split(TARGETS_JOIN)), row.runs)
        for row in connection.execute(query)
    )


def _paces(connection: Connection, waiters: tuple[Waiter, ...]) -> dict[str, Pace]:
    """As the latest waiting run of each scenario says."""
    run = tables.run
    latest = {waiter.scenario: waiter.run_id for waiter in waiters}
    query = select(run.c.scenario, run.c.case_definition).where(run.c.id.in_(latest.values()))
    return {
        row.scenario: Pace.model_validate(row.case_definition.get("pace", {}))
        for row in connection.execute(query)
    }


def _free_from(connection: Connection, lake: str, paces: Mapping[str, Pace]) -> dict[str, datetime]:
    run = tables.run
    found: dict[str, datetime] = {}
    for scenario, pace in paces.items():
        if pace.bandwidth is None:
            continue
        query = (
            select(run.c.admitted_at, run.c.case_definition)
            .where(run.c.lake == lake, run.c.scenario == scenario, run.c.admitted_at.is_not(None))
            .order_by(run.c.admitted_at.desc())
            .limit(1)
        )
        if (last := connection.execute(query).one_or_none()) is not None:
            seconds = last.case_definition.get("bytes_written", 0) / pace.bandwidth
            found[scenario] = last.admitted_at + timedelta(seconds=seconds)
    return found


def _waiting_rules(connection: Connection, lake: str) -> int:
    """Replications that wait for the lake: each has a rule, and a request a file."""
    run, record = tables.run, tables.step_record
    query = (
        select(func.count())
        .select_from(run.join(record, record.c.run_id == run.c.id))
        .where(
            run.c.lake == lake,
            run.c.phase == RunPhase.EXERCISING,
            record.c.name == "replicate",
            record.c.state == StepState.WAITING,
        )
    )
    return int(connection.execute(query).scalar_one())


def _write(connection: Connection, crowd: Crowd, admission: Admission, now: datetime) -> None:
    run = tables.run
    still_waits = (run.c.id == bindparam("run"), run.c.phase == RunPhase.PLANNED)
    if admission.admitted:
        connection.execute(
            update(run).where(*still_waits).values(admitted_at=now, held=None),
            [{"run": run_id} for run_id in admission.admitted],
        )
    known = {waiter.run_id: waiter.held for waiter in crowd.waiters}
    changed = [
        {"run": run_id, "why": why}
        for run_id, why in admission.held.items()
        if known.get(run_id) != why
    ]
    if changed:
        connection.execute(update(run).where(*still_waits).values(held=bindparam("why")), changed)
