"""A mover's life: its limit, its parent, its secrets."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from dltest.lake.ports import FileRef, JobKind, JobState, JobStatus, StorageJob
from dltest.lake.storage import MoverPool, run_job, spool
from dltest.lake.storage.environment import mover_environment
from dltest.lake.storage.order import FileOrder, Order
from dltest.settings import StorageSettings

SETTINGS = StorageSettings(bearer=SecretStr("top-secret"))
QUICK_MOCK = "mock://quick/file?size=1000"
MISSING_MOCK = "mock://quick/file?errno=2"


def job(kind: JobKind, *urls: str, seconds: float = 30) -> StorageJob:
    return StorageJob(
        id=f"run.{kind}",
        kind=kind,
        rse="XRD1",
        seed="run",
        files=tuple(FileRef(url=url, index=0, size_bytes=1000) for url in urls),
        limit=timedelta(seconds=seconds),
    )


@pytest.fixture(autouse=True)
def _nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No spooled file and no process, whatever a test does."""
    monkeypatch.setattr(spool, "MEMORY", tmp_path)
    yield
    assert not list(tmp_path.glob("spool/*"))
    assert not list(spool.memory_root().glob("*"))
    assert movers() == []


@pytest.fixture(scope="module")
def hung() -> Iterator[str]:
    """The URL of a file on a storage that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield f"root://127.0.0.1:{server.getsockname()[1]}//file"


def movers() -> list[int]:
    """Movers that this very process started and that still exist, zombies included."""
    children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    pids = " ".join(path.read_text() for path in children).split()
    return [int(pid) for pid in pids if "storage.mover" in _command(pid)]


def _command(pid: str) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def test_a_job_of_several_files_reports_each_in_order(tmp_path: Path) -> None:
    status = run_job(
        job(JobKind.STAT, QUICK_MOCK, MISSING_MOCK), SETTINGS, spool=tmp_path / "spool"
    )
    assert status.state is JobState.DONE
    assert [outcome.present for outcome in status.outcomes] == [True, False]
    assert [outcome.url for outcome in status.outcomes] == [QUICK_MOCK, MISSING_MOCK]


def test_a_job_at_its_limit_is_killed_and_says_so(tmp_path: Path, hung: str) -> None:
    began = time.monotonic()
    status = run_job(job(JobKind.STAT, hung, seconds=1), SETTINGS, spool=tmp_path / "spool")
    assert status.state is JobState.LOST
    assert status.detail == "killed at its limit of 1 s"
    assert status.timed_out
    assert time.monotonic() - began < 10


def test_files_that_ended_before_the_limit_keep_their_outcome(tmp_path: Path, hung: str) -> None:
    both = job(JobKind.STAT, QUICK_MOCK, hung, seconds=3)
    status = run_job(both, SETTINGS, spool=tmp_path / "spool")
    assert status.state is JobState.LOST
    assert [outcome.url for outcome in status.outcomes] == [QUICK_MOCK]


def test_a_killed_mover_is_told_from_a_slow_one(tmp_path: Path, hung: str) -> None:
    def kill(_status: JobStatus) -> None:
        for pid in movers():
            os.kill(pid, signal.SIGKILL)

    status = run_job(job(JobKind.STAT, hung), SETTINGS, spool=tmp_path / "spool", on_progress=kill)
    assert status.state is JobState.LOST
    assert "ended with code -9" in status.detail


def test_whoever_watches_may_abandon_the_job(tmp_path: Path, hung: str) -> None:
    def lose_the_lease(_status: JobStatus) -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        run_job(
            job(JobKind.STAT, hung), SETTINGS, spool=tmp_path / "spool",
            on_progress=lose_the_lease,
        )  # fmt: skip


def test_a_pool_that_is_closed_leaves_no_mover(tmp_path: Path, hung: str) -> None:
    with MoverPool(SETTINGS, tmp_path / "spool", parallel_jobs=1) as pool:
        running, queued = job(JobKind.PUT, hung), job(JobKind.STAT, QUICK_MOCK)
        pool.start(running)
        pool.start(queued)
        wait_for(lambda: movers() != [])
        assert pool.look(queued.id).state is JobState.QUEUED
    assert pool.look(running.id).state is JobState.LOST


def test_a_cancelled_job_is_lost(tmp_path: Path, hung: str) -> None:
    with MoverPool(SETTINGS, tmp_path / "spool") as pool:
        one = job(JobKind.STAT, hung)
        pool.start(one)
        wait_for(lambda: movers() != [])
        pool.cancel(one.id)
        wait_for(lambda: pool.look(one.id).state is JobState.LOST)
        assert pool.look(one.id).detail == "cancelled"


def test_a_mover_ends_with_its_parent(hung: str) -> None:
    """The parent starts one, tells its number and is killed without a chance to clean up."""
    order = Order(
        kind="stat", seed="s", files=(FileOrder(hung, 0, 10),), spool="/tmp",
        parallel_files=1, limit_seconds=60, parent=0,
    )  # fmt: skip
    program = f"""
