"""Hands files to copying processes and takes their ends in; the service's heart.

Everything happens in one thread, on the event loop: requests, reports and ticks never meet
half-done work. A file that may go is handed out at once; the tick only minds the clock.
"""

import asyncio
import heapq
import logging
import time
from collections import deque

from dltest.lab.transfer_service.configuration import ServiceConfig
from dltest.lab.transfer_service.database import Database
from dltest.lab.transfer_service.failure import Failure
from dltest.lab.transfer_service.lifecycle import Lifecycle
from dltest.lab.transfer_service.movers import Ending, Mover, MoverPool, Report
from dltest.lab.transfer_service.nursery import Nursery
from dltest.lab.transfer_service.orders import copy_order, internal_file_params
from dltest.lab.transfer_service.queues import Link, LinkQueues
from dltest.lab.transfer_service.records import File, Job, Submission, link_of
from dltest.lab.transfer_service.staging import TapeDesk
from dltest.lab.transfer_service.storages import StorageSettings
from dltest.lab.transfer_service.token_desk import TokenDesk
from dltest.lab.transfer_service.tokens import Issuer
from dltest.lab.transfer_service.vocabulary import (
    RUNNING_FILES,
    FileState,
    JobType,
    Scope,
)

_LOG = logging.getLogger(__name__)
_EXPIRY_SECONDS = 1.0
_FORGETTING_SECONDS = 600.0
_CANCELED = Failure(Scope.TRANSFER, 125, "Transfer canceled")  # ECANCELED


