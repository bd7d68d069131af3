"""A simulated lake over its socket: what the contract tests cannot show."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest

from dltest.errors import CatalogueError
from dltest.lake.ports import FileRef, JobKind, JobState, StorageJob
from dltest.lake.simulated import RUCIO_DOWN, client, storage_hung, wire
from dltest.lake.simulated.server import LakeServer

URL = "sim://XRD1/f"
SIZE = 100


def job(kind: JobKind = JobKind.PUT, seconds: float = 5) -> StorageJob:
    return StorageJob(
        id="j1", kind=kind, rse="XRD1", seed="s", limit=timedelta(seconds=seconds),
        files=(FileRef(url=URL, index=0, size_bytes=SIZE),),
    )  # fmt: skip


def until(condition: Callable[[], object]) -> None:
    ends = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.01)


@pytest.fixture
def journal(shared_lake: LakeServer) -> Callable[[], list[tuple[str, str]]]:
    told = StringIO()
    shared_lake.journal._stream = told

    def changes() -> list[tuple[str, str]]:
        lines = [json.loads(line) for line in told.getvalue().splitlines()]
        return [(line["effect"], line["name"]) for line in lines]

    return changes


def test_a_mover_that_is_killed_leaves_a_torso(shared_lake, journal) -> None:
    with client.connected(shared_lake.path) as dying:
        dying.sendall(wire.line({"job": job().model_dump(mode="json")}))
    until(journal)
    assert journal() == [("torso", URL)]
    assert len(shared_lake.lake.stored[URL]) == SIZE // 2
    # Another mover takes the job and does it whole.
    assert client.move(job(), shared_lake.path).state is JobState.DONE
    assert [effect for effect, _ in journal()] == ["torso", "put"]
    assert client.move(job(JobKind.READ), shared_lake.path).outcomes[0].code is None


def test_two_movers_at_one_file_are_told_of(shared_lake, journal) -> None:
    order = wire.line({"job": job().model_dump(mode="json")})
    with client.connected(shared_lake.path) as one, client.connected(shared_lake.path) as other:
        one.sendall(order)
        other.sendall(order)
        assert one.recv(10)
        assert other.recv(10)
    assert ("put-twice-at-once", URL) in journal()


def test_an_error_arrives_as_it_was_raised(shared_lake) -> None:
    catalogue = client.open_catalogue(shared_lake.path)
    with pytest.raises(CatalogueError) as refused:
        catalogue.urls("NOWHERE", ["f"])
    assert (refused.value.code, refused.value.answered) == ("no-such-rse", True)
    shared_lake.lake.fall_ill(RUCIO_DOWN)
    with pytest.raises(CatalogueError) as silent:
        catalogue.ping()
    expected = ("rucio-unreachable", "ping", "rucio", True, False)
    error = silent.value
    told = (error.code, error.operation, str(error.blame), error.retryable, error.answered)
    assert told == expected


def test_a_lake_that_is_not_there_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="start it with") as silent:
        client.open_catalogue(tmp_path / "nowhere").ping()
    assert not silent.value.answered


def test_a_move_ends_at_its_limit_and_when_it_is_cancelled(shared_lake) -> None:
    shared_lake.lake.fall_ill(storage_hung("XRD1"))
    late = client.move(job(seconds=0.1), shared_lake.path)
    assert (late.state, late.timed_out) == (JobState.LOST, True)
    cancelled = client.move(job(), shared_lake.path, is_cancelled=lambda: True)
    assert (cancelled.state, cancelled.detail) == (JobState.LOST, "cancelled")


def test_what_is_no_call_of_a_port_is_not_carried_out() -> None:
    for call in ("_asked", "no_such_call"):
        with pytest.raises(AttributeError):
            wire.arguments("catalogue", call, {})
