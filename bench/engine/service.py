"""Starts workers and beat, and writes down the runs that they are to drive."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.servers import Servers
from dltest.model import Campaign, Case, Driver, Payload, Run, StepCall, Trigger
from dltest.store import Store

CASE = Case(
    scenario="bench",
    targets={"source": "A", "destination": "B"},
    payload=Payload(files=1, size_bytes=1),
    steps=(
        StepCall(type="upload", body={"to": "source"}),
        StepCall(type="replicate", body={"to": "destination", "from": "source"}),
    ),
    duration_limit=timedelta(hours=12),
)


@contextmanager
def processes(servers: Servers, *roles: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes of the service for a while; they get time to give back what they hold."""
    started: list[subprocess.Popen[bytes]] = []
    command = [sys.executable, "-m", "bench.engine.worker", servers.database, servers.broker]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DLTEST_")}
    try:
        for number, role in enumerate(roles):
            with (servers.folder / f"{role}-{number}.log").open("ab") as log:
                started.append(
                    subprocess.Popen(
                        [*command, str(servers.folder), role],
                        stdout=log,
                        stderr=log,
                        env=environment,
                    )
                )
        yield started
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            process.wait(60)


def planned(count: int, case: Case = CASE) -> list[Run]:
    """Runs of one campaign, not yet in the store."""
    campaign, now = uuid.uuid4().hex, datetime.now(UTC)
    return [
        Run(id=uuid.uuid4().hex, campaign_id=campaign, lake="bench", case=case, planned_at=now)
        for _ in range(count)
    ]


def write(store: Store, runs: list[Run], trigger: Trigger = Trigger.MANUAL) -> str:
    """Plan the runs; gives their campaign's id."""
    first = runs[0]
    campaign = Campaign(
        id=first.campaign_id,
        lake="bench",
        trigger=trigger,
        driver=Driver.SERVICE,
        title="bench",
        created_at=first.planned_at,
    )
    store.create_campaign(campaign, runs)
    return campaign.id


def pss_bytes(pid: int) -> int:
    """The process's memory, with what it shares counted in shares."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
