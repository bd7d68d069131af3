"""Bytes are moved under leases: by one worker, through its death, and not against our will."""

import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from dltest.lake.ports import FileRef, JobKind, JobState, JobStatus, StorageJob
from dltest.model import Watch, WatchKind
from dltest.worker.app import connect
from dltest.worker.queued import QueuedStorage

SIZE = 100_000


@pytest.fixture
def storage(service) -> QueuedStorage:
    connect(service.broker)
    return QueuedStorage(service.store, service.lake)


@pytest.fixture
def job(tmp_path: Path) -> StorageJob:
    """Write one file, by the real mover."""
    return StorageJob(
        id="r1.0.put",
        kind=JobKind.PUT,
        rse="XRD1",
        seed="r1",
        files=(FileRef(url=f"file://{tmp_path}/payload", index=0, size_bytes=SIZE),),
        limit=timedelta(seconds=60),
    )


@pytest.fixture
def hanging(job: StorageJob, tmp_path: Path) -> StorageJob:
    """Read a pipe that nobody writes: what a hung storage looks like."""
    os.mkfifo(tmp_path / "pipe")
    pipe = FileRef(url=f"file://{tmp_path}/pipe", index=0, size_bytes=SIZE)
    return job.model_copy(update={"kind": JobKind.READ, "files": (pipe,)})


def movers(service) -> set[int]:
    """The movers below our workers."""
    workers = {process.pid for process in service.started}
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_bytes()
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it ended while we looked
            if parent in workers and b"dltest.lake.storage.mover" in command:
                found.add(int(folder.name))
    return found


def is_in(storage: QueuedStorage, job: StorageJob, state: JobState):
    return lambda: storage.look(job.id).state is state


def test_a_job_is_done_by_a_worker(service, storage, job) -> None:
    assert storage.look(job.id).state is JobState.LOST
    storage.start(job)
    storage.start(job)
    assert storage.look(job.id) == JobStatus(state=JobState.QUEUED)
    service.start("transfer")
    service.await_(is_in(storage, job, JobState.DONE), "the job is done")
    status = storage.look(job.id)
    assert [(file.code, file.size_bytes) for file in status.outcomes] == [(None, SIZE)]
    assert status.progress.bytes_done == SIZE
    assert status.seconds > 0


def test_a_killed_workers_job_is_done_by_another(service, storage, hanging, job) -> None:
    storage.start(hanging)
    victim = service.start("transfer")
    service.await_(is_in(storage, job, JobState.RUNNING), "the job runs")
    victim.send_signal(signal.SIGKILL)
    victim.wait(10)
    service.await_(is_in(storage, job, JobState.QUEUED), "its lease runs out")
    assert "died" in storage.look(job.id).detail
    pipe = Path(hanging.files[0].url.removeprefix("file://"))
    pipe.unlink()
    pipe.write_bytes(b"wrong")
    service.start("all")
    service.start("beat")
    service.await_(is_in(storage, job, JobState.DONE), "another worker takes it")
    assert storage.look(job.id).outcomes[0].code is not None


def test_a_cancelled_job_ends_and_leaves_no_process(service, storage, hanging) -> None:
    storage.start(hanging)
    service.start("transfer")
    service.await_(is_in(storage, hanging, JobState.RUNNING), "the job runs")
    service.await_(lambda: movers(service), "its mover lives")
    storage.cancel(hanging.id)
    service.await_(is_in(storage, hanging, JobState.LOST), "the job is lost")
    assert storage.look(hanging.id).detail == "it was cancelled"
    service.await_(lambda: not movers(service), "its mover is gone")


def test_a_worker_told_to_stop_gives_its_job_back(service, storage, hanging) -> None:
    storage.start(hanging)
    worker = service.start("transfer")
    service.await_(is_in(storage, hanging, JobState.RUNNING), "the job runs")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    assert storage.look(hanging.id) == JobStatus(state=JobState.QUEUED)
    assert not movers(service)
    service.start("transfer")
    service.await_(is_in(storage, hanging, JobState.RUNNING), "another takes it at once")


def test_a_lease_is_kept_as_long_as_the_mover_lives(service, storage, hanging) -> None:
    """Three leases long, with beat looking for stranded jobs all the time."""
    storage.start(hanging)
    service.start("all")
    service.start("beat")
    service.await_(is_in(storage, hanging, JobState.RUNNING), "the job runs")
    service.await_(lambda: movers(service), "its mover lives")
    (first,) = movers(service)
    service.await_(service.store.last_tick, "beat ticks")
    begun = service.store.last_tick()
    service.await_(
        lambda: service.store.last_tick() - begun > timedelta(seconds=9), "three leases passed"
    )
    assert movers(service) == {first}
    assert storage.look(hanging.id).state is JobState.RUNNING


def test_no_more_jobs_move_at_once_than_allowed(service, storage, hanging) -> None:
    jobs = [hanging.model_copy(update={"id": f"r{n}.0.read"}) for n in range(6)]
    for one in jobs:
        storage.start(one)
    service.start("all")

    def running() -> int:
        return [storage.look(one.id).state for one in jobs].count(JobState.RUNNING)

    service.await_(lambda: running() == 4, "four run")
    storage.cancel(next(one.id for one in jobs if is_in(storage, one, JobState.RUNNING)()))
    service.await_(lambda: len(movers(service)) == 4 and running() == 4, "the next one runs")


def test_a_job_that_ends_wakes_its_run(service, storage, job) -> None:
    """Without beat, and an hour before the run would have looked."""
    service.plan("r1", watch=Watch(kind=WatchKind.JOB, key=job.id))
    storage.start(job)
    service.start("all")
    service.await_(lambda: service.has_ended("r1"), "the run goes on")


def test_bytes_of_a_sites_rses_are_moved_by_workers_at_that_site_alone(
    service, storage, job
) -> None:
    there = job.model_copy(update={"id": "r2.0.put", "rse": "XRD2"})
    storage.start(there)
    storage.start(job)
    service.start("all")
    service.await_(is_in(storage, job, JobState.DONE), "the other RSE's job is done")
    assert storage.look(there.id).state is JobState.QUEUED
    service.start("transfer.SITE2")
    service.await_(is_in(storage, there, JobState.DONE), "the site's own worker takes it")
