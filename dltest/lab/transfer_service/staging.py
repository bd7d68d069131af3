"""Waiting for tape: files to be brought online, files to be archived.

One copying process of its own asks the storages, so that no poll waits behind a copy, and so
that the answers of one storage system go to the process that asked it first. Each file is asked
for at growing intervals until its time is over. The same process removes what killed copies
left behind.
"""

import errno
import heapq
import time
from collections import deque
from typing import Any

from dltest.lab.transfer_service.configuration import ServiceConfig
from dltest.lab.transfer_service.database import Database
from dltest.lab.transfer_service.failure import Failure
from dltest.lab.transfer_service.lifecycle import Lifecycle
from dltest.lab.transfer_service.movers import Ending, MoverPool
from dltest.lab.transfer_service.records import File, Job
from dltest.lab.transfer_service.vocabulary import FileState, Scope

_DEFAULT_STAGING_SECONDS = 28800  # FTS's, for a job that only names a pin lifetime
_DEFAULT_PIN_SECONDS = 28800
_REMOVAL_SECONDS = 10.0
_WAITING = {FileState.STAGING, FileState.STARTED, FileState.ARCHIVING}


class TapeDesk:
    def __init__(
        self, database: Database, lifecycle: Lifecycle, pool: MoverPool, config: ServiceConfig
    ) -> None:
        self._database = database
        self._lifecycle = lifecycle
        self._pool = pool
        self._config = config
        self._started = False
        self._due: list[tuple[float, int]] = []
        self._interval: dict[int, float] = {}
        self._questions: deque[dict[str, Any]] = deque()
        pool.listen(report=lambda *_: None, ended=self._on_ended, free=self._pump)

    def watch(self, file: File) -> None:
        """Its state says what for."""
        self._interval[file.file_id] = self._config.staging_poll_seconds
        heapq.heappush(self._due, (file.retry_at or time.time(), file.file_id))

    def remove(self, url: str, bearer: str | None) -> None:
        """Soon or never: a late removal could meet a newer file."""
        until = time.monotonic() + _REMOVAL_SECONDS
        question = {"id": 0, "ask": "remove", "url": url, "bearer": bearer, "until": until}
        self._questions.append(question)

    def abort(self, file: File) -> None:
        """The file is not wanted online any more."""
        if file.bringonline_token:
            self._questions.append(
                {
                    "id": 0,
                    "ask": "abort",
                    "url": file.source_surl,
                    "token": file.bringonline_token,
                }
            )

    async def tick(self) -> None:
        """Ask for what is due; the process is started when there is first something to ask."""
        now = time.time()
        while self._due and self._due[0][0] <= now:
            self._look_at(heapq.heappop(self._due)[1], now)
        self._pool.check()
        if self._questions and not self._started:
            self._started = True
            await self._pool.start()
        self._pump()

    def _look_at(self, file_id: int, now: float) -> None:
        file = self._database.file(file_id)
        if file is None or file.file_state not in _WAITING:
            self._interval.pop(file_id, None)
            if file and file.file_state == FileState.CANCELED:
                self.abort(file)
            return
        job = self._database.job(file.job_id)
        if job is None:
            return
        if now >= _gives_up_at(job, file):
            self._give_up(file)
            return
        self._questions.append(_question(job, file))
        if file.file_state == FileState.STAGING:
            self._lifecycle.staging_started(file)

    def _give_up(self, file: File) -> None:
        if file.file_state == FileState.ARCHIVING:
            message = "archive timeout has been exceeded"
            self._lifecycle.archived(file, Failure(Scope.ARCHIVING, errno.ETIMEDOUT, message))
            return
        message = "bring-online timeout has been exceeded"
        self._lifecycle.staging_failed(file, Failure(Scope.STAGING, errno.ETIMEDOUT, message))
        self.abort(file)

    def _pump(self) -> None:
        for mover in self._pool.idle():
            while mover.order is None and self._questions:
                question = self._questions.popleft()
                if question.get("until", float("inf")) >= time.monotonic():
                    self._pool.assign(mover, question)

    def _on_ended(self, _mover: object, ending: Ending) -> None:
        file = self._database.file(ending.order["id"])
        if file is None or file.file_state not in _WAITING:
            return
        report = ending.report or {}
        if failure := _failure(file, ending):
            self._on_failure(file, failure)
        elif report["done"]:
            self._on_done(file, report)
        else:
            if report.get("token"):
                self._database.update_file(file.file_id, bringonline_token=report["token"])
            self._ask_again(file)

    def _on_done(self, file: File, report: dict[str, Any]) -> None:
        if file.file_state == FileState.ARCHIVING:
            self._lifecycle.archived(file, None)
            return
        if report.get("token"):
            self._database.update_file(file.file_id, bringonline_token=report["token"])
        self._lifecycle.staged(file)

    def _on_failure(self, file: File, failure: Failure) -> None:
        if file.file_state == FileState.ARCHIVING:
            self._lifecycle.archived(file, failure)
        else:
            self._lifecycle.staging_failed(file, failure)

    def _ask_again(self, file: File) -> None:
        interval = self._interval.get(file.file_id, self._config.staging_poll_seconds)
        self._interval[file.file_id] = min(2 * interval, self._config.staging_poll_max_seconds)
        job = self._database.job(file.job_id)
        due = time.time() + interval
        if job is not None:
            due = min(due, _gives_up_at(job, file))
        heapq.heappush(self._due, (due, file.file_id))


def _gives_up_at(job: Job, file: File) -> float:
    if file.file_state == FileState.ARCHIVING:
        return (file.archive_start_time or 0.0) + job.archive_timeout
    if file.file_state == FileState.STAGING:
        return float("inf")
    limit = job.bring_online if job.bring_online > 0 else _DEFAULT_STAGING_SECONDS
    return (file.staging_start or 0.0) + limit


def _question(job: Job, file: File) -> dict[str, Any]:
    if file.file_state == FileState.ARCHIVING:
        return {"id": file.file_id, "ask": "archived", "url": file.dest_surl}
    if file.file_state == FileState.STARTED:
        token = file.bringonline_token or ""
        return {"id": file.file_id, "ask": "poll", "url": file.source_surl, "token": token}
    pin = job.copy_pin_lifetime if job.copy_pin_lifetime > 0 else _DEFAULT_PIN_SECONDS
    limit = job.bring_online if job.bring_online > 0 else _DEFAULT_STAGING_SECONDS
    return {
        "id": file.file_id,
        "ask": "bring_online",
        "url": file.source_surl,
        "pin_seconds": pin,
        "timeout_seconds": limit,
    }


def _failure(file: File, ending: Ending) -> Failure | None:
    scope = Scope.ARCHIVING if file.file_state == FileState.ARCHIVING else Scope.STAGING
    told = (ending.report or {}).get("failure")
    if told:
        return Failure(scope, told["code"], told["message"])
    if ending.stopped_by:
        return Failure(scope, ending.stopped_by.code, ending.stopped_by.message)
    return None
