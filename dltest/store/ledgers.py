"""The ledger of every run: what was, or may have been, made outside."""

from typing import Any

from sqlalchemy import Row, and_, func, or_, select, text, update

from dltest.model import LedgerEntry, LedgerState, RunPhase
from dltest.store import tables
from dltest.store.database import Database


class RunLedger:
    """One run's ledger. Every call is a transaction of its own, also while the run is claimed.

    What was read is remembered: whoever claimed the run writes alone.
    """

    def __init__(self, database: Database, run_id: str) -> None:
        self._database = database
        self._run_id = run_id
        self._read: tuple[LedgerEntry, ...] | None = None

    def intend(self, *entries: LedgerEntry) -> None:
        """Durable when it returns, with all that was written before it.

        The same kind, name and RSE again changes nothing.
        """
        rows = [
            {"run_id": self._run_id, "state": one.state, "count": one.count, **_key(one)}
            for one in entries
        ]
        insert = self._database.insert(tables.ledger_entry).values(rows)
        self._read = None
        with self._database.writing("write the ledger") as connection:
            if self._database.is_postgresql:
                # The server may be set to commit before it has written; the ledger must not.
                connection.execute(text("SET LOCAL synchronous_commit = on"))
            connection.execute(insert.on_conflict_do_nothing())

    def settle(self, state: LedgerState, *entries: LedgerEntry) -> None:
        table = tables.ledger_entry
        mine = [and_(*(table.c[k] == v for k, v in _key(one).items())) for one in entries]
        if not mine:
            return
        with self._database.writing("settle the ledger") as connection:
            connection.execute(
                update(table).where(table.c.run_id == self._run_id, or_(*mine)).values(state=state)
            )
        keys = [_key(one) for one in entries]
        self._read = self._read and tuple(
            one.model_copy(update={"state": state}) if _key(one) in keys else one
            for one in self._read
        )

    def entries(self) -> tuple[LedgerEntry, ...]:
        """In the order they were intended."""
        if self._read is None:
            self._read = self._entries()
        return self._read

    def _entries(self) -> tuple[LedgerEntry, ...]:
        table = tables.ledger_entry
        query = select(table).where(table.c.run_id == self._run_id).order_by(table.c.id)
        with self._database.reading("read the ledger") as connection:
            return tuple(_entry(row) for row in connection.execute(query))


class Ledgers:
    """The part of the store that knows ledgers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ledger(self, run_id: str) -> RunLedger:
        return RunLedger(self._database, run_id)

    def unsettled(
        self, lake: str | None = None, limit: int = 10_000
    ) -> list[tuple[str, LedgerEntry]]:
        """Entries of ended runs, of one lake or of all, not known to be gone; oldest first."""
        table, run = tables.ledger_entry, tables.run
        query = (
            select(table)
            .join(run, run.c.id == table.c.run_id)
            .where(
                run.c.phase == RunPhase.ENDED,
                table.c.state != LedgerState.GONE,
                *([run.c.lake == lake] if lake else []),
            )
            .order_by(table.c.id)
            .limit(limit)
        )
        with self._database.reading("read unsettled ledgers") as connection:
            return [(row.run_id, _entry(row)) for row in connection.execute(query)]

    def count_leftovers(self, lake: str) -> dict[str, int]:
        """What ended runs left behind on each RSE; '' holds what lies in the catalogue only."""
        table, run = tables.ledger_entry, tables.run
        query = (
            select(table.c.rse, func.sum(table.c.count))
            .join(run, run.c.id == table.c.run_id)
            .where(
                run.c.lake == lake,
                run.c.phase == RunPhase.ENDED,
                table.c.state != LedgerState.GONE,
            )
            .group_by(table.c.rse)
        )
        with self._database.reading("count leftovers") as connection:
            return {rse: int(count) for rse, count in connection.execute(query)}


def _key(entry: LedgerEntry) -> dict[str, str]:
    return {"kind": entry.kind, "name": entry.name, "rse": entry.rse or ""}


def _entry(row: Row[Any]) -> LedgerEntry:
    return LedgerEntry(
        kind=row.kind, name=row.name, rse=row.rse or None, count=row.count, state=row.state
    )
