"""Records as FTS writes them in JSON: its field sets, its time format."""

import time
from typing import Any

from dltest.lab.transfer_service.database import Row
from dltest.lab.transfer_service.records import (
    ANSWERED_FILE_FIELDS,
    JOB_FIELDS,
    TIME_FIELDS,
    File,
    Job,
)

Answer = dict[str, Any]

_FOUND = {"http_status": "200 Ok"}
_UNCHANGED = {
    "http_status": "304 Not Modified",
    "http_message": "The job is in a terminal state",
}


def job_answer(job: Job) -> Answer:
    return {name: _shown(name, getattr(job, name)) for name in JOB_FIELDS}


def found(job: Job, files: list[Row] | None = None) -> Answer:
    answer = job_answer(job)
    if files is not None:
        answer["files"] = [fields_answer(row) for row in files]
    return {**answer, **_FOUND}


def changed(job: Job) -> Answer:
    return {**job_answer(job), **_FOUND, "http_message": None}


def already_terminal(job: Job) -> Answer:
    return {**job_answer(job), **_UNCHANGED}


def missing(job_id: str) -> Answer:
    return {
        "job_id": job_id,
        "http_status": "404 Not Found",
        "http_message": no_such_job(job_id),
    }


def no_such_job(job_id: str) -> str:
    return f'No job with the id "{job_id}" has been found'


def file_answer(file: File) -> Answer:
    return {name: _shown(name, getattr(file, name)) for name in ANSWERED_FILE_FIELDS}


def fields_answer(row: Row) -> Answer:
    return {name: _shown(name, value) for name, value in row.items()}


def time_answer(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def _shown(name: str, value: Any) -> Any:
    return time_answer(value) if name in TIME_FIELDS else value
