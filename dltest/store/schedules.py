"""Schedules and what became of their slots: one campaign a slot, whoever asks and how often."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from dltest.model import (
    Campaign,
    Pause,
    Run,
    RunPhase,
    Schedule,
    Scheduled,
    Slot,
    SlotOutcome,
    SlotRecord,
)
from dltest.store import tables
from dltest.store.births import insert_campaign
from dltest.store.columns import storable
from dltest.store.database import Database


class Schedules:
    """The part of the store that knows schedules."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def schedules(self, lake: str) -> list[Scheduled]:
        """By name of the scenario."""
        table = tables.schedule
        query = select(table).where(table.c.lake == lake).order_by(table.c.scenario)
        with self._database.reading("read the schedules") as connection:
            return [_scheduled(row) for row in connection.execute(query)]

    def due_schedules(self, lake: str, now: datetime) -> list[str]:
        """Names of the scenarios whose next slot has come, the longest overdue first."""
        table = tables.schedule
        query = (
            select(table.c.scenario)
            .where(table.c.lake == lake, table.c.next_starts_at <= now)
            .order_by(table.c.next_starts_at, table.c.scenario)
        )
        with self._database.reading("find due schedules") as connection:
            return list(connection.execute(query).scalars())

    def schedule(self, lake: str, scenario: str) -> Scheduled | None:
        table = tables.schedule
        query = select(table).where(table.c.lake == lake, table.c.scenario == scenario)
        with self._database.reading("read the schedule") as connection:
            row = connection.execute(query).one_or_none()
            return _scheduled(row) if row else None

    def set_schedule(self, lake: str, scenario: str, schedule: Schedule, first: Slot) -> None:
        """A new or a changed schedule, which goes on with `first`; a pause stays."""
        table = tables.schedule
        values = {"timetable": storable(schedule.model_dump(mode="json")), **_next(first)}
        insert = self._database.insert(table).values(lake=lake, scenario=scenario, **values)
        with self._database.writing("write the schedule") as connection:
            connection.execute(
                insert.on_conflict_do_update(index_elements=["lake", "scenario"], set_=values)
            )

    def retire_schedules(self, lake: str, scenarios: Sequence[str]) -> None:
        """These have no schedule any more; their slots and pauses are kept."""
        table = tables.schedule
        retire = (
            update(table)
            .where(table.c.lake == lake, table.c.scenario.in_(scenarios))
            .values(**_next(None))
        )
        with self._database.writing("retire schedules") as connection:
            connection.execute(retire)

    def pause_schedule(self, lake: str, scenario: str, pause: Pause | None) -> bool:
        """Pause, or with None resume; False when there is no such schedule."""
        table = tables.schedule
        told = {
            "paused_at": pause.at if pause else None,
            "paused_by": pause.by if pause else None,
            "paused_why": pause.why if pause else None,
            "paused_until": pause.until if pause else None,
        }
        asked = update(table).where(table.c.lake == lake, table.c.scenario == scenario)
        with self._database.writing("pause or resume the schedule") as connection:
            return connection.execute(asked.values(**told)).rowcount == 1

    def settle_slot(
        self,
        record: SlotRecord,
        seen: Scheduled,
        following: Slot | None,
        planned: tuple[Campaign, Sequence[Run]] | None = None,
        missed: SlotRecord | None = None,
    ) -> SlotRecord | None:
        """Write what became of a slot, with its campaign, and go on to the `following` one, if any.

        All in one transaction; None when somebody else has settled it. Cases that still have an
        open run on the lake are left out of the campaign and counted.
        """
        with self._database.writing(f"settle a slot of {record.scenario}") as connection:
            if not _take(connection, seen):
                return None
            if not self._insert_slot(connection, record):
                return None
            if missed is not None and self._insert_slot(connection, missed):
                self._count(connection, missed, missed.missed)
            table = tables.schedule
            is_it = (table.c.lake == record.lake, table.c.scenario == record.scenario)
            connection.execute(update(table).where(*is_it).values(**_next(following)))
            settled = record if planned is None else _start(connection, record, *planned)
            self._count(connection, settled, 1)
            return settled

    def slots(self, lake: str, scenario: str | None = None, limit: int = 50) -> list[SlotRecord]:
        """Newest first."""
        table = tables.slot
        query = select(table).where(table.c.lake == lake)
        if scenario:
            query = query.where(table.c.scenario == scenario)
        newest = query.order_by(table.c.slot_at.desc(), table.c.scenario).limit(limit)
        with self._database.reading("list slots") as connection:
            return [_slot_record(row) for row in connection.execute(newest)]

    def last_slots(self, lake: str) -> dict[str, SlotRecord]:
        """The latest of each scenario."""
        table = tables.slot
        latest = (
            select(table.c.scenario, func.max(table.c.slot_at).label("slot_at"))
            .where(table.c.lake == lake)
            .group_by(table.c.scenario)
            .subquery()
        )
        is_latest = (table.c.scenario == latest.c.scenario) & (table.c.slot_at == latest.c.slot_at)
        query = select(table).join(latest, is_latest).where(table.c.lake == lake)
        with self._database.reading("read the latest slots") as connection:
            return {row.scenario: _slot_record(row) for row in connection.execute(query)}

    def _insert_slot(self, connection: Connection, record: SlotRecord) -> bool:
        table = tables.slot
        values = record.model_dump(exclude={"campaign_id"})
        insert = self._database.insert(table).values(**values).on_conflict_do_nothing()
        return connection.execute(insert.returning(table.c.slot_at)).first() is not None

    def _count(self, connection: Connection, record: SlotRecord, slots: int) -> None:
        """Totals outlive the rows, which are pruned."""
        table = tables.slot_total
        insert = self._database.insert(table).values(
            lake=record.lake, scenario=record.scenario, outcome=record.outcome, slots=slots
        )
        more = {"slots": table.c.slots + slots}
        keys = ["lake", "scenario", "outcome"]
        connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=more))


