"""What requests about jobs do and answer, HTTP left aside.

An `Outcome` is what goes back: the body, and the status it goes back with.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from time import time
from typing import Any

from dltest.lab.transfer_service import answers
from dltest.lab.transfer_service.configuration import ServiceConfig
from dltest.lab.transfer_service.database import Database
from dltest.lab.transfer_service.identity import Identity
from dltest.lab.transfer_service.records import ANSWERED_FILE_FIELDS, JOB_FIELDS, Job
from dltest.lab.transfer_service.refusal import RefusedRequest
from dltest.lab.transfer_service.scheduler import Scheduler
from dltest.lab.transfer_service.submission import Surroundings, build_submission
from dltest.lab.transfer_service.tokens import Issuer
from dltest.lab.transfer_service.vocabulary import (
    CANCELED_BY_USER,
    CANCELLABLE_FILES,
    TERMINAL_JOBS,
    FileState,
    JobState,
    JobType,
)

_HIGHEST_LIMIT = 500
_FOREIGN_DELEGATION = "The provided delegation id does not match your delegation id"
_FOREIGN_DN = "The provided DN and delegation id do not correspond to the same user"


@dataclass(frozen=True, slots=True)
class Outcome:
    body: Any
    status: int = HTTPStatus.OK


class Jobs:
    def __init__(
        self, config: ServiceConfig, issuer: Issuer, database: Database, scheduler: Scheduler
    ) -> None:
        self._config = config
        self._issuer = issuer
        self._database = database
        self._scheduler = scheduler

    def submit(self, body: Mapping[str, Any], user: Identity) -> Outcome:
        around = Surroundings(
            user=user,
            metadata_size_limit=self._config.metadata_size_limit,
            banned=self._scheduler.storages.banned(),
            waiting=self._scheduler.queues.waiting,
            token=self._issuer.transfer_token,
        )
        submission = build_submission(body, around)
        if not self._scheduler.submit(submission):
            message = "The sid provided by the user is duplicated"
            raise RefusedRequest(message, HTTPStatus.CONFLICT)
        return Outcome({"job_id": submission.job.job_id})

    # -- reading -------------------------------------------------------------------------

    def get(self, id_list: str, file_fields: list[str]) -> Outcome:
        """One id: its object; several: a list, 207 when one of them is unknown."""
        ids = id_list.split(",")
        found = [self._found(job_id, file_fields) for job_id in ids if job_id]
        unknown = any(answer["http_status"] != "200 Ok" for answer in found)
        if len(ids) == 1:
            return Outcome(found[0], HTTPStatus.NOT_FOUND if unknown else HTTPStatus.OK)
        return Outcome(found, HTTPStatus.MULTI_STATUS if unknown else HTTPStatus.OK)

    def _found(self, job_id: str, file_fields: list[str]) -> dict[str, Any]:
        job = self._database.job(job_id)
        if job is None:
            return answers.missing(job_id)
        if not file_fields:
            return answers.found(job)
        known = [name for name in file_fields if name in ANSWERED_FILE_FIELDS]
        return answers.found(job, self._database.file_fields(job_id, known))

    def files(self, job_id: str) -> Outcome:
        self._job(job_id)
        return Outcome([answers.file_answer(file) for file in self._database.files_of(job_id)])

    def field(self, job_id: str, name: str) -> Outcome:
        answer = answers.found(self._job(job_id))
        if name not in answer:
            raise RefusedRequest("No such field", HTTPStatus.NOT_FOUND)
        return Outcome(answer[name])

    def retries(self, job_id: str, file_id: str) -> Outcome:
        self._job(job_id)
        rows = self._database.rows(
            "SELECT * FROM retry_error WHERE file_id = CAST(? AS INTEGER) ORDER BY attempt", file_id
        )
        shown = [{**row, "datetime": answers.time_answer(row["datetime"])} for row in rows]
        return Outcome(shown)

    def listed(self, query: Mapping[str, str], user: Identity) -> Outcome:
        """Unfinished jobs; `state_in` with `limit` or `time_window` shows finished ones too."""
        limit = _limit(query.get("limit"))
        if query.get("dlg_id") not in {None, "", user.delegation_id}:
            raise RefusedRequest(_FOREIGN_DELEGATION, HTTPStatus.FORBIDDEN)
        if query.get("user_dn") not in {None, "", user.user_dn}:
            raise RefusedRequest(_FOREIGN_DN)
        where, values = _filters(query, limit)
        order = f" ORDER BY submit_time DESC LIMIT {limit}" if limit else ""
        jobs = self._database.jobs(where + order, *values)
        if fields := query.get("fields"):
            names = [name for name in fields.split(",") if name in JOB_FIELDS]
            shown = [answers.job_answer(job) for job in jobs]
            return Outcome([{name: job[name] for name in names} for job in shown])
        return Outcome([answers.job_answer(job) for job in jobs])

    # -- changing ------------------------------------------------------------------------

    def cancel(self, id_list: str) -> Outcome:
        return self._change(id_list, self._scheduler.cancel)

    def modify(self, id_list: str, read_priority: Callable[[], int | None]) -> Outcome:
        """`read_priority` is asked only after the jobs were looked up, as FTS does."""
        ids = id_list.split(",")
        known = [self._database.job(job_id) for job_id in ids if job_id]
        priority = read_priority() if any(known) or len(ids) > 1 else None

        def prioritise(job: Job) -> None:
            if priority:
                self._scheduler.set_priority(job, priority)

        return self._change(id_list, prioritise)

    def _change(self, id_list: str, change: Callable[[Job], None]) -> Outcome:
        ids = id_list.split(",")
        done = [self._changed(job_id, change) for job_id in ids if job_id]
        if len(ids) == 1:
            missing = done[0]["http_status"] == "404 Not Found"
            return Outcome(done[0], HTTPStatus.NOT_FOUND if missing else HTTPStatus.OK)
        unknown = any(answer["http_status"] == "404 Not Found" for answer in done)
        return Outcome(done, HTTPStatus.MULTI_STATUS if unknown else HTTPStatus.OK)

    def _changed(self, job_id: str, change: Callable[[Job], None]) -> dict[str, Any]:
        job = self._database.job(job_id)
        if job is None:
            return answers.missing(job_id)
        if job.job_state in TERMINAL_JOBS:
            return answers.already_terminal(job)
        change(job)
        return answers.changed(self._job(job_id))

    def cancel_files(self, job_id: str, id_list: str) -> Outcome:
        job = self._job(job_id)
        if job.job_type != JobType.REGULAR:
            message = f"Multihop or reuse jobs must be cancelled at once ({job.job_type})"
            raise RefusedRequest(message)
        states = [self._cancel_file(job_id, file_id) for file_id in id_list.split(",")]
        left = {state for _, state in self._database.file_states(job_id)}
        if not left & CANCELLABLE_FILES and job.job_state not in TERMINAL_JOBS:
            self._database.update_job(
                job_id, job_state=JobState.CANCELED, cancel_job=True, job_finished=time()
            )
        return Outcome(states if len(states) > 1 else states[0])

    def _cancel_file(self, job_id: str, file_id: str) -> str:
        file = self._database.file(int(file_id)) if file_id.isdigit() else None
        if file is None or file.job_id != job_id:
            return "File does not belong to the job"
        if file.file_state not in CANCELLABLE_FILES:
            return file.file_state
        self._scheduler.cancel_file(file, CANCELED_BY_USER)
        return FileState.CANCELED

    def _job(self, job_id: str) -> Job:
        job = self._database.job(job_id)
        if job is None:
            raise RefusedRequest(answers.no_such_job(job_id), HTTPStatus.NOT_FOUND)
        return job


def _limit(text: str | None) -> int | None:
    try:
        limit = int(text or "")
    except ValueError:
        return None
    if not 0 <= limit <= _HIGHEST_LIMIT:
        raise RefusedRequest("The limit must be positive and less or equal than 500")
    return limit


def _filters(query: Mapping[str, str], limit: int | None) -> tuple[str, list[object]]:
    clauses: list[str] = []
    values: list[object] = []
    states = [state for state in query.get("state_in", "").split(",") if state]
    if states:
        clauses.append(f"job_state IN ({', '.join('?' * len(states))})")
        values += states
    window = _window(query.get("time_window"))
    if states and limit is None and window is not None:
        clauses.append("job_finished >= ?")
        values.append(time() - window.total_seconds())
    elif not states or limit is None:
        clauses.append("job_finished IS NULL")
    for name, column in (
        ("vo_name", "vo_name"),
        ("source_se", "source_se"),
        ("dest_se", "dest_se"),
    ):
        if wanted := query.get(name):
            clauses.append(f"{column} = ?")
            values.append(wanted)
    return " AND ".join(clauses), values


def _window(text: str | None) -> timedelta | None:
    hours, _, minutes = (text or "").partition(":")
    try:
        return timedelta(hours=int(hours), minutes=int(minutes or 0))
    except ValueError:
        return None
