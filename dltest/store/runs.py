"""Campaigns and runs: planned together, found again, counted, and one day pruned."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, delete, func, or_, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from dltest.model import (
    Campaign,
    Driver,
    LedgerState,
    Run,
    RunPhase,
    Steadiness,
    Verdict,
    Watch,
    WatchKind,
)
from dltest.store import tables
from dltest.store.births import insert_campaign
from dltest.store.claim import Claim, Claims
from dltest.store.database import Database
from dltest.store.downtimes import prune_downtimes
from dltest.store.mapping import runs_from
from dltest.store.schedules import prune_slots


class Runs:
    """The part of the store that knows campaigns and runs."""

    def __init__(self, database: Database, steadiness: Steadiness) -> None:
        self._database = database
        self._claims = Claims(database, steadiness)

    def create_campaign(self, campaign: Campaign, runs: Sequence[Run]) -> None:
        """The campaign with all its planned runs, or nothing of it."""
        with self._database.writing("write the planned runs") as connection:
            insert_campaign(connection, campaign, runs)

    def campaign(self, campaign_id: str) -> Campaign | None:
        with self._database.reading("read the campaign") as connection:
            query = _campaigns().where(tables.campaign.c.id == campaign_id)
            row = connection.execute(query).one_or_none()
            return _campaign(row) if row else None

    def campaigns(self, limit: int = 50) -> list[Campaign]:
        """Newest first."""
        with self._database.reading("list campaigns") as connection:
            newest = tables.campaign.c.created_at.desc()
            rows = connection.execute(_campaigns().order_by(newest).limit(limit))
            return [_campaign(row) for row in rows]

    def runs_of(self, campaign_id: str) -> list[Run]:
        """In the plan's order."""
        table = tables.run
        query = select(table).where(table.c.campaign_id == campaign_id).order_by(table.c.position)
        with self._database.reading("read the campaign's runs") as connection:
            return runs_from(connection, connection.execute(query))

    def run(self, run_id: str) -> Run | None:
        """The run of this id, or the only one whose id starts so.

        Raises:
            ValueError: several start so.
        """
        table = tables.run
        starts_so = table.c.id.startswith(run_id, autoescape=True)
        exact_first = case((table.c.id == run_id, 0), else_=1)
        query = select(table).where(starts_so).order_by(exact_first, table.c.id).limit(2)
        with self._database.reading("read the run") as connection:
            found = runs_from(connection, connection.execute(query)) if run_id else []
        if len(found) > 1 and found[0].id != run_id:
            raise ValueError(f"several runs start with {run_id}: {found[0].id}, {found[1].id}, ...")
        return found[0] if found else None

    def runs(
        self,
        limit: int = 50,
        lake: str | None = None,
        scenario: str | None = None,
        verdict: Verdict | None = None,
        case_id: str | None = None,
    ) -> list[Run]:
        """Newest first."""
        table = tables.run
        asked = {"lake": lake, "scenario": scenario, "verdict": verdict, "case_id": case_id}
        query = (
            select(table)
            .where(*(table.c[name] == value for name, value in asked.items() if value))
            .order_by(table.c.planned_at.desc(), table.c.position, table.c.id)
            .limit(limit)
        )
        with self._database.reading("list runs") as connection:
            return runs_from(connection, connection.execute(query))

    def claim(
        self, run_id: str, *, ended: bool = False, known: Run | None = None
    ) -> AbstractContextManager[Claim | None]:
        """Hold an open run (or with `ended` one that ended) while the engine takes one step.

        None when someone else holds it, it is unknown, or not in that state. What the claim
        saved is written when the block is left; an exception writes nothing. `known` is the run
        as an earlier claim left it, which need not be read again if nobody changed it since.
        """
        return self._claims.hold(run_id, ended=ended, known=known)

    def cancel(self, run_id: str) -> bool:
        """Ask for the run's end; its driver cleans up. False when it has ended or is unknown."""
        table = tables.run
        still_open = (table.c.id == run_id, table.c.phase != RunPhase.ENDED)
        asked = update(table).where(*still_open).values(cancelled=True, wake_at=None)
        with self._database.writing("cancel the run") as connection:
            return connection.execute(asked).rowcount == 1

    def watching(self, lake: str) -> list[tuple[str, Watch]]:
        """Runs that wait for something in the catalogue, and what."""
        table = tables.run
        told = table.c.watch["kind"].as_string() != WatchKind.JOB.value
        query = select(table.c.id, table.c.watch).where(
            table.c.watch.is_not(None), table.c.lake == lake, told
        )
        with self._database.reading("read what runs wait for") as connection:
            return [(row.id, Watch.model_validate(row.watch)) for row in connection.execute(query)]

    def wake(self, run_ids: Sequence[str]) -> list[str]:
        """Make these due; gives those that waited. Those that somebody holds are passed by."""
        table = tables.run
        woken: list[str] = []
        # SQLite takes 32766 variables in a statement.
        for start in range(0, len(run_ids), 10_000):
            free = (
                select(table.c.id)
                .where(table.c.id.in_(run_ids[start : start + 10_000]), table.c.watch.is_not(None))
                .with_for_update(skip_locked=True, key_share=True)
            )
            with self._database.writing("wake runs") as connection:
                rows = connection.execute(_woken(table.c.id.in_(free)))
                woken += [row.id for row in rows]
        return woken

    def wake_for_job(self, run_id: str) -> bool:
        """Make the run due if it waits. While somebody holds it, it may be about to."""
        is_it = tables.run.c.id == run_id
        until_free = select(tables.run.c.id).where(is_it).with_for_update(key_share=True)
        waits = and_(is_it, tables.run.c.watch.is_not(None))
        with self._database.writing(f"wake run {run_id}") as connection:
            # An UPDATE alone would not wait for a row that does not match it yet.
            connection.execute(until_free)
            return connection.execute(_woken(waits)).first() is not None

    def due(self, now: datetime, limit: int = 500, lake: str | None = None) -> list[str]:
        """Open runs of the service that want to be looked at, the longest overdue first.

        A planned run is among them once it was admitted, or cancelled.

        Runs that were reopened to be cleaned are the service's, whoever drove them before.
        """
        table = tables.run
        query = (
            select(table.c.id)
            .join(tables.campaign, tables.campaign.c.id == table.c.campaign_id)
            .where(
                or_(tables.campaign.c.driver == Driver.SERVICE, table.c.finished_at.is_not(None)),
                table.c.phase != RunPhase.ENDED,
                _is_due(now),
                _may_begin(),
                *([table.c.lake == lake] if lake else []),
            )
            .order_by(table.c.wake_at.asc().nulls_first(), table.c.planned_at, table.c.position)
            .limit(limit)
        )
        with self._database.reading("find due runs") as connection:
            return list(connection.execute(query).scalars())

    def abandoned(self, lake: str, before: datetime) -> list[str]:
        """Open runs whose own process should have looked at them before, and did not."""
        table = tables.run
        wanted_at = func.coalesce(table.c.wake_at, table.c.started_at, table.c.planned_at)
        query = (
            select(table.c.id)
            .join(tables.campaign, tables.campaign.c.id == table.c.campaign_id)
            .where(
                tables.campaign.c.driver == Driver.IN_PROCESS,
                table.c.lake == lake,
                table.c.phase != RunPhase.ENDED,
                wanted_at < before,
            )
        )
        with self._database.reading("find abandoned runs") as connection:
            return list(connection.execute(query).scalars())

    def is_due(self, run_id: str, now: datetime, lake: str) -> bool:
        """Whether it is an open run of this lake that wants to be looked at."""
        table = tables.run
        is_it = (table.c.id == run_id, table.c.lake == lake)
        query = select(table.c.id).where(*is_it, table.c.phase != RunPhase.ENDED, _is_due(now))
        query = query.where(_may_begin())
        with self._database.reading("see whether the run is due") as connection:
            return connection.execute(query).first() is not None

    def open_runs(self) -> dict[RunPhase, int]:
        """How many there are in each phase before `ended`."""
        table = tables.run
        query = (
            select(table.c.phase, func.count())
            .where(table.c.phase != RunPhase.ENDED)
            .group_by(table.c.phase)
        )
        with self._database.reading("count open runs") as connection:
            rows: Any = connection.execute(query)
            counted: dict[RunPhase, int] = dict(rows.all())
        return {phase: counted.get(phase, 0) for phase in RunPhase if phase is not RunPhase.ENDED}

    def prune(self, before: datetime) -> int:
        """Forget runs that ended before, with moves, slots and downtimes; gives the number of runs.

        Totals stay. A run that left something behind stays too, until that is gone.
        """
        table, entry, move = tables.run, tables.ledger_entry, tables.move
        owing = select(entry.c.run_id).where(entry.c.state != LedgerState.GONE)
        old = delete(table).where(
            table.c.phase == RunPhase.ENDED, table.c.finished_at < before, table.c.id.not_in(owing)
        )
        empty = delete(tables.campaign).where(
            tables.campaign.c.created_at < before,
            tables.campaign.c.id.not_in(select(table.c.campaign_id)),
        )
        with self._database.writing("prune old runs") as connection:
            pruned = connection.execute(old).rowcount
            connection.execute(empty)
            connection.execute(delete(move).where(move.c.finished_at < before))
            prune_slots(connection, before)
            prune_downtimes(connection, before)
        return pruned


