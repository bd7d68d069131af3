"""`ports.Storage` of the service: jobs stand in the store, and a transfer worker takes them."""

from dltest.lake.ports import JobState, JobStatus, StorageJob
from dltest.settings import LakeSettings
from dltest.store import Store
from dltest.worker.dispatch import send_move


class QueuedStorage:
    """Every call returns at once. A message that is lost is sent again by `tick`."""

    def __init__(self, store: Store, lake: LakeSettings) -> None:
        self._store = store
        self._lake = lake

    def start(self, job: StorageJob) -> None:
        """Queue the job unless one of that id exists already."""
        if self._store.queue_move(job, self._lake.name):
            send_move(job.id, self._lake.queue_of(job.rse))

    def look(self, job_id: str) -> JobStatus:
        """How far it is; a job nobody knows is LOST."""
        unknown = JobStatus(state=JobState.LOST, detail="dltest has no record of it")
        return self._store.move(job_id) or unknown

    def cancel(self, job_id: str) -> None:
        """Stop it, if it still runs."""
        self._store.cancel_move(job_id)
