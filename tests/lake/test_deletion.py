"""The deletion family on a real lake: what must go goes, what must stay stays."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from dltest.lake.rucio import RucioCatalogue
from dltest.settings import LakeSettings

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

RUN_SECONDS = 800
# One storage that is greedy, and one that is not.
PLACES = "XRD1|XRD4"


def test_the_family_passes_tells_its_times_and_leaves_nothing(lab, tmp_path):
    runs = play(lab, tmp_path)
    assert Counter(run["scenario"] for run in runs) == {
        path.stem: CASES.get(path.stem, 2) for path in Path("scenarios/deletion").glob("*.yaml")
    }
    assert {(run["case"], run["verdict"]) for run in runs if run["verdict"] != "passed"} == set()
    assert sum(run["leftovers"] for run in runs) == 0
    for measured in of_absent(runs, "delete-one-copy"):
        rule, replica, file = (measured[f"{name}_seconds"] for name in TIMES)
        assert 0 < rule <= replica <= file
    assert what_is_left(lab) == []


CASES = {
    "dark-data": 4,  # and its controls
    "greedy-deletion": 1,
    "cached-copy": 1,
    "purge-where-not-greedy": 1,
    "delete-one-copy": 3,
    "delete-while-copying": 3,
}
TIMES = ("rules_gone", "gone_from_catalogue", "gone_from_storage")


def play(lab, state: Path) -> list[dict]:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "dltest.cli.main", "run", "--tags", "deletion"),
            *("--rse", PLACES, "--json", "--lab", str(lab.dir)),
        ],
        env={**os.environ, "DLTEST_STATE_DIR": str(state)},
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert done.returncode in {0, 1, 3}, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def of_absent(runs: list[dict], scenario: str) -> list[dict]:
    steps = (step for run in runs if run["scenario"] == scenario for step in run["steps"])
    return [step["measured"] for step in steps if step["name"] == "absent"]


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