def slot_totals(connection: Connection) -> dict[tuple[str, str, str], int]:
    """By lake, scenario and outcome."""
    rows = connection.execute(select(tables.slot_total))
    return {(row.lake, row.scenario, row.outcome.value): row.slots for row in rows}


def next_slots(connection: Connection) -> dict[tuple[str, str], datetime]:
    """When the next campaign of each schedule that goes on is due, by lake and scenario."""
    table = tables.schedule
    query = select(table.c.lake, table.c.scenario, table.c.next_starts_at)
    rows = connection.execute(query.where(table.c.next_starts_at.is_not(None)))
    return {(row.lake, row.scenario): row.next_starts_at for row in rows}


def _take(connection: Connection, seen: Scheduled) -> bool:
    """Lock the schedule's row; False when it is no longer as it was seen."""
    table = tables.schedule
    locked = (
        select(table)
        .where(table.c.lake == seen.lake, table.c.scenario == seen.scenario)
        .with_for_update()
    )
    row = connection.execute(locked).one_or_none()
    return row is not None and _scheduled(row) == seen


def _start(
    connection: Connection, record: SlotRecord, campaign: Campaign, runs: Sequence[Run]
) -> SlotRecord:
    table, run = tables.slot, tables.run
    busy = select(run.c.case_id).where(run.c.lake == record.lake, run.c.phase != RunPhase.ENDED)
    taken = set(connection.execute(busy).scalars())
    free = [run for run in runs if run.case.id not in taken]
    values: dict[str, Any] = {"overlapping": len(runs) - len(free)}
    if free:
        insert_campaign(connection, campaign, free)
        values["campaign_id"] = campaign.id
    else:
        values["outcome"] = SlotOutcome.OVERLAP
    connection.execute(
        update(table)
        .where(
            table.c.lake == record.lake,
            table.c.scenario == record.scenario,
            table.c.slot_at == record.slot_at,
        )
        .values(**values)
    )
    return record.model_copy(update=values)


def prune_slots(connection: Connection, before: datetime) -> None:
    connection.execute(delete(tables.slot).where(tables.slot.c.written_at < before))


def _next(slot: Slot | None) -> dict[str, Any]:
    return {
        "next_slot_at": slot.at if slot else None,
        "next_starts_at": slot.starts_at if slot else None,
        "next_number": slot.number if slot else None,
    }


def _scheduled(row: Row[Any]) -> Scheduled:
    slot = None
    if row.next_slot_at is not None:
        slot = Slot(at=row.next_slot_at, starts_at=row.next_starts_at, number=row.next_number)
    pause = None
    if row.paused_at is not None:
        pause = Pause(
            at=row.paused_at, by=row.paused_by, why=row.paused_why, until=row.paused_until
        )
    return Scheduled(
        lake=row.lake,
        scenario=row.scenario,
        schedule=Schedule.model_validate(row.timetable),
        next_slot=slot,
        pause=pause,
    )


def _slot_record(row: Row[Any]) -> SlotRecord:
    return SlotRecord.model_validate(row, from_attributes=True)
