"""`dltest run` on the lab, as people start it, and what is left there afterwards."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from dltest.lake.rucio import RucioCatalogue
from dltest.settings import LakeSettings

RUN_SECONDS = 600
Runs = list[dict[str, Any]]


def dltest(*arguments: str, state: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dltest.cli.main", *arguments],
        env={**os.environ, "DLTEST_STATE_DIR": str(state), **settings},
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )


def run_on(lab, *arguments: str, state: Path, exits: int = 0, **settings: str) -> Runs:
    """The JSON objects of the runs."""
    done = dltest("run", *arguments, "--json", "--lab", str(lab.dir), state=state, **settings)
    assert done.returncode == exits, done.stderr + done.stdout
    return [json.loads(line) for line in done.stdout.splitlines()]


def verdicts(runs: Runs) -> dict[str, str]:
    return {run["case"]: run["verdict"] for run in runs}


def what_is_left(lab) -> list[str]:
    """Every name in Rucio's scope, every rule of ours, every file on every storage."""
    catalogue = RucioCatalogue(LakeSettings.load(lab.dir / "lake.yaml"))
    files = [
        str(path)
        for rse in lab.status()["rses"]
        for path in Path(rse["folder"]).rglob("*")
        if not path.is_dir()
    ]
    return files + catalogue.dids("") + [rule.id for rule in catalogue.rules("dltest.")]
