"""The deletion family on a real lake: what must go goes, what must stay stays."""

from collections import Counter
from pathlib import Path

import pytest
from lake_runs import Runs, verdicts, what_is_left

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

# One storage that is greedy, and one that is not.
PLACES = "XRD1|XRD4"


def test_the_family_passes_tells_its_times_and_leaves_nothing(lab, run):
    runs = run("--tags", "deletion", "--rse", PLACES)
    assert Counter(one["scenario"] for one in runs) == {
        path.stem: CASES.get(path.stem, 2) for path in Path("scenarios/deletion").glob("*.yaml")
    }
    assert {case: v for case, v in verdicts(runs).items() if v != "passed"} == {}
    assert sum(one["leftovers"] for one in runs) == 0
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


def of_absent(runs: Runs, scenario: str) -> list[dict]:
    steps = (step for one in runs if one["scenario"] == scenario for step in one["steps"])
    return [step["measured"] for step in steps if step["name"] == "absent"]
