"""The core family on a real lake: well, and where the drill's quick set does not break it.

What people rely on is asserted: which cases are red, whom they blame, and that nothing is left.
"""

import json
from collections import Counter
from pathlib import Path

import pytest
from lake_runs import dltest, verdicts, what_is_left

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]


def test_a_healthy_lake_passes_over_every_link_and_nothing_is_left(lab, run):
    runs = run("--tags", "core")
    assert Counter(run["scenario"] for run in runs) == {
        "upload": 4,
        "download": 4,
        "delete": 4,
        "replicate": 12,
    }
    assert set(verdicts(runs).values()) == {"passed"}
    assert sum(run["leftovers"] for run in runs) == 0
    assert what_is_left(lab) == []
    assert_times_are_kept_apart(runs)


def assert_times_are_kept_apart(runs):
    """And that they say how exact they are."""
    for case in (run for run in runs if run["scenario"] == "replicate"):
        measured = next(step for step in case["steps"] if step["name"] == "replicate")["measured"]
        for phase in ("queue_seconds", "transfer_seconds", "registration_seconds"):
            assert measured.get(phase, -1) >= 0, case
        assert measured["resolution_seconds"] == 1


def test_a_dead_reaper_is_found_out_and_rucio_is_blamed(run, broken, tmp_path):
    scenario = tmp_path / "impatient.yaml"
    text = (Path("scenarios") / "core" / "delete.yaml").read_text()
    scenario.write_text(text.replace("name: delete", "name: quick").replace("3m", "20s"))
    broken("daemon-down", "reaper")
    runs = run(str(scenario), "--rse", "XRD1", exits=1, DLTEST_CLEANUP_LIMIT="PT5S")
    assert {(case["verdict"], case["blame"]) for case in runs} == {("failed", "rucio")}
    assert runs[0]["findings"][0]["code"] == "replica-not-deleted"


def test_without_rucio_every_planned_run_has_its_row_and_is_inconclusive(
    lab, run, broken, tmp_path
):
    broken("rucio-down")
    runs = run("--tags", "core", exits=3)
    assert len(runs) == 24
    assert {(case["verdict"], case["blame"]) for case in runs} == {("inconclusive", "rucio")}
    listed = dltest("list", "--limit", "24", "--json", "--lab", str(lab.dir), state=tmp_path)
    rows = {json.loads(line)["run_id"] for line in listed.stdout.splitlines()}
    assert rows == {case["run_id"] for case in runs}
