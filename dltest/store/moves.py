"""Storage jobs on their way through the service: queued, leased to a worker, finished.

A worker that moves bytes holds a lease and renews it. A lease that ran out means that the worker
died: the job, which may be repeated, goes to another, and the status says that it did. Only when
that happened too often is the job LOST.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select, update

from dltest.lake.ports import JobState, JobStatus, StorageJob
from dltest.model import Progress
from dltest.store import tables
from dltest.store.columns import storable
from dltest.store.database import Database

MAX_ATTEMPTS = 3

OPEN = (JobState.QUEUED, JobState.RUNNING)


class Moves:
    """The part of the store that knows moves."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def queue_move(self, job: StorageJob, lake: str) -> bool:
        """Write the job down; False when one of that id exists already."""
        insert = self._database.insert(tables.move).values(
            id=job.id,
            lake=lake,
            kind=job.kind,
            rse=job.rse,
            state=JobState.QUEUED,
            job=storable(job.model_dump(mode="json")),
            status=_plain(JobStatus(state=JobState.QUEUED)),
            cancelled=False,
            attempts=0,
            queued_at=datetime.now(UTC),
        )
        unless_known = insert.on_conflict_do_nothing(index_elements=["id"])
        with self._database.writing("queue a storage job") as connection:
            written = connection.execute(unless_known.returning(tables.move.c.id))
            return written.first() is not None

    def lease_move(
        self,
        job_id: str,
        owner: str,
        until: datetime,
        now: datetime | None = None,
        lake: str | None = None,
    ) -> StorageJob | None:
        """Take the job for this owner; None when it is done, cancelled or someone else's.

        With `lake`, another lake's job is someone else's: its storage needs other credentials.
        """
        table = tables.move
        moment = now or datetime.now(UTC)
        lapsed = and_(table.c.state == JobState.RUNNING, table.c.leased_until < moment)
        take = (
            update(table)
            .where(
                table.c.id == job_id,
                table.c.cancelled.is_(False),
                table.c.attempts < MAX_ATTEMPTS,
                or_(table.c.state == JobState.QUEUED, lapsed),
                *([table.c.lake == lake] if lake else []),
            )
            .values(
                state=JobState.RUNNING,
                owner=owner,
                leased_until=until,
                attempts=table.c.attempts + 1,
            )
            .returning(table.c.job)
        )
        with self._database.writing("lease a storage job") as connection:
            taken = connection.execute(take).scalar_one_or_none()
        return None if taken is None else StorageJob.model_validate(taken)

    def renew_move(self, job_id: str, owner: str, until: datetime, progress: Progress) -> bool:
        """Keep the lease and tell the progress; False when the job is no longer this owner's."""
        status = JobStatus(state=JobState.RUNNING, progress=progress)
        return self._change(job_id, owner, leased_until=until, status=_plain(status))

    def finish_move(self, job_id: str, owner: str, status: JobStatus) -> bool:
        """Write the end; False when the job is no longer this owner's."""
        return self._change(
            job_id,
            owner,
            state=status.state,
            status=_plain(status),
            leased_until=None,
            finished_at=datetime.now(UTC),
        )

    def release_move(self, job_id: str, owner: str) -> bool:
        """Give an unfinished job back to the queue, as a worker that is told to stop does."""
        status = JobStatus(state=JobState.QUEUED)
        return self._change(
            job_id,
            owner,
            state=JobState.QUEUED,
            status=_plain(status),
            leased_until=None,
            # Being asked to stop is nobody's failure.
            attempts=tables.move.c.attempts - 1,
        )

    def move(self, job_id: str, now: datetime | None = None) -> JobStatus | None:
        """How far it is; a job whose worker died waits for another, or is LOST."""
        table = tables.move
        with self._database.reading("look at a storage job") as connection:
            row = connection.execute(select(table).where(table.c.id == job_id)).one_or_none()
        return None if row is None else _status(row, now or datetime.now(UTC))

    def cancel_move(self, job_id: str) -> None:
        """Queued: it never starts. Running: its worker sees it at the next heartbeat."""
        table = tables.move
        mine = and_(table.c.id == job_id, table.c.state.in_(OPEN))
        with self._database.writing("cancel a storage job") as connection:
            connection.execute(update(table).where(mine).values(cancelled=True))
            _end_cancelled(connection, table.c.id == job_id)

    def is_cancelled(self, job_id: str) -> bool:
        query = select(tables.move.c.cancelled).where(tables.move.c.id == job_id)
        with self._database.reading("look at a storage job") as connection:
            return bool(connection.execute(query).scalar_one_or_none())

    def stranded_moves(
        self, now: datetime, queued_before: datetime, limit: int = 200, lake: str | None = None
    ) -> list[tuple[str, str]]:
        """Jobs that nobody works on, with their RSEs: a lease ran out, or a message may be lost.

        Those that died too often are ended here as LOST.
        """
        table = tables.move
        lapsed = and_(table.c.state == JobState.RUNNING, table.c.leased_until < now)
        waiting = and_(table.c.state == JobState.QUEUED, table.c.queued_at < queued_before)
        query = (
            select(table.c.id, table.c.rse)
            .where(
                table.c.cancelled.is_(False),
                or_(lapsed, waiting),
                *([table.c.lake == lake] if lake else []),
            )
            .order_by(table.c.queued_at)
            .limit(limit)
        )
        with self._database.writing("find stranded storage jobs") as connection:
            _end_cancelled(connection, lapsed)
            dead = connection.execute(
                select(table).where(lapsed, table.c.attempts >= MAX_ATTEMPTS)
            ).all()
            for row in dead:
                _end(connection, row.id, _status(row, now))
            return [(row.id, row.rse) for row in connection.execute(query)]

    def _change(self, job_id: str, owner: str, **values: Any) -> bool:
        table = tables.move
        mine = (
            table.c.id == job_id,
            table.c.owner == owner,
            table.c.state == JobState.RUNNING,
        )
        with self._database.writing("write down a storage job") as connection:
            return connection.execute(update(table).where(*mine).values(**values)).rowcount == 1


def _end_cancelled(connection: Connection, which: Any) -> None:
    """Cancelled jobs that no worker holds end here."""
    table = tables.move
    query = select(table.c.id).where(
        which,
        table.c.cancelled.is_(True),
        or_(table.c.state == JobState.QUEUED, table.c.leased_until < datetime.now(UTC)),
        table.c.state.in_(OPEN),
    )
    for job_id in connection.execute(query).scalars().all():
        _end(connection, job_id, JobStatus(state=JobState.LOST, detail="it was cancelled"))


def _end(connection: Connection, job_id: str, status: JobStatus) -> None:
    connection.execute(
        update(tables.move)
        .where(tables.move.c.id == job_id)
        .values(
            state=JobState.LOST,
            status=_plain(status),
            leased_until=None,
            finished_at=datetime.now(UTC),
        )
    )


def _status(row: Row[Any], now: datetime) -> JobStatus:
    status: JobStatus = JobStatus.model_validate(row.status).model_copy(
        update={"state": JobState(row.state)}
    )
    if row.state is not JobState.RUNNING or row.leased_until >= now:
        return status
    if row.attempts >= MAX_ATTEMPTS:
        died = f"dltest's own worker died {row.attempts} times while it moved the bytes"
        return status.model_copy(update={"state": JobState.LOST, "detail": died})
    died = f"the worker of attempt {row.attempts} died; the job waits for another"
    return JobStatus(state=JobState.QUEUED, progress=Progress(note=died), detail=died)


def _plain(status: JobStatus) -> Any:
    return storable(status.model_dump(mode="json"))
