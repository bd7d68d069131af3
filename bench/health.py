"""`bench health`: all scenarios on a healthy lab, again and again; a red one is a false alarm."""

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.figure import Figure
from bench.lab import running_lab

RUNS = 200
CAMPAIGN_SECONDS = 3600
NO_ALARM = {"passed", "skipped"}

Run = dict[str, Any]


def measure(lab: Path | None, samples: int) -> Iterator[Figure]:  # noqa: ARG001 - it repeats itself
    """Whole campaigns until there were `RUNS` runs; a sample is a campaign."""
    campaigns: list[list[Run]] = []
    with running_lab(lab) as folder, tempfile.TemporaryDirectory(prefix="dltest-bench-") as home:
        began = time.monotonic()
        while sum(map(len, campaigns)) < RUNS:
            campaigns.append(_campaign(folder, Path(home)))
            _tell(campaigns[-1])
        seconds = time.monotonic() - began
    runs = [run for campaign in campaigns for run in campaign]
    verdicts = [Counter(run["verdict"] for run in campaign) for campaign in campaigns]
    told = [{name: float(count) for name, count in counts.items()} for counts in verdicts]
    alarms = sum(run["verdict"] not in NO_ALARM for run in runs)
    yield _figure("health-runs", len(runs), "runs", told)
    yield _figure("health-rate", round(len(runs) / seconds, 3), "runs/s", told)
    yield _figure("health-false-alarms", alarms, "runs", told, aim=0)
    leftovers = sum(run["leftovers"] for run in runs)
    yield _figure("health-leftovers", leftovers, "entries", told, aim=0)


def _campaign(lab: Path, home: Path) -> list[Run]:
    """`dltest run` of everything, as a person starts it."""
    command = [sys.executable, "-m", "dltest.cli.main", "run", "--lab", str(lab), "--json"]
    done = subprocess.run(
        command,
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), "DLTEST_STATE_DIR": str(home)},
        stdout=subprocess.PIPE,
        text=True,
        timeout=CAMPAIGN_SECONDS,
        check=False,
    )
    runs = [json.loads(line) for line in done.stdout.splitlines()]
    if not runs:
        raise RuntimeError(f"no run was begun, and dltest ended with {done.returncode}")
    return runs


def _tell(campaign: list[Run]) -> None:
    """Every alarm by name: on a healthy lab each is a bug."""
    print(f"health: {dict(Counter(run['verdict'] for run in campaign))}", file=sys.stderr)
    for run in campaign:
        if run["verdict"] not in NO_ALARM or run["leftovers"]:
            why = "; ".join(f"{one['code']}: {one['title']}" for one in run["findings"])
            left = f"{run['leftovers']} leftovers"
            print(f"health: {run['case']} {run['verdict']}, {left}: {why}", file=sys.stderr)


def _figure(
    name: str, value: float, unit: str, samples: list[dict[str, float]], aim: float | None = None
) -> Figure:
    return Figure(name, float(value), unit, None, None, aim, samples)
