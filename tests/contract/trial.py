"""What a contract test works with: a lake, names of its own, and patience."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar
from uuid import uuid4

from dltest.errors import LakeError
from dltest.lake.ports import (
    FileFacts,
    FileRef,
    JobKind,
    JobState,
    JobStatus,
    LakePorts,
    StorageJob,
)
from dltest.lake.simulated import SimulatedLake

T = TypeVar("T")

LIFETIME = timedelta(hours=1)
PATIENCE_SECONDS = 120.0


@dataclass
class Trial:
    """A lake, two of its RSEs, and names that nobody used before.

    `simulated` is the lake itself where it is one that can be made ill.
    """

    ports: LakePorts
    simulated: SimulatedLake | None = None
    source: str = "XRD1"
    destination: str = "XRD2"
    run: str = field(default_factory=lambda: f"contract-{uuid4().hex[:12]}")

    @property
    def dataset(self) -> str:
        return f"dltest.{self.run}"

    def names(self, count: int = 3) -> list[str]:
        return [f"{self.dataset}.{index:06d}" for index in range(count)]

    def refs(
        self, rse: str, count: int = 3, size: int = 1000, protocol: str | None = None
    ) -> tuple[FileRef, ...]:
        urls = self.ports.catalogue.urls(rse, self.names(count), protocol)
        return tuple(FileRef(url=url, index=i, size_bytes=size) for i, url in enumerate(urls))

    def job(self, kind: JobKind, files: tuple[FileRef, ...], rse: str | None = None) -> StorageJob:
        return StorageJob(
            id=f"{self.run}.{uuid4().hex}",
            kind=kind,
            rse=rse or self.source,
            seed=self.run,
            files=files,
            limit=timedelta(seconds=30),
        )

    def do(self, kind: JobKind, files: tuple[FileRef, ...]) -> JobStatus:
        job = self.job(kind, files)
        self.ports.storage.start(job)
        return self.end_of(job.id)

    def end_of(self, job_id: str) -> JobStatus:
        over = {JobState.DONE, JobState.LOST}
        return until(
            lambda: self.ports.storage.look(job_id), lambda status: status.state in over, every=0.05
        )

    def upload(self, count: int = 3) -> list[FileFacts]:
        """Bytes at the source, known to the catalogue in the run's dataset."""
        outcomes = self.do(JobKind.PUT, self.refs(self.source, count)).outcomes
        facts = [
            FileFacts(name=name, size_bytes=1000, adler32=str(outcome.adler32))
            for name, outcome in zip(self.names(count), outcomes, strict=True)
        ]
        self.ports.catalogue.register(self.dataset, self.source, facts, LIFETIME)
        return facts

    def clean(self) -> None:
        """Ask for the end of everything; as the engine does, again when there was no answer.

        A daemon that removes the same rows may make Rucio's server fail at that moment.
        """
        self.do(JobKind.UNLINK, self.refs(self.source))
        until(self._expires, bool)

    def _expires(self) -> bool:
        try:
            self.ports.catalogue.expire(self.dataset)
        except LakeError as error:
            if not error.retryable:
                raise
            return False
        return True


def until(ask: Callable[[], T], good: Callable[[T], bool], *, every: float = 0.3) -> T:
    """The first good answer; fails with the last one."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while not good(answer := ask()):
        assert time.monotonic() < ends, f"still {answer!r} after {PATIENCE_SECONDS} s"
        time.sleep(every)
    return answer