def _is_due(now: datetime) -> Any:
    return or_(tables.run.c.wake_at.is_(None), tables.run.c.wake_at <= now)


def _may_begin() -> Any:
    """A planned run waits until it is admitted; one that was cancelled ends at once."""
    table = tables.run
    return or_(
        table.c.phase != RunPhase.PLANNED, table.c.admitted_at.is_not(None), table.c.cancelled
    )


def _woken(which: ColumnElement[bool]) -> ReturningUpdate[tuple[str]]:
    table = tables.run
    return update(table).where(which).values(wake_at=None, watch=None).returning(table.c.id)


def _campaigns() -> Select[Any]:
    """Each campaign with the end of its last run; counted, since two runs may end at once."""
    table, run = tables.campaign, tables.run
    still_open = (
        select(run.c.id)
        .where(run.c.campaign_id == table.c.id, run.c.phase != RunPhase.ENDED)
        .exists()
    )
    last_end = (
        select(func.max(run.c.finished_at)).where(run.c.campaign_id == table.c.id).scalar_subquery()
    )
    return select(table, still_open.label("is_open"), last_end.label("last_end"))


def _campaign(row: Row[Any]) -> Campaign:
    return Campaign(
        id=row.id,
        lake=row.lake,
        trigger=row.trigger,
        driver=row.driver,
        title=row.title,
        created_at=row.created_at,
        ignores_downtime=row.ignores_downtime,
        # Without runs there is nothing to wait for.
        finished_at=None if row.is_open else row.last_end or row.created_at,
    )
