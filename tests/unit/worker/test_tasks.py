"""What a task does while the store is away: nothing is burnt, nothing is moved twice."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from dltest.errors import StoreError
from dltest.lake.ports import JobState, JobStatus
from dltest.settings import LakeSettings, Settings
from dltest.worker import moving, tasks
from dltest.worker.station import Station, occupy

DONE = JobStatus(state=JobState.DONE)


class AwayStore:
    """A store that is away for the first few questions."""

    def __init__(self, questions: int) -> None:
        self.left = questions
        self.finished: list[JobStatus] = []

    def __getattr__(self, _name: str):
        raise StoreError("the database is restarting")

    def finish_move(self, _job_id: str, _owner: str, status: JobStatus) -> bool:
        self.left -= 1
        if self.left >= 0:
            raise StoreError("the database is restarting")
        self.finished.append(status)
        return True


@pytest.fixture
def station() -> Iterator[Station]:
    lake = LakeSettings.model_validate({"name": "lake", "simulated": "/nowhere"})
    made = Station(Settings(), lake, AwayStore(3))  # type: ignore[arg-type]
    occupy(made)
    yield made
    from dltest.worker import station as module

    module._occupied.clear()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    messages: list[tuple[str, float]] = []
    monkeypatch.setattr(tasks, "send_advance", lambda run, wait=0: messages.append((run, wait)))
    monkeypatch.setattr(
        tasks, "send_move", lambda job, _queue, wait=0: messages.append((job, wait))
    )
    return messages


def test_a_wake_up_that_finds_the_store_away_comes_back(station, sent) -> None:
    tasks.advance("r1")
    assert sent == [("r1", tasks.STORE_AWAY_SECONDS)]


def test_a_move_that_finds_the_store_away_comes_back_and_frees_its_place(station, sent) -> None:
    for _ in range(10):
        tasks.move("j1")
    assert sent == [("j1", tasks.STORE_AWAY_SECONDS)] * 10


def test_the_end_of_a_move_is_written_once_the_store_is_back(station, monkeypatch) -> None:
    monkeypatch.setattr(moving, "ASK_AGAIN", timedelta(milliseconds=1))
    lease = moving.Lease("j1", station, datetime.now(UTC) + moving.LEASE)
    assert lease.finish(DONE)
    assert station.store.finished == [DONE]


def test_a_store_that_stays_away_longer_than_the_lease_is_not_waited_for(
    station, monkeypatch
) -> None:
    monkeypatch.setattr(moving, "ASK_AGAIN", timedelta(milliseconds=1))
    station.store.left = 1_000_000
    lease = moving.Lease("j1", station, datetime.now(UTC) + timedelta(milliseconds=20))
    with pytest.raises(StoreError):
        lease.finish(DONE)
