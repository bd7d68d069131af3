"""Failure and recovery on a real lake: broken from within scenarios, explained, and healed again."""

from typing import Any

import pytest
from lake_runs import dltest, run_on, what_is_left

from dltest.lake.rucio import RucioCatalogue
from dltest.settings import LakeSettings

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

# One of each kind: a storage, a declared block, and a daemon with a backlog.
CHOSEN = ("source-down", "destination-blocked", "poller-dead")


def step(run: dict[str, Any], name: str) -> dict[str, Any]:
    return next(step for step in run["steps"] if step["name"] == name)


def test_what_breaks_is_explained_and_recovers_and_nothing_is_left(lab, tmp_path):
    runs = {run["scenario"]: run for run in run_on(lab, *CHOSEN, state=tmp_path)}
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
    asked = (poller["run_id"], "--lab", str(lab.dir))
    assert dltest("why", *asked, state=tmp_path).stdout.startswith(why["sentence"])
    assert why["sentence"] in dltest("show", *asked, state=tmp_path).stdout

    assert lab.status()["broken"] == []
    catalogue = RucioCatalogue(LakeSettings.load(lab.lake_file))
    assert all(rse.readable and rse.writable for rse in catalogue.inventory().rses)
    assert what_is_left(lab) == []
