"""Real workers in processes of their own, over a real PostgreSQL and a real Redis."""

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kombu import pools

from dltest.model import Campaign, Case, Driver, Payload, Run, StepCall, Watch
from dltest.settings import LakeSettings
from dltest.store import Store
from dltest.worker.app import app, connect

PROBE = Path(__file__).parent / "probe.py"
PATIENCE_SECONDS = 40

_databases = itertools.count(1)


@pytest.fixture
def broker(redis_url: str) -> Iterator[str]:
    """A database of the shared Redis that no other test of this process uses."""
    url = redis_url.removesuffix("/0") + f"/{next(_databases) % 16}"
    subprocess.run(
        ["redis-cli", "-u", url, "FLUSHDB"], check=True, stdout=subprocess.DEVNULL, timeout=10
    )
    connect(url, ["transfer.SITE2"])
    yield url
    forget_broker()


def forget_broker() -> None:
    """A process knows one broker; this one forgets it for the next test."""
    # kombu keeps its pools by URL, closed ones too, and URLs come again after sixteen tests.
    pools.reset()
    app._pool = app.amqp._producer_pool = None
    # kombu would give the closed pool to the next who names the same database.
    pools.reset()


@pytest.fixture
def own_broker() -> Iterator[None]:
    """For a test that starts a Redis of its own."""
    yield
    forget_broker()


@dataclass
class Service:
    """Starts probes and ends them all."""

    store: Store
    lake: LakeSettings
    database: str
    broker: str
    folder: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, role: str, visibility_seconds: int | None = None) -> subprocess.Popen[bytes]:
        more = [] if visibility_seconds is None else [str(visibility_seconds)]
        with (self.folder / f"{role}-{len(self.started)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, PROBE, self.database, self.broker, self.folder, role, *more],
                stdout=log,
                stderr=log,
            )
        self.started.append(process)
        return process

    def await_(self, condition: Callable[[], object], what: str) -> None:
        limit = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            if time.monotonic() > limit:
                pytest.fail(f"not within {PATIENCE_SECONDS} s: {what}\n{self.logs()}")
            time.sleep(0.05)

    def plan(
        self, *run_ids: str, watch: Watch | None = None, admitted_at: datetime | None = None
    ) -> None:
        """Write planned runs down; with a watch they rest for an hour."""
        now = datetime.now(UTC)
        case = Case(
            scenario="probe",
            targets={"at": "XRD1"},
            payload=Payload(files=1, size_bytes=1),
            steps=(StepCall(type="upload", body={"to": "at"}),),
            duration_limit=timedelta(minutes=1),
        )
        campaign = Campaign(
            id="c1", lake="lab", driver=Driver.SERVICE, title="probe", created_at=now
        )
        runs = [
            Run(
                id=run_id,
                campaign_id="c1",
                lake="lab",
                case=case,
                planned_at=now,
                admitted_at=admitted_at,
                watch=watch,
                wake_at=now + timedelta(hours=1) if watch else None,
            )
            for run_id in run_ids
        ]
        self.store.create_campaign(campaign, runs)

    def has_ended(self, *run_ids: str) -> bool:
        runs = [self.store.run(run_id) for run_id in run_ids]
        return all(run is not None and run.is_ended for run in runs)

    def takes(self) -> list[tuple[str, str, str]]:
        """(pid, run id, what) of everything the probes did."""
        log = self.folder / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [(pid, run_id, what) for pid, run_id, what in map(str.split, lines)]

    def close_gate(self) -> None:
        (self.folder / "gate").touch()

    def open_gate(self) -> None:
        (self.folder / "gate").unlink(missing_ok=True)

    def holder(self) -> str | None:
        held = self.folder / "held"
        return held.read_text() if held.exists() else None

    def logs(self) -> str:
        return "\n".join(path.read_text()[-3000:] for path in sorted(self.folder.glob("*.log")))

    def end(self) -> None:
        self.open_gate()
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.started:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)


@pytest.fixture
def service(
    postgresql_store: Store, migrated_postgresql_url: str, broker: str, tmp_path: Path
) -> Iterator[Service]:
    rucio = {"url": "http://127.0.0.1:1", "account": "root", "scope": "test"}
    lake = LakeSettings.model_validate(
        {"name": "lab", "rucio": rucio, "movers": {"SITE2": ["XRD2"]}}
    )
    made = Service(postgresql_store, lake, migrated_postgresql_url, broker, tmp_path)
    yield made
    made.end()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("DLTEST_", "CELERY_")):
            monkeypatch.delenv(name)
