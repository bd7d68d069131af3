"""Carries out one storage job under a lease, which is renewed as long as its mover lives."""

import logging
import time
from datetime import UTC, datetime, timedelta

from dltest.errors import StoreError
from dltest.lake.adapter import carrier
from dltest.lake.ports import JobState, JobStatus, StorageJob
from dltest.worker.dispatch import send_advance, send_move
from dltest.worker.station import Station

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
RENEW_EVERY = timedelta(seconds=3)
ASK_AGAIN = timedelta(seconds=1)
CANCELLED = JobStatus(state=JobState.LOST, detail="it was cancelled")


def carry_out(job_id: str, station: Station) -> None:
    """Take the job unless someone else has it, and write down what came of it."""
    now = datetime.now(UTC)
    lake = station.lake_settings.name
    job = station.store.lease_move(job_id, station.owner, now + LEASE, now, lake)
    if job is None:
        return
    lease = Lease(job_id, station, now + LEASE)
    status = _moved(job, lease, station)
    if station.ending.is_set() and status.state is JobState.LOST and not lease.cancelled:
        if station.store.release_move(job_id, station.owner):
            send_move(job_id, station.lake_settings.queue_of(job.rse))
        return
    ended = CANCELLED if lease.cancelled else status
    if lease.lost or not lease.finish(ended):
        log.warning("storage job %s went to another worker: its lease ran out here", job_id)
        return
    # Whoever waits for the bytes need not look for them.
    if station.store.wake_for_job(job.seed):
        send_advance(job.seed)


def _moved(job: StorageJob, lease: "Lease", station: Station) -> JobStatus:
    try:
        carry = carrier(station.lake_settings, station.settings.spool())
        return carry(job, on_progress=lease.keep, is_cancelled=lease.is_over)
    except OSError as error:
        return JobStatus(state=JobState.LOST, detail=f"cannot run a mover here: {error}")


class Lease:
    """The right to work on one job, as long as the store can be told so in time."""

    def __init__(self, job_id: str, station: Station, until: datetime) -> None:
        self._job_id = job_id
        self._station = station
        self._until = until
        self._renewed_at = until - LEASE
        self.cancelled = False
        self.lost = False

    def keep(self, status: JobStatus) -> None:
        """Renew when it is time. A store that is silent is forgiven until the lease runs out."""
        now = datetime.now(UTC)
        if now - self._renewed_at < RENEW_EVERY:
            return
        store, until = self._station.store, now + LEASE
        try:
            held = store.renew_move(self._job_id, self._station.owner, until, status.progress)
            self.cancelled = store.is_cancelled(self._job_id)
        except StoreError as error:
            log.warning("cannot renew the lease of %s: %s", self._job_id, error)
            self.lost = now >= self._until
            return
        self._renewed_at, self._until, self.lost = now, until, not held

    def finish(self, status: JobStatus) -> bool:
        """Write the end down; False when the job is no longer ours.

        Bytes that have moved are not moved again because the store is away for a moment: it is
        asked until the lease runs out.

        Raises:
            StoreError: the store was silent until then.
        """
        while True:
            try:
                return self._station.store.finish_move(self._job_id, self._station.owner, status)
            except StoreError as error:
                if datetime.now(UTC) + ASK_AGAIN >= self._until:
                    raise
                log.warning("cannot write down the end of %s yet: %s", self._job_id, error)
            time.sleep(ASK_AGAIN.total_seconds())

    def is_over(self) -> bool:
        """Whether the mover must end."""
        return self.cancelled or self.lost or self._station.ending.is_set()
