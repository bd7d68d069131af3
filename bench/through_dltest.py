"""`dltest run` on a scenario of the bench: what a person would wait for, step by step."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

RUN_SECONDS = 1500

SCENARIO = """\
dltest: 1
name: {name}
title: Bytes for the bench
owner: bench
targets:
  source: {{rses: "{source}"}}
  destination: {{rses: "{destination}"}}
payload: {{files: {files}, size: {size}}}
limits: {{duration: 30m, bytes: 20 GiB, files: 20000}}
steps:
  - upload: {{to: source, within: 10m}}
  - replicate: {{to: destination, from: source, within: 10m}}
"""


@dataclass(frozen=True, slots=True)
class Load:
    """How many files of which size; `size` as scenario files write it."""

    files: int
    size: str
    size_bytes: int

    @property
    def total_bytes(self) -> int:
        return self.files * self.size_bytes

    @property
    def name(self) -> str:
        return f"{self.files}x{self.size.replace(' ', '')}"


@dataclass(frozen=True, slots=True)
class Elapsed:
    """Seconds of the two steps by the engine's own record, waiting between looks included."""

    upload_seconds: float
    copy_seconds: float


def run(lab: Path, home: Path, load: Load, source: str, destination: str) -> Elapsed:
    """One run of the scenario, cleaned up at its end.

    Raises:
        RuntimeError: it did not pass; carries what dltest said.
    """
    name = f"bench-{load.name.lower()}"
    file = home / f"{name}.yaml"
    file.write_text(
        SCENARIO.format(
            name=name,
            source=source,
            destination=destination,
            files=load.files,
            size=load.size,
        )
    )
    # Minutes to clean up a thousand files: Rucio's reaper takes its time, and is not measured.
    environment = {
        **os.environ,
        "DLTEST_STATE_DIR": str(home / "state"),
        "DLTEST_CLEANUP_LIMIT": "PT10M",
    }
    command = [sys.executable, "-m", "dltest.cli.main", "run", str(file), "--lab", str(lab)]
    done = subprocess.run(
        [*command, "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    return _elapsed(done.stdout)


def _elapsed(printed: str) -> Elapsed:
    told = json.loads(printed.strip().splitlines()[-1])
    if told["verdict"] != "passed":
        raise RuntimeError(f"the bench's run did not pass: {told}")
    seconds = {step["name"]: _seconds(step) for step in told["steps"]}
    return Elapsed(seconds["upload"], seconds["replicate"])


def _seconds(step: dict[str, str]) -> float:
    began, ended = (datetime.fromisoformat(step[key]) for key in ("began_at", "ended_at"))
    return (ended - began).total_seconds()
