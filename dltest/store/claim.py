"""One worker's hold on one run, for the length of one step of the engine.

PostgreSQL holds the row's lock in an open transaction; a worker that dies lets go of it with its
connection. SQLite has one process that drives a run, so a lock in that process is enough, and no
transaction stays open while a step is taken. Both check `version` when they write.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import Connection, Executable, Select, bindparam, delete, or_, select, update

from dltest.errors import StoreError
from dltest.model import Run, RunPhase, Steadiness
from dltest.store import rollup, tables
from dltest.store.database import Database
from dltest.store.mapping import (
    CHANGING_COLUMNS,
    finding_values,
    record_values,
    run_values,
    runs_from,
)

Query = Select[tuple[object, ...]]


class Claim:
    """The run as it was claimed, and the door to save what became of it.

    Once the block is left, `saved` is the run as it stands in the store.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.saved: Run | None = None

    def save(self, run: Run) -> None:
        """Keep this state; it is written when the block is left, the last of several wins.

        Writing last keeps the rows that all runs share locked for moments, not for a step.
        """
        if run.id != self.run.id:
            raise ValueError(f"claimed {self.run.id}, asked to save {run.id}")
        self.saved = run


class Claims:
    """Gives out claims; one object a process."""

    def __init__(self, database: Database, steadiness: Steadiness) -> None:
        self._database = database
        self._steadiness = steadiness
        self._upsert = _upsert_of_records(database)
        self._guard = threading.Lock()
        self._held: set[str] = set()

    @contextmanager
    def hold(
        self, run_id: str, *, ended: bool = False, known: Run | None = None
    ) -> Iterator[Claim | None]:
        """None when the run is unknown, or held by someone else; ended runs only if asked for."""
        how = self._by_row_lock if self._database.is_postgresql else self._by_own_lock
        with how(run_id, _QUERIES[ended], known) as claim:
            yield claim

    @contextmanager
    def _by_row_lock(self, run_id: str, wanted: Query, known: Run | None) -> Iterator[Claim | None]:
        with self._database.writing(f"take a step of run {run_id}") as connection:
            claim = _claim(connection, wanted, run_id, known)
            yield claim
            if claim is not None and claim.saved is not None:
                claim.saved = self._write(connection, claim.run, claim.saved)

    @contextmanager
    def _by_own_lock(self, run_id: str, wanted: Query, known: Run | None) -> Iterator[Claim | None]:
        with self._guard:
            free = run_id not in self._held
            if free:
                self._held.add(run_id)
        if not free:
            yield None
            return
        try:
            with self._database.reading(f"read run {run_id}") as connection:
                claim = _claim(connection, wanted, run_id, known)
            yield claim
            if claim is not None and claim.saved is not None:
                with self._database.writing(f"save run {run_id}") as connection:
                    claim.saved = self._write(connection, claim.run, claim.saved)
        finally:
            with self._guard:
                self._held.discard(run_id)

    def _write(self, connection: Connection, before: Run, after: Run) -> Run:
        written = _write(connection, before, after, self._upsert)
        # A swept run ends once more; it was counted when it ended first.
        if after.is_ended and before.finished_at is None:
            rollup.add(self._database, connection, after, datetime.now(UTC), self._steadiness)
        return written


# Made once: SQLAlchemy takes longer to put such a statement together than to have it carried out.
_IS_IT = tables.run.c.id == bindparam("the_run")
# NO KEY UPDATE, not UPDATE: the ledger's rows, written meanwhile through another connection, refer
# to this row and would wait for ever. SQLite knows no such locks, and is not told of them.
_HELD = select(tables.run).where(_IS_IT).with_for_update(skip_locked=True, key_share=True)
_QUERIES: dict[bool, Query] = {
    True: _HELD.where(tables.run.c.phase == RunPhase.ENDED),
    False: _HELD.where(tables.run.c.phase != RunPhase.ENDED),
}
_CHANGING = [column for column in tables.run.columns if column.name in CHANGING_COLUMNS]
_SAVE = (
    update(tables.run)
    .where(_IS_IT, tables.run.c.version == bindparam("its_version"))
    .values(
        {column: bindparam(f"new_{column.name}", type_=column.type) for column in _CHANGING}
        | {
            # A person may have cancelled while the step was taken; that is never unsaid.
            tables.run.c.cancelled: or_(tables.run.c.cancelled, bindparam("new_cancelled")),
            tables.run.c.version: tables.run.c.version + 1,
        }
    )
    .returning(tables.run.c.cancelled)
)


def _claim(connection: Connection, query: Query, run_id: str, known: Run | None) -> Claim | None:
    row = connection.execute(query, {"the_run": run_id}).one_or_none()
    if row is None:
        return None
    if known is not None and row.version == known.version:
        # Cancelling and waking do not count as versions.
        told = {"cancelled": row.cancelled, "wake_at": row.wake_at}
        return Claim(known.model_copy(update=told))
    return Claim(runs_from(connection, [row])[0])


def _upsert_of_records(database: Database) -> Executable:
    table = tables.step_record
    insert = database.insert(table)
    fresh = {column.name: insert.excluded[column.name] for column in table.columns}
    return insert.on_conflict_do_update(index_elements=["run_id", "position"], set_=fresh)


def _write(connection: Connection, before: Run, after: Run, upsert: Executable) -> Run:
    """Gives the run as it stands in the store now."""
    values = {f"new_{name}": value for name, value in run_values(after).items()}
    which = {"the_run": after.id, "its_version": before.version}
    cancelled = connection.execute(_SAVE, values | which).scalar_one_or_none()
    if cancelled is None:
        raise StoreError(f"run {after.id} was changed by someone else; this step is not saved")
    _write_records(connection, before, after, upsert)
    if finding_values(before) != finding_values(after):
        write_findings(connection, after)
    return after.model_copy(update={"version": before.version + 1, "cancelled": cancelled})


def _write_records(connection: Connection, before: Run, after: Run, upsert: Executable) -> None:
    table = tables.step_record
    old, new = record_values(before), record_values(after)
    changed = [values for position, values in new.items() if old.get(position) != values]
    if changed:
        connection.execute(upsert, changed)
    if gone := [position for position in old if position not in new]:
        connection.execute(
            delete(table).where(table.c.run_id == after.id, table.c.position.in_(gone))
        )


def write_findings(connection: Connection, run: Run) -> None:
    table = tables.finding
    connection.execute(delete(table).where(table.c.run_id == run.id))
    if rows := finding_values(run):
        connection.execute(table.insert(), rows)
