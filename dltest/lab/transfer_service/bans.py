"""Banning a storage: no more submissions, and what waits or runs there is stopped or held."""

from collections.abc import Mapping
from time import time
from typing import Any

from dltest.lab.transfer_service.database import Database
from dltest.lab.transfer_service.identity import Identity
from dltest.lab.transfer_service.records import File
from dltest.lab.transfer_service.refusal import RefusedRequest
from dltest.lab.transfer_service.scheduler import Scheduler
from dltest.lab.transfer_service.vocabulary import (
    CANCELLABLE_FILES,
    STORAGE_BANNED,
    TERMINAL_FILES,
    FileState,
    JobState,
)

_HELD = {
    FileState.SUBMITTED: FileState.ON_HOLD,
    FileState.STAGING: FileState.ON_HOLD_STAGING,
}
_RELEASED = {held: waiting for waiting, held in _HELD.items()}


class Bans:
    def __init__(self, identity: Identity, database: Database, scheduler: Scheduler) -> None:
        self._identity = identity
        self._database = database
        self._scheduler = scheduler

    def listed(self) -> list[dict[str, Any]]:
        return self._scheduler.storages.bans_answer()

    def ban(self, body: Mapping[str, Any]) -> list[str]:
        """The ids of the jobs that it touched."""
        storage = body.get("storage")
        if not storage:
            raise RefusedRequest("Missing storage parameter")
        allow_submit = bool(body.get("allow_submit", False))
        status = str(body.get("status", "cancel")).upper()
        if status not in {"CANCEL", "WAIT"}:
            raise RefusedRequest("status can only be cancel or wait")
        if allow_submit and status == "CANCEL":
            raise RefusedRequest("allow_submit and status = CANCEL can not be combined")
        self._scheduler.storages.ban(
            storage,
            self._identity.vo,
            "WAIT_AS" if allow_submit else status,
            body.get("message", ""),
            self._identity.user_dn,
        )
        return self._cancel_all(storage) if status == "CANCEL" else self._hold_all(storage)

    def unban(self, storage: str | None) -> None:
        if not storage:
            raise RefusedRequest("Missing storage parameter")
        self._scheduler.storages.unban(storage)
        for file in self._files_at(storage, _RELEASED):
            state = _RELEASED[FileState(file.file_state)]
            self._database.update_file(file.file_id, file_state=state)
            file.file_state = state
            self._scheduler.resume(file)

    def _cancel_all(self, storage: str) -> list[str]:
        stopped = {*CANCELLABLE_FILES, FileState.NOT_USED}
        files = self._files_at(storage, stopped)
        with self._database.transaction():
            for file in files:
                self._scheduler.cancel_file(file, STORAGE_BANNED)
            jobs = list(dict.fromkeys(file.job_id for file in files))
            for job_id in jobs:
                self._end_if_over(job_id)
        return jobs

    def _end_if_over(self, job_id: str) -> None:
        if all(state in TERMINAL_FILES for _, state in self._database.file_states(job_id)):
            self._database.update_job(
                job_id, job_state=JobState.CANCELED, job_finished=time(), reason=None
            )

    def _hold_all(self, storage: str) -> list[str]:
        files = self._files_at(storage, _HELD)
        for file in files:
            state = _HELD[FileState(file.file_state)]
            self._database.update_file(file.file_id, file_state=state)
        return list(dict.fromkeys(file.job_id for file in files))

    def _files_at(
        self, storage: str, states: Mapping[FileState, Any] | set[FileState]
    ) -> list[File]:
        marks = ", ".join("?" * len(states))
        where = f"(source_se = ? OR dest_se = ?) AND file_state IN ({marks})"
        return self._database.files(where, storage, storage, *states)
