"""One simulated lake for many processes: its ports over a UNIX socket, on the machine's clock.

A request is a line, its answer the next one. A storage job has a connection of its own, for as
long as its bytes move: when that closes, the mover is dead and its last file stays a torso.
"""

import json
import select
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from dltest.errors import LakeError
from dltest.lake.ports import FileOutcome, FileRef, JobKind, JobState, JobStatus, StorageJob
from dltest.lake.simulated import wire
from dltest.lake.simulated.lake import SimulatedLake
from dltest.lake.simulated.world import RealClock
from dltest.model import Progress

ROUND_SECONDS = 0.2
# What one file takes: long enough that a mover can be killed while its bytes move.
FILE_SECONDS = 0.05


class Journal:
    """Every change of the lake as a JSON line of `at`, `effect` and `name`."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def __call__(self, effect: str, name: str) -> None:
        if self._stream is None:
            return
        told = {"at": datetime.now(UTC).isoformat(), "effect": effect, "name": name}
        with self._lock:
            self._stream.write(json.dumps(told) + "\n")
            self._stream.flush()


class LakeServer(socketserver.ThreadingUnixStreamServer):
    """Serves one lake until it is shut down. Calls come one after another, bytes move meanwhile."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        path: Path,
        rses: int = 4,
        journal: IO[str] | None = None,
        file_seconds: float = FILE_SECONDS,
    ) -> None:
        path.unlink(missing_ok=True)
        super().__init__(str(path), _Connection)
        self.path = path
        self._file_seconds = file_seconds
        self.journal = Journal(journal)
        names = [f"XRD{number}" for number in range(1, rses + 1)]
        self.lake = SimulatedLake(names, clock=RealClock(), journal=self.journal, own_pace=True)
        self.at_work = threading.RLock()
        self._writing: set[str] = set()
        self._ended = threading.Event()
        self._daemons = threading.Thread(target=self._go_round, name="daemons", daemon=True)
        self._daemons.start()

    def call(self, request: dict[str, Any]) -> bytes:
        """Carry out one request of a port; the line to answer with."""
        door, call = request["door"], request["call"]
        arguments = wire.arguments(door, call, request["arguments"])
        try:
            with self.at_work:
                return wire.answer(door, call, getattr(getattr(self.lake, door), call)(**arguments))
        except LakeError as error:
            return wire.refusal(error)

    def move(self, job: StorageJob, pause: Callable[[float], bool]) -> JobStatus | None:
        """Do the job file by file; None when `pause` said that nobody waits for it any more."""
        outcomes: list[FileOutcome] = []
        while self.lake.ails("storage-hung", job.rse):
            if not pause(self._file_seconds):
                return None
        for file in job.files:
            outcome = self._moved(job, file, pause)
            if outcome is None:
                return None
            outcomes.append(outcome)
        moved = sum(outcome.size_bytes or 0 for outcome in outcomes)
        return JobStatus(
            state=JobState.DONE,
            progress=Progress(files_done=len(outcomes), bytes_done=moved),
            outcomes=tuple(outcomes),
            seconds=self._file_seconds * len(outcomes),
        )

    def server_close(self) -> None:
        self._ended.set()
        self._daemons.join()
        super().server_close()
        self.path.unlink(missing_ok=True)

    def _moved(
        self, job: StorageJob, file: FileRef, pause: Callable[[float], bool]
    ) -> FileOutcome | None:
        if job.kind is not JobKind.PUT:
            if not pause(self._file_seconds):
                return None
            with self.at_work:
                return self.lake.storage.outcome(job, file)
        with self._written(file.url):
            goes_on = pause(self._file_seconds)
            with self.at_work:
                if goes_on:
                    return self.lake.storage.outcome(job, file)
                self.lake.stored[file.url] = bytes(file.size_bytes // 2)
                self.journal("torso", file.url)
        return None

    @contextmanager
    def _written(self, url: str) -> Iterator[None]:
        with self.at_work:
            if url in self._writing:
                self.journal("put-twice-at-once", url)
            self._writing.add(url)
        try:
            yield
        finally:
            with self.at_work:
                self._writing.discard(url)

    def _go_round(self) -> None:
        while not self._ended.wait(ROUND_SECONDS):
            with self.at_work:
                self.lake.go_round()


class _Connection(socketserver.StreamRequestHandler):
    server: LakeServer

    def handle(self) -> None:
        # Whoever asks may be killed at any moment.
        with suppress(ConnectionError):
            self._serve()

    def _serve(self) -> None:
        while asked := self.rfile.readline():
            request = json.loads(asked)
            if "job" in request:
                self._move(StorageJob.model_validate(request["job"]))
                return
            self.wfile.write(self.server.call(request))

    def _move(self, job: StorageJob) -> None:
        status = self.server.move(job, self._goes_on)
        if status is not None:
            self.wfile.write(wire.line(status.model_dump(mode="json")))

    def _goes_on(self, seconds: float) -> bool:
        """Let time pass; whether the other side still listens."""
        readable, _, _ = select.select([self.connection], [], [], seconds)
        return not readable