class Scheduler:
    def __init__(
        self, config: ServiceConfig, database: Database, nursery: Nursery, issuer: Issuer
    ) -> None:
        self._config = config
        self._database = database
        self.queues = LinkQueues(config.per_link)
        self.storages = StorageSettings(database)
        self._pool = MoverPool(nursery, config, config.workers)
        self._tape_pool = MoverPool(nursery, config, 1)
        self.lifecycle = Lifecycle(
            database,
            default_retry_delay=config.retry_delay,
            waiting=self.queues.waiting,
            enqueue=self.enqueue,
            watch_tape=lambda file: self._tape.watch(file),  # noqa: PLW0108 - made below
        )
        self._tape = TapeDesk(database, self.lifecycle, self._tape_pool, config)
        self._tokens = TokenDesk(
            database,
            self.lifecycle,
            issuer,
            renew_before_seconds=config.renew_before_seconds,
            go_on=self.resume,
        )
        self._links: dict[int, Link] = {}  # of the files under way
        self._delayed: list[tuple[float, int]] = []
        self._backlogs: dict[Mover, deque[int]] = {}
        self._next_expiry = 0.0
        self._next_forgetting = 0.0
        self._wake = asyncio.Event()
        self._pool.listen(report=self._on_report, ended=self._on_ended, free=self.dispatch)

    async def run(self) -> None:
        """Recover, then schedule until cancelled."""
        self._recover()
        await self._pool.start()
        try:
            while True:
                await self._tick()
                self._wake.clear()
                try:
                    await asyncio.wait_for(self._wake.wait(), self._config.scheduling_seconds)
                except TimeoutError:
                    continue
        finally:
            self._pool.close()
            self._tape_pool.close()

    # -- what requests ask for -----------------------------------------------------------

    def submit(self, submission: Submission) -> bool:
        """False when a job with this id is already there."""
        if not self._database.insert(submission):
            return False
        for file in submission.files:
            self.resume(file)
        self.dispatch()
        return True

    def resume(self, file: File) -> None:
        """Go on with a file that waits for a copy, for tape or for its tokens."""
        if file.file_state == FileState.SUBMITTED:
            self.enqueue(file)
        elif file.file_state == FileState.TOKEN_PREP:
            self._tokens.prepare(file)
        elif file.file_state in {FileState.STAGING, FileState.ARCHIVING}:
            self._tape.watch(file)

    def enqueue(self, file: File) -> None:
        if file.retry_at and file.retry_at > time.time():
            heapq.heappush(self._delayed, (file.retry_at, file.file_id))
        else:
            self.queues.add(link_of(file), file.file_id, file.priority)
            self._wake.set()

    def cancel(self, job: Job) -> None:
        files = self._database.files_of(job.job_id)
        running = [file.file_id for file in files if self._pool.holding(file.file_id)]
        self.lifecycle.cancel_job(job, running)
        for file in files:
            self._withdraw(file)

    def cancel_file(self, file: File, reason: str | None) -> None:
        self.lifecycle.cancel_file(file, reason)
        self._withdraw(file)

    def _withdraw(self, file: File) -> None:
        self.queues.drop(link_of(file), file.file_id)
        if mover := self._pool.holding(file.file_id):
            self._pool.stop(mover, _CANCELED)

    def set_priority(self, job: Job, priority: int) -> None:
        self.lifecycle.set_priority(job, priority)
        for file in self._database.files_of(job.job_id):
            if file.file_state == FileState.SUBMITTED:
                self.enqueue(file)

    # -- clock ---------------------------------------------------------------------------

    async def _tick(self) -> None:
        now = time.time()
        while self._delayed and self._delayed[0][0] <= now:
            file = self._database.file(heapq.heappop(self._delayed)[1])
            if file and file.file_state == FileState.SUBMITTED:
                self.enqueue(file)
        if now >= self._next_expiry:
            self._next_expiry = now + _EXPIRY_SECONDS
            self._expire(now)
        self._pool.check()
        await self._tape.tick()
        self.dispatch()

    def _expire(self, now: float) -> None:
        where = (
            "job_finished IS NULL AND max_time_in_queue < ? "
            "AND job_state IN ('SUBMITTED', 'ACTIVE', 'STAGING')"
        )
        for job in self._database.jobs(where, now):
            self.lifecycle.expire(job)
        if now >= self._next_forgetting:
            self._next_forgetting = now + _FORGETTING_SECONDS
            self._database.forget_finished(now - self._config.keep_seconds)
        self._database.forget_tokens()

    def _recover(self) -> None:
        """Take up what a former life of this service left unfinished."""
        terminal = "('FINISHED', 'FAILED', 'CANCELED', 'NOT_USED')"
        for file in self._database.files(f"file_state NOT IN {terminal}"):
            if file.file_state in RUNNING_FILES:
                _LOG.info("file_id=%d was under way; queued again", file.file_id)
                self.lifecycle.requeue(file)
                continue
            if file.file_state == FileState.STARTED:
                self._database.update_file(file.file_id, file_state=FileState.STAGING)
                file.file_state = FileState.STAGING
            self.resume(file)

    # -- handing out ---------------------------------------------------------------------

    def dispatch(self) -> None:
        for mover in self._pool.idle():
            while mover.order is None and self._hand_out(mover):
                pass

    def _hand_out(self, mover: Mover) -> bool:
        """False when there is nothing for it; true also for a file that had to be passed over."""
        if backlog := self._backlogs.get(mover):
            file_id, link = backlog.popleft(), None
        else:
            self._backlogs.pop(mover, None)
            taken = self.queues.take()
            if taken is None:
                return False
            link, file_id = taken
        file = self._database.file(file_id)
        wanted = {FileState.SUBMITTED} if link else {FileState.READY}
        if file is None or file.file_state not in wanted or self._tokens.is_renewing(file):
            if link:
                self.queues.done(link)
            return True
        if link:
            self._links[file_id] = link
        self._start(mover, file)
        return True

    def _start(self, mover: Mover, file: File) -> None:
        job = self._database.job(file.job_id)
        if job is None:
            raise LookupError(file.job_id)
        order = copy_order(
            job,
            file,
            last_hop=self._is_last(job, file),
            overwrite_disk_enabled=self.storages.overwrite_disk_enabled(file.dest_se),
            seconds_per_mb=self._config.seconds_per_mb,
            verifies=self._config.verify_checksums,
            tokens=self._tokens.tokens_of(file),
        )
        self.lifecycle.ready(file, job, str(self._config.log_file))
        if job.job_type == JobType.SESSION_REUSE and mover not in self._backlogs:
            self._take_whole_job(mover, job, file)
        self._pool.assign(mover, order)

    def _is_last(self, job: Job, file: File) -> bool:
        if job.job_type != JobType.MULTI_HOP:
            return True
        return all(index <= file.file_index for index, _ in self._database.file_states(job.job_id))

    def _take_whole_job(self, mover: Mover, job: Job, first: File) -> None:
        """Session reuse: one process carries the job's files one after another."""
        rest = [
            file
            for file in self._database.files_of(first.job_id)
            if file.file_state == FileState.SUBMITTED and file.file_id != first.file_id
        ]
        for file in rest:
            self.queues.drop(link_of(file), file.file_id)
            self.lifecycle.ready(file, job, str(self._config.log_file))
        self._backlogs[mover] = deque(file.file_id for file in rest)

    # -- taking in -----------------------------------------------------------------------

    def _on_report(self, mover: Mover, report: Report) -> None:
        if report["event"] not in {"started", "copying", "note"}:
            return
        file = self._database.file(report["id"])
        if file is None or file.file_state not in RUNNING_FILES:
            return
        if report["event"] == "started":
            self.lifecycle.active(file, mover.pid)
        elif report["event"] == "copying" and mover.order:
            self._database.update_file(
                file.file_id,
                filesize=report["filesize"],
                internal_file_params=internal_file_params(mover.order, report["timeout_seconds"]),
            )
        elif report["event"] == "note":
            _LOG.info("file_id=%d %s", file.file_id, report["text"])

    def _on_ended(self, mover: Mover, ending: Ending) -> None:
        file_id = ending.order["id"]
        if link := self._links.pop(file_id, None):
            self.queues.done(link)
        file = self._database.file(file_id)
        if file is None:
            return
        report = ending.report or {"mode": None, "seconds": 0.0}
        failure = _failure_of(ending)
        if ending.killed and ending.was_copying:
            self._mind_leftover(file)
        _log_end(file, report, failure)
        if file.file_state not in RUNNING_FILES:
            self.lifecycle.stopped(file)
        elif failure:
            self.lifecycle.failed(file, failure, report)
        else:
            self.lifecycle.copied(file, report)
        if ending.killed:
            self._return_backlog(mover)

    def _mind_leftover(self, file: File) -> None:
        """A later try clears it away; after a cancel there is none, so it is removed now.

        Never after a stall: a storage that hangs would carry the removal out when it wakes up,
        perhaps on the good file of a later transfer.
        """
        self.lifecycle.left_over(file)
        if file.file_state not in RUNNING_FILES and not file.dest_surl.startswith("mock://"):
            token = self._tokens.tokens_of(file)[1]
            self._tape.remove(file.dest_surl, token.access_token if token else None)

    def _return_backlog(self, mover: Mover) -> None:
        for file_id in self._backlogs.pop(mover, ()):
            file = self._database.file(file_id)
            if file and file.file_state == FileState.READY:
                self.lifecycle.requeue(file)

    @property
    def counts(self) -> dict[str, int]:
        return {"queued": len(self.queues), "active": len(self._pool.busy())}


def _failure_of(ending: Ending) -> Failure | None:
    told = (ending.report or {}).get("failure")
    if ending.stopped_by and (told or ending.report is None):
        return ending.stopped_by
    if told:
        return Failure(Scope(told["scope"]), told["code"], told["message"])
    return None


def _log_end(file: File, report: Report, failure: Failure | None) -> None:
    _LOG.info(
        "file_id=%d job_id=%s outcome=%s transfer_type=%r bytes=%s seconds=%.3f reason=%r",
        file.file_id,
        file.job_id,
        "failed" if failure else "copied",
        report["mode"],
        report.get("filesize"),
        report["seconds"],
        failure.reason if failure else "",
    )
