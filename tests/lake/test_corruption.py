"""The corruption family on a real lake, and the same with its detectors switched off.

Who says that damage is noticed must be able to say that it is not: blinded, the lake lets damaged
copies pass, and the scenarios must call it what it is, while their controls still pass.
"""

from pathlib import Path

import pytest
from lake_runs import Runs, verdicts, what_is_left

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

FAMILY = {file.stem for file in (Path("scenarios") / "corruption").glob("*.yaml")}


def controls(runs: Runs) -> Runs:
    return [run for run in runs if run["case"].endswith(", control]")]


def found(runs: Runs) -> set[tuple[str, str]]:
    """Scenario and finding of all but the controls."""
    others = [run for run in runs if run not in controls(runs)]
    return {(run["scenario"], finding["code"]) for run in others for finding in run["findings"]}


def test_a_healthy_lake_notices_every_damage_repairs_it_and_nothing_is_left(lab, run):
    runs = run("--tags", "corruption", "--rse", "XRD1")
    assert {one["scenario"] for one in runs} == FAMILY
    assert {case: v for case, v in verdicts(runs).items() if v != "passed"} == {}
    assert {one["scenario"] for one in controls(runs)} == FAMILY - {"leading-zero"}
    assert sum(one["leftovers"] for one in runs) == 0
    assert what_is_left(lab) == []
    steps = [step for one in runs for step in one["steps"] if step["name"] == "repaired"]
    assert all(step["measured"]["repaired_seconds"] > 0 for step in steps)


def test_a_transfer_service_that_checks_nothing_is_found_out(run, broken):
    broken("transfers-unchecked")
    runs = run("corrupted-source", "wrong-checksum", "--rse", "XRD1", exits=1)
    assert found(runs) == {
        ("corrupted-source", "corruption-undetected"),
        ("wrong-checksum", "corruption-undetected"),
    }
    assert set(verdicts(controls(runs)).values()) == {"passed"}


def test_an_rse_whose_checksums_nobody_verifies_is_found_out(lab, run, broken):
    """At the destination alone: what arrives broken from a source that tells an old checksum."""
    for rse in lab.status()["rses"]:
        broken("rse-unchecked", rse["name"])
    runs = run("silent-rot", "corrupted-source", "--rse", "XRD1", exits=1)
    assert found(runs) == {
        ("silent-rot", "corruption-undetected"),
        ("corrupted-source", "corruption-undetected"),
    }
    assert set(verdicts(controls(runs)).values()) == {"passed"}
