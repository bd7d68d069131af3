"""Failure and recovery on a real lake: broken from within scenarios, explained, and healed again."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dltest.lake.rucio import RucioCatalogue
from dltest.settings import LakeSettings

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

# One of each kind: a storage, a declared block, and a daemon with a backlog.
CHOSEN = ("source-down", "destination-blocked", "poller-dead")


def dltest(*arguments: str, lab: Path, state: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dltest.cli.main", *arguments, "--lab", str(lab)],
        env={**os.environ, "DLTEST_STATE_DIR": str(state)},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


def step(run: dict[str, Any], name: str) -> dict[str, Any]:
    return next(step for step in run["steps"] if step["name"] == name)


def test_what_breaks_is_explained_and_recovers_and_nothing_is_left(lab, tmp_path):
    done = dltest("run", *CHOSEN, "--json", lab=lab.dir, state=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    runs = {run["scenario"]: run for run in map(json.loads, done.stdout.splitlines())}
    assert {name: run["verdict"] for name, run in runs.items()} == dict.fromkeys(CHOSEN, "passed")
    assert sum(run["leftovers"] for run in runs.values()) == 0

    # A dead source: STUCK on the way, OK in the end, and its own site to blame.
    dead = step(runs["source-down"], "replicate")["evidence"]
    assert dead["states"] == ["REPLICATING", "STUCK"]
    assert dead["why"]["who"] == f"site {dead['source']}"
    assert int(dead["why"]["facts"]["tries"]) > 1
    assert step(runs["source-down"], "recover")["evidence"]["states"][-1] == "OK"

    # A dead daemon: named, with the moment when it was alive last.
    poller = runs["poller-dead"]
    why = step(poller, "replicate")["evidence"]["why"]
    assert why["who"] == "rucio"
    assert why["facts"]["daemon"].startswith("conveyor-poller, seen alive last ")
    assert "FINISHED" in why["facts"]["transfer job"]

    # The same in one look for people, also when the rule is gone.
    told = dltest("why", poller["run_id"], lab=lab.dir, state=tmp_path)
    assert told.stdout.startswith(why["sentence"])
    assert why["sentence"] in dltest("show", poller["run_id"], lab=lab.dir, state=tmp_path).stdout

    assert lab.status()["broken"] == []
    catalogue = RucioCatalogue(LakeSettings.load(lab.lake_file))
    assert all(rse.readable and rse.writable for rse in catalogue.inventory().rses)
    assert catalogue.dids("dltest.") == []
