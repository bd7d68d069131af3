"""Storage jobs of a process that runs scenarios itself: a few movers at once, the rest queued."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from dltest.lake.ports import Carrier, JobState, JobStatus, StorageJob
from dltest.lake.storage.process import run_job
from dltest.settings import StorageSettings


class MoverPool:
    """`ports.Storage` for one process; its jobs end with it. `carry` does one in place of gfal2."""

    def __init__(
        self,
        settings: StorageSettings,
        spool: Path,
        *,
        parallel_jobs: int = 4,
        carry: Carrier | None = None,
    ) -> None:
        self._carry: Carrier = carry or partial(run_job, settings=settings, spool=spool)
        self._lock = threading.Lock()
        self._jobs: dict[str, JobStatus] = {}
        self._cancelled: set[str] = set()
        self._closed = False
        self._threads = ThreadPoolExecutor(parallel_jobs, thread_name_prefix="mover")

    def start(self, job: StorageJob) -> None:
        """Queue the job unless one of that id exists already."""
        with self._lock:
            if job.id in self._jobs:
                return
            self._jobs[job.id] = JobStatus(state=JobState.QUEUED)
        self._threads.submit(self._run, job)

    def look(self, job_id: str) -> JobStatus:
        """How far it is; a job nobody knows is LOST."""
        with self._lock:
            unknown = JobStatus(state=JobState.LOST, detail="its process is gone")
            return self._jobs.get(job_id, unknown)

    def cancel(self, job_id: str) -> None:
        """Stop it, if it still runs."""
        with self._lock:
            self._cancelled.add(job_id)

    def close(self) -> None:
        """Kill what runs, forget what waits; returns when no mover is left."""
        with self._lock:
            self._closed = True
        self._threads.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> "MoverPool":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _run(self, job: StorageJob) -> None:
        status = JobStatus(state=JobState.LOST, detail="cancelled before it began")
        try:
            if not self._is_cancelled(job.id):
                status = self._carry(
                    job,
                    on_progress=lambda now: self._note(job.id, now),
                    is_cancelled=lambda: self._is_cancelled(job.id),
                )
        except OSError as error:
            status = JobStatus(state=JobState.LOST, detail=f"cannot run a mover: {error}")
        finally:
            self._note(job.id, status)

    def _note(self, job_id: str, status: JobStatus) -> None:
        with self._lock:
            self._jobs[job_id] = status

    def _is_cancelled(self, job_id: str) -> bool:
        with self._lock:
            return self._closed or job_id in self._cancelled
