"""One storage job from start to end: starts a mover, listens to it, and ends it if need be."""

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO

from pydantic import SecretStr

from dltest.errors import CredentialError, LakeError
from dltest.lake.ports import FileOutcome, JobState, JobStatus, StorageJob
from dltest.lake.storage.bearers import Bearers, bearers_of
from dltest.lake.storage.environment import mover_environment
from dltest.lake.storage.errors import clean
from dltest.lake.storage.order import FileOrder, Order
from dltest.lake.storage.proxy import check_proxy
from dltest.lake.storage.spool import spool_folder
from dltest.lake.token_rules.bearers import Desk, equipped
from dltest.model import SCENARIO, Progress
from dltest.settings import StorageSettings

LISTEN_SECONDS = 0.5
_KEPT_STDERR_BYTES = 2000
_FAREWELL_SECONDS = 5


def run_job(
    job: StorageJob,
    settings: StorageSettings,
    *,
    spool: Path,
    bearers: Bearers | None = None,
    tokens: Desk | None = None,
    on_progress: Callable[[JobStatus], None] = lambda _status: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> JobStatus:
    """Run the job in a process of its own and wait for its end; what came of it.

    `on_progress` is called about once a second, whether there is news or not, so that a lease can
    be renewed from it; what it raises ends the mover. `is_cancelled` is asked as often. `spool` is
    the folder for files that do not fit into memory. The job's limit counts from this call; at
    its end, and when cancelled, the mover is killed and the job LOST. Leaves no process and no
    file. `bearers` has the token for it, if not the one of the settings is shown.
    """
    with spool_folder(spool, _spooled_bytes(job, settings)) as folder:
        order = _order(job, settings, folder)
        try:
            check_proxy(settings.proxy)
            if any(file.trial for file in job.files):
                order = equipped(order, job, _needed(tokens))
            else:
                order = replace(order, bearer=_value((bearers or bearers_of(settings))(job)))
        except LakeError as error:
            return JobStatus(state=JobState.LOST, detail=str(error), trouble=error.as_trouble())
        return _Mover(job, order, mover_environment(settings)).run(on_progress, is_cancelled)


class _Mover:
    def __init__(self, job: StorageJob, order: Order, environment: dict[str, str]) -> None:
        self._job = job
        self._order = order
        self._environment = environment
        self._status = JobStatus(state=JobState.RUNNING)
        self._outcomes: list[FileOutcome] = []
        self._unread = b""
        self._ends_at = time.monotonic() + job.limit.total_seconds()

    def run(
        self, on_progress: Callable[[JobStatus], None], is_cancelled: Callable[[], bool]
    ) -> JobStatus:
        with tempfile.TemporaryFile() as errors, self._start(errors) as process:
            why: str | None = "abandoned"
            try:
                why = self._listen(process, on_progress, is_cancelled)
            finally:
                if why:
                    _kill(process)
            code = _reap(process)
            return self._end(why or self._why_lost(code, errors))

    def _start(self, errors: IO[bytes]) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "dltest.lake.storage.mover"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=self._environment,
            start_new_session=True,
        )
        assert process.stdin is not None  # noqa: S101 - asked for above
        try:
            process.stdin.write(self._order.to_json().encode())
            process.stdin.close()
        except BrokenPipeError:
            process.stdin = None  # it died at once; its exit code and stderr will say why
        return process

    def _listen(
        self,
        process: subprocess.Popen[bytes],
        on_progress: Callable[[JobStatus], None],
        is_cancelled: Callable[[], bool],
    ) -> str | None:
        """Until it ends, or has to be ended: the reason then."""
        assert process.stdout is not None  # noqa: S101 - asked for at the start
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            tell_at = time.monotonic()
            while True:
                if selector.select(LISTEN_SECONDS) and not self._hear(process.stdout.fileno()):
                    return None
                if time.monotonic() < tell_at:
                    continue
                tell_at = time.monotonic() + LISTEN_SECONDS
                on_progress(self._now())
                if time.monotonic() > self._ends_at:
                    self._status = self._status.model_copy(update={"timed_out": True})
                    return f"killed at its limit of {self._job.limit.total_seconds():g} s"
                if is_cancelled():
                    return "cancelled"

    def _hear(self, pipe: int) -> bool:
        """Take in what the mover has written; False at its end."""
        data = os.read(pipe, 1 << 16)
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            self._take(json.loads(line))
        return bool(data)

    def _take(self, line: dict[str, dict[str, object]]) -> None:
        if "report" in line:
            self._outcomes.append(FileOutcome.model_validate(line["report"]))
        if "advance" in line:
            self._status = _status(line["advance"])

    def _now(self) -> JobStatus:
        return self._status.model_copy(update={"outcomes": tuple(self._outcomes)})

    def _end(self, why: str | None) -> JobStatus:
        state = JobState.LOST if why else JobState.DONE
        done = {outcome.url: outcome for outcome in self._outcomes}
        # In the job's order, since files end in any.
        outcomes = tuple(done[file.url] for file in self._job.files if file.url in done)
        changes = {"state": state, "detail": why or "", "outcomes": outcomes}
        return self._status.model_copy(update=changes)

    def _why_lost(self, code: int, errors: IO[bytes]) -> str | None:
        if code == 0 and len(self._outcomes) == len(self._job.files):
            return None
        errors.seek(max(0, errors.seek(0, os.SEEK_END) - _KEPT_STDERR_BYTES))
        words = clean(errors.read().decode(errors="replace"))
        return f"the mover ended with code {code}: {words or 'it said nothing'}"


def _reap(process: subprocess.Popen[bytes]) -> int:
    """Its exit code; a mover that closed its mouth and hangs in a library's farewell is killed."""
    try:
        return process.wait(_FAREWELL_SECONDS)
    except subprocess.TimeoutExpired:
        _kill(process)
        return process.wait()


def _kill(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _status(advance: dict[str, object]) -> JobStatus:
    files, moved, seconds = (advance[key] for key in ("files_done", "bytes_done", "seconds"))
    seconds = float(str(seconds))
    rate = int(str(moved)) / seconds if seconds else None
    progress = Progress.model_validate(
        {"files_done": files, "bytes_done": moved, "rate_bytes_per_second": rate}
    )
    return JobStatus(state=JobState.RUNNING, progress=progress, seconds=seconds)


def _order(job: StorageJob, settings: StorageSettings, folder: Path) -> Order:
    return Order(
        kind=job.kind.value,
        seed=job.seed,
        files=tuple(
            FileOrder(**file.model_dump(mode="json", exclude={"trial"})) for file in job.files
        ),
        spool=str(folder),
        parallel_files=settings.parallel_files,
        limit_seconds=max(1, int(job.limit.total_seconds())),
        parent=os.getpid(),
        disk=str(settings.disks[job.rse]) if job.rse in settings.disks else None,
    )


def _value(bearer: SecretStr | None) -> str | None:
    return bearer.get_secret_value() if bearer else None


def _needed(tokens: Desk | None) -> Desk:
    if tokens is None:
        raise CredentialError(
            "the lake file names no token issuer",
            code="not-supported",
            operation="get tokens",
            blame=SCENARIO,
        )
    return tokens


def _spooled_bytes(job: StorageJob, settings: StorageSettings) -> int:
    """The most that lies in the spool at once."""
    largest = max((file.size_bytes for file in job.files), default=0)
    return largest * min(settings.parallel_files, len(job.files))
