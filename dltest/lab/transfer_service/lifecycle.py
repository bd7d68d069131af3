"""What happens to a file and what that makes of its job: FTS's transitions, written down.

Every function leaves the database consistent and may be called again after a crash. Files that
may go now are handed to `enqueue`, files for a tape system to `watch_tape`.
"""

import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

from dltest.lab.transfer_service.database import Database
from dltest.lab.transfer_service.failure import Failure
from dltest.lab.transfer_service.outcome import job_outcome
from dltest.lab.transfer_service.records import File, Job
from dltest.lab.transfer_service.submission import best_replica
from dltest.lab.transfer_service.vocabulary import (
    CANCELED_BY_USER,
    CANCELLABLE_FILES,
    QUEUE_EXPIRED,
    SOME_FILES_FAILED,
    TERMINAL_JOBS,
    FileState,
    JobState,
    JobType,
)

_MB = 1 << 20
_HOST = socket.gethostname()
_LIVE = tuple(CANCELLABLE_FILES | {FileState.ON_HOLD, FileState.ON_HOLD_STAGING})
_QUEUED = (
    FileState.SUBMITTED,
    FileState.STAGING,
    FileState.ON_HOLD,
    FileState.ON_HOLD_STAGING,
)


class Lifecycle:
    def __init__(
        self,
        database: Database,
        *,
        default_retry_delay: float,
        waiting: Callable[[tuple[str, str]], int],
        enqueue: Callable[[File], None],
        watch_tape: Callable[[File], None],
    ) -> None:
        self._database = database
        self._default_retry_delay = default_retry_delay
        self._waiting = waiting
        self._enqueue = enqueue
        self._watch_tape = watch_tape

    # -- on the way ----------------------------------------------------------------------

    def ready(self, file: File, job: Job, log_file: str) -> None:
        with self._database.transaction():
            self._database.update_file(
                file.file_id,
                file_state=FileState.READY,
                start_time=time.time(),
                transfer_host=_HOST,
                internal_file_params=None,
                log_file=log_file,
                log_debug=0,
            )
            reuse = job.job_type == JobType.SESSION_REUSE
            state = JobState.READY if reuse else JobState.ACTIVE
            if job.job_state not in {*TERMINAL_JOBS, JobState.ACTIVE, state}:
                self._database.update_job(job.job_id, job_state=state)

    def active(self, file: File, pid: int) -> None:
        with self._database.transaction():
            self._database.update_file(file.file_id, file_state=FileState.ACTIVE, pid=pid)
            self._database.execute(
                "UPDATE job SET job_state = 'ACTIVE' WHERE job_id = ? AND job_state = 'READY'",
                file.job_id,
            )

    def requeue(self, file: File) -> None:
        """Back into its queue without counting a try: the service, not the copy, broke off.

        A copy that had begun found its destination free, so what is there now is its own rest.
        """
        self._database.update_file(
            file.file_id,
            file_state=FileState.SUBMITTED,
            start_time=None,
            transfer_host=None,
            leftover=file.leftover or file.internal_file_params is not None,
        )
        self._enqueue(self._file(file.file_id))

    # -- tokens --------------------------------------------------------------------------

    def prepared(self, file: File) -> File | None:
        """Its tokens are exchanged; the file as it begins, unless its job has ended."""
        if self._job(file.job_id).job_state in TERMINAL_JOBS:
            return None
        self._database.update_file(file.file_id, file_state=file.file_state_initial)
        return self._file(file.file_id)

    def unprepared(self, file: File, reason: str) -> None:
        """Its tokens are not to be had."""
        with self._database.transaction():
            self._database.update_file(
                file.file_id,
                file_state=FileState.FAILED,
                reason=reason,
                recoverable=False,
                finish_time=time.time(),
            )
            self._settle(self._job(file.job_id))

    # -- the end of a copy ---------------------------------------------------------------

    def copied(self, file: File, report: dict[str, Any]) -> None:
        job = self._job(file.job_id)
        now = time.time()
        archiving = job.archive_timeout > 0
        seconds = max(report["seconds"], 0.001)
        with self._database.transaction():
            self._database.update_file(
                file.file_id,
                file_state=FileState.ARCHIVING if archiving else FileState.FINISHED,
                reason="",
                recoverable=False,
                finish_time=now,
                archive_start_time=now if archiving else None,
                filesize=report["filesize"],
                tx_duration=round(seconds, 3),
                throughput=round(report["filesize"] / _MB / seconds, 4),
                transfer_type=report["mode"],
            )
            if archiving:
                self._watch_tape(self._file(file.file_id))
            elif job.job_type == JobType.MULTI_HOP:
                self._use_next(self._unused(job.job_id)[:1])
            self._settle(job)

    def failed(self, file: File, failure: Failure, report: dict[str, Any]) -> None:
        """A copy or a wait for tape ended badly: try again, try elsewhere, or give up."""
        job = self._job(file.job_id)
        if failure.recoverable and file.retry < job.retry:
            self._try_again(file, job, failure)
            return
        metadata = file.file_metadata
        if report.get("dst_file"):
            metadata = {**(metadata or {}), "dst_file": report["dst_file"]}
        with self._database.transaction():
            self._database.update_file(
                file.file_id,
                file_state=FileState.FAILED,
                reason=failure.reason,
                recoverable=failure.recoverable,
                finish_time=time.time(),
                filesize=report.get("filesize", file.filesize),
                file_metadata=metadata,
                transfer_type=report.get("mode"),
                tx_duration=0.0,
                throughput=0.0,
            )
            if job.job_type == JobType.MULTI_REPLICA:
                unused = self._unused(job.job_id)
                self._use_next([best_replica(unused, self._waiting)] if unused else [])
            self._settle(job)

    def _try_again(self, file: File, job: Job, failure: Failure) -> None:
        delay = job.retry_delay if job.retry_delay > 0 else self._default_retry_delay
        now = time.time()
        staging = file.file_state == FileState.STARTED
        with self._database.transaction():
            self._database.remember_retry(file, failure.reason, now)
            self._database.update_file(
                file.file_id,
                file_state=FileState.STAGING if staging else FileState.SUBMITTED,
                retry=file.retry + 1,
                retry_at=now + delay,
                reason=failure.reason,
                recoverable=True,
                throughput=0.0,
                start_time=None,
                transfer_host=None,
                log_file=None,
                log_debug=None,
            )
        again = self._file(file.file_id)
        (self._watch_tape if staging else self._enqueue)(again)

    def _use_next(self, files: list[File]) -> None:
        for file in files:
            self._database.update_file(
                file.file_id, file_state=FileState.SUBMITTED, finish_time=None
            )
            self._enqueue(self._file(file.file_id))

    def _unused(self, job_id: str) -> list[File]:
        return self._database.files("job_id = ? AND file_state = ?", job_id, FileState.NOT_USED)

    def left_over(self, file: File) -> None:
        """Its copy was killed: the next try may clear the destination."""
        self._database.update_file(file.file_id, leftover=True)

    # -- tape ----------------------------------------------------------------------------

    def staging_started(self, file: File) -> None:
        self._database.update_file(
            file.file_id,
            file_state=FileState.STARTED,
            staging_start=time.time(),
            start_time=time.time(),
            staging_host=_HOST,
        )

    def staged(self, file: File) -> None:
        """Online now: copied next, or done if that was all that was asked for."""
        now = time.time()
        if file.source_surl == file.dest_surl:
            with self._database.transaction():
                self._database.update_file(
                    file.file_id,
                    file_state=FileState.FINISHED,
                    reason="",
                    staging_finished=now,
                    finish_time=now,
                )
                self._settle(self._job(file.job_id))
            return
        self._database.update_file(
            file.file_id, file_state=FileState.SUBMITTED, staging_finished=now, start_time=None
        )
        self._enqueue(self._file(file.file_id))

    def staging_failed(self, file: File, failure: Failure) -> None:
        self._database.update_file(file.file_id, staging_finished=time.time())
        self.failed(self._file(file.file_id), failure, {})

    def archived(self, file: File, failure: Failure | None) -> None:
        with self._database.transaction():
            self._database.update_file(
                file.file_id,
                file_state=FileState.FAILED if failure else FileState.FINISHED,
                reason=failure.reason if failure else "",
                archive_finish_time=time.time(),
            )
            self._settle(self._job(file.job_id))

    # -- from outside --------------------------------------------------------------------

    def cancel_job(self, job: Job, running: Iterable[int]) -> None:
        """All of it at once; `finish_time` of running files waits for their copies' end."""
        now = time.time()
        with self._database.transaction():
            self._database.update_job(
                job.job_id,
                job_state=JobState.CANCELED,
                cancel_job=True,
                job_finished=now,
                reason=CANCELED_BY_USER,
            )
            self._database.update_files(
                job.job_id,
                CANCELLABLE_FILES,
                file_state=FileState.CANCELED,
                reason=CANCELED_BY_USER,
                finish_time=now,
            )
            for file_id in running:
                self._database.update_file(file_id, finish_time=None)

    def cancel_file(self, file: File, reason: str | None) -> None:
        self._database.update_file(
            file.file_id, file_state=FileState.CANCELED, reason=reason, finish_time=time.time()
        )

    def stopped(self, file: File) -> None:
        """The copy of a cancelled file has ended."""
        self._database.update_file(file.file_id, finish_time=time.time())

    def expire(self, job: Job) -> None:
        queued = _QUEUED if job.job_type == JobType.MULTI_HOP else (*_QUEUED, FileState.NOT_USED)
        with self._database.transaction():
            self._database.update_files(
                job.job_id,
                queued,
                file_state=FileState.CANCELED,
                reason=QUEUE_EXPIRED,
                finish_time=time.time(),
            )
            self._settle(job)

    def set_priority(self, job: Job, priority: int) -> None:
        with self._database.transaction():
            self._database.update_job(job.job_id, priority=priority)
            self._database.update_files(job.job_id, FileState, priority=priority)

    # -- jobs ----------------------------------------------------------------------------

    def _settle(self, job: Job) -> None:
        """End the job if its files say so. A job that has ended stays as it is."""
        if job.job_type == JobType.REGULAR and self._has_live_files(job.job_id):
            return
        kind = JobType(job.job_type)
        state = job_outcome(kind, self._database.file_states(job.job_id))
        if state is None or self._job(job.job_id).job_state in {*TERMINAL_JOBS, state}:
            return
        if state is JobState.ARCHIVING:
            self._database.update_job(job.job_id, job_state=state)
            return
        source = job.source_se
        if kind is JobType.MULTI_REPLICA and state is JobState.FINISHED:
            done = self._database.files(
                "job_id = ? AND file_state = ?", job.job_id, FileState.FINISHED
            )
            source = done[0].source_se
        self._database.update_job(
            job.job_id,
            job_state=state,
            job_finished=time.time(),
            reason="" if state is JobState.FINISHED else SOME_FILES_FAILED,
            source_se=source,
        )

    def _has_live_files(self, job_id: str) -> bool:
        still = [state for state in _LIVE if state != FileState.ARCHIVING]
        marks = ", ".join("?" * len(still))
        query = f"SELECT 1 FROM file WHERE job_id = ? AND file_state IN ({marks}) LIMIT 1"  # noqa: S608
        return bool(self._database.rows(query, job_id, *still))

    def _job(self, job_id: str) -> Job:
        job = self._database.job(job_id)
        if job is None:
            raise LookupError(job_id)
        return job

    def _file(self, file_id: int) -> File:
        file = self._database.file(file_id)
        if file is None:
            raise LookupError(file_id)
        return file
