"""Storage jobs are leased to one worker; a dead worker's job goes to another, and not for ever."""

from datetime import UTC, datetime, timedelta

import pytest

from dltest.lake.ports import FileOutcome, FileRef, JobKind, JobState, JobStatus, StorageJob
from dltest.model import Progress
from dltest.store import Store
from dltest.store.moves import MAX_ATTEMPTS

JOB = StorageJob(
    id="r1.0.put",
    kind=JobKind.PUT,
    rse="XRD1",
    seed="r1",
    files=(FileRef(url="davs://xrd1/a", index=0, size_bytes=7),),
    limit=timedelta(seconds=90.5),
)
LEASE = timedelta(seconds=30)
DONE = JobStatus(
    state=JobState.DONE,
    progress=Progress(files_done=1, bytes_done=7, rate_bytes_per_second=1.5),
    outcomes=(FileOutcome(url="davs://xrd1/a", adler32="0123abcd", size_bytes=7),),
    seconds=0.25,
)


@pytest.fixture
def moment() -> datetime:
    return datetime.now(UTC)


def state(store: Store, at: datetime | None = None) -> JobState:
    status = store.move(JOB.id, at)
    assert status is not None
    return status.state


def test_a_job_is_queued_once(store: Store) -> None:
    assert store.queue_move(JOB, "lab")
    assert not store.queue_move(JOB, "lab")
    assert state(store) is JobState.QUEUED
    assert store.move("unknown") is None


def test_one_worker_gets_the_job_and_writes_its_end(store: Store, moment: datetime) -> None:
    store.queue_move(JOB, "lab")
    assert store.lease_move(JOB.id, "a", moment + LEASE) == JOB
    assert store.lease_move(JOB.id, "b", moment + LEASE) is None
    progress = Progress(files_done=1)
    assert store.renew_move(JOB.id, "a", moment + LEASE, progress)
    assert not store.renew_move(JOB.id, "b", moment + LEASE, progress)
    assert store.move(JOB.id) == JobStatus(state=JobState.RUNNING, progress=progress)
    assert not store.finish_move(JOB.id, "b", DONE)
    assert store.finish_move(JOB.id, "a", DONE)
    assert store.move(JOB.id) == DONE
    assert store.lease_move(JOB.id, "b", moment + LEASE) is None


def test_another_lakes_job_is_left_alone(store: Store, moment: datetime) -> None:
    store.queue_move(JOB, "lab")
    assert store.lease_move(JOB.id, "a", moment + LEASE, moment, "other") is None
    assert store.stranded_moves(moment, moment + LEASE, lake="other") == []
    assert store.stranded_moves(moment, moment + LEASE, lake="lab") == [(JOB.id, JOB.rse)]
    assert store.lease_move(JOB.id, "a", moment + LEASE, moment, "lab") == JOB


def test_a_dead_workers_job_goes_to_another(store: Store, moment: datetime) -> None:
    store.queue_move(JOB, "lab")
    store.lease_move(JOB.id, "dead", moment + LEASE)
    later = moment + 2 * LEASE
    assert store.stranded_moves(moment, moment) == []
    assert state(store, moment) is JobState.RUNNING
    waiting = store.move(JOB.id, later)
    assert waiting is not None
    assert waiting.state is JobState.QUEUED
    assert "attempt 1 died" in waiting.detail
    assert store.stranded_moves(later, moment) == [(JOB.id, JOB.rse)]
    assert store.lease_move(JOB.id, "b", later + LEASE, later) == JOB
    assert not store.finish_move(JOB.id, "dead", DONE)
    assert store.finish_move(JOB.id, "b", DONE)


def test_a_job_that_kills_its_workers_is_lost(store: Store, moment: datetime) -> None:
    store.queue_move(JOB, "lab")
    for attempt in range(MAX_ATTEMPTS):
        at = moment + 2 * attempt * LEASE
        assert store.lease_move(JOB.id, f"w{attempt}", at + LEASE, at) == JOB
    late = moment + 10 * LEASE
    lost = store.move(JOB.id, late)
    assert lost is not None
    assert lost.state is JobState.LOST
    assert "dltest's own worker died 3 times" in lost.detail
    assert store.lease_move(JOB.id, "b", late + LEASE, late) is None
    assert store.stranded_moves(late, moment) == []
    assert store.move(JOB.id) == lost


def test_a_worker_told_to_stop_gives_its_job_back(store: Store, moment: datetime) -> None:
    store.queue_move(JOB, "lab")
    for _ in range(MAX_ATTEMPTS + 1):
        assert store.lease_move(JOB.id, "a", moment + LEASE) == JOB
        assert store.release_move(JOB.id, "a")
        assert state(store) is JobState.QUEUED


def test_a_queued_job_whose_message_is_lost_is_found(store: Store, moment: datetime) -> None:
    store.queue_move(JOB, "lab")
    assert store.stranded_moves(moment, moment - LEASE) == []
    assert store.stranded_moves(moment, moment + LEASE) == [(JOB.id, JOB.rse)]


def test_a_cancelled_job_never_starts(store: Store, moment: datetime) -> None:
    store.queue_move(JOB, "lab")
    store.cancel_move(JOB.id)
    assert store.is_cancelled(JOB.id)
    assert store.lease_move(JOB.id, "a", moment + LEASE) is None
    assert state(store) is JobState.LOST
    assert store.stranded_moves(moment, moment + LEASE) == []
    store.cancel_move("unknown")


def test_a_running_job_that_is_cancelled_ends_with_its_worker(
    store: Store, moment: datetime
) -> None:
    store.queue_move(JOB, "lab")
    store.lease_move(JOB.id, "a", moment + LEASE)
    store.cancel_move(JOB.id)
    assert store.is_cancelled(JOB.id)
    assert state(store) is JobState.RUNNING
    lost = JobStatus(state=JobState.LOST, detail="it was cancelled")
    assert store.finish_move(JOB.id, "a", lost)
    assert store.move(JOB.id) == lost


def test_a_cancelled_job_of_a_dead_worker_ends(store: Store, moment: datetime) -> None:
    store.queue_move(JOB, "lab")
    store.lease_move(JOB.id, "dead", moment - LEASE)
    store.cancel_move(JOB.id)
    assert store.lease_move(JOB.id, "b", moment + LEASE) is None
    assert store.stranded_moves(moment, moment) == []
    assert state(store) is JobState.LOST


def test_finished_jobs_are_pruned_and_open_ones_kept(store: Store, moment: datetime) -> None:
    for name in ("open", "done"):
        store.queue_move(JOB.model_copy(update={"id": name}), "lab")
    store.lease_move("done", "a", moment + LEASE)
    store.finish_move("done", "a", DONE)
    store.prune(moment + timedelta(days=1))
    assert store.move("done") is None
    assert store.move("open") is not None