import json, os, subprocess, sys
order = json.loads({order.to_json()!r}) | {{"parent": os.getpid()}}
mover = subprocess.Popen([sys.executable, "-m", "dltest.lake.storage.mover"],
                         stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
mover.stdin.write(json.dumps(order)); mover.stdin.close()
print(mover.pid, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        mover = parent.stdout.readline().strip()
        wait_for(lambda: "PR" not in _command(mover) and Path(f"/proc/{mover}/fd").exists())
        parent.kill()
    wait_for(lambda: not Path(f"/proc/{mover}").exists())


def test_the_bearer_stands_neither_in_arguments_nor_in_the_environment(
    tmp_path: Path, hung: str
) -> None:
    seen: list[str] = []

    def look(_status: JobStatus) -> None:
        for pid in movers():
            seen.append(_command(str(pid)))
            seen.append(Path(f"/proc/{pid}/environ").read_text())

    run_job(
        job(JobKind.STAT, hung, seconds=1), SETTINGS, spool=tmp_path / "spool",
        on_progress=look,
    )  # fmt: skip
    assert any("dltest.lake.storage.mover" in one for one in seen)
    assert not any("top-secret" in one for one in seen)
    order = Order("put", "s", (), "/tmp", 1, 1, 1, bearer="top-secret")
    assert "top-secret" not in repr(order)
    assert json.loads(order.to_json())["bearer"] == "top-secret"


def test_a_mover_learns_nothing_that_clients_do_not_read() -> None:
    inherited = {"DLTEST_DATABASE": "secret", "AWS_SECRET": "x", "XRD_LOGLEVEL": "Debug"}
    environment = mover_environment(SETTINGS, inherited)
    assert "secret" not in environment.values()
    assert environment["XRD_LOGLEVEL"] == "Debug"
    assert int(environment["XRD_CONNECTIONWINDOW"]) <= 30


def test_the_lake_file_decides_whom_a_mover_trusts() -> None:
    settings = StorageSettings(ca_file=Path("/ca.pem"), ca_dir=Path("/certs"))
    environment = mover_environment(settings, {"SSL_CERT_FILE": "/other", "X509_CERT_DIR": "/o"})
    assert environment["SSL_CERT_FILE"] == "/ca.pem"
    assert environment["X509_CERT_DIR"] == environment["SSL_CERT_DIR"] == "/certs"
    assert "SSL_CERT_FILE" not in mover_environment(SETTINGS, {})


def test_a_mover_starts_quickly() -> None:
    """It starts for every job, so it must not wait for what only its parent needs."""
    program = "import dltest.lake.storage.mover, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert loaded.isdisjoint({"pydantic", "rucio", "sqlalchemy", "rich", "typer", "httpx2"})


def wait_for(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.02)
