"""Parameters: what a file may declare, and what a person may set."""

from datetime import timedelta

import pytest

from dltest.errors import ParameterError, ScenarioError
from dltest.scenario import Scenario, dump, parse, with_values

TEXT = """\
dltest: 1
name: good
title: It works
owner: data-ops
targets:
  source: {rses: "dltest=True"}
  destination: {rses: "dltest=True", other-than: [source]}
payload: {files: 3}
steps:
  - upload: {to: source}
  - replicate: {to: destination, from: source}
  - verify: {at: destination}
parameters:
"""

DECLARED = """\
  size: {sets: payload.size, at-most: 1 GiB, description: Size of each file}
  files: {sets: payload.files, at-most: 10}
  from: {sets: targets.source.rses}
  patience: {sets: steps.1.replicate.within, at-most: 20m}
  bandwidth: {sets: limits.bandwidth, at-most: 1 GB/s}
"""


def declared() -> Scenario:
    return parse(TEXT + DECLARED, "f.yaml")


def test_without_values_it_stays_as_it_is() -> None:
    assert with_values(declared(), {}) == declared()
    assert parse(dump(declared()), "again") == declared()


def test_values_replace_those_of_the_file_or_its_defaults() -> None:
    values = {
        "size": "10MiB",
        "files": "10",
        "from": "XRD1|XRD2",
        "patience": "20m",
        "bandwidth": "5 MB/s",
    }
    scenario = with_values(declared(), values)
    payload = scenario.payload.payloads()[""]
    assert (payload.files, payload.size_bytes) == (10, 10 * 2**20)
    assert scenario.targets["source"].rses == "XRD1|XRD2"
    assert scenario.steps[1].body["within"] == "20m"
    assert scenario.limits.bandwidth == 5_000_000
    assert scenario.parameters == declared().parameters
    assert declared().payload.size is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sizze": "1 B"}, "scenario 'good' has no parameter 'sizze'; did you mean 'size'?"),
        ({"size": "2GiB"}, "scenario 'good' allows size to be 1 GiB at most, not 2GiB"),
        ({"files": "11"}, "scenario 'good' allows files to be 10 at most, not 11"),
        ({"patience": "21m"}, "scenario 'good' allows patience to be 20m at most, not 21m"),
        (
            {"size": "big"},
            "scenario 'good', parameter size: 'big' is not a size; write a number and a unit,"
            " like 10 MiB",
        ),
        ({"files": "-1"}, "scenario 'good', parameter files: '-1' is not a whole number"),
        ({"files": "0"}, "scenario 'good' with files=0: must be at least 1"),
        ({"from": "a b"}, "scenario 'good' with from=a b: Rucio's RSE expressions hold no spaces"),
        ({"from": "5"}, "scenario 'good' with from=5: must be text, not 5; put it in quotes"),
        (
            {"patience": "1s", "from": ""},
            "scenario 'good' with patience=1s, from=: must be text, not nothing",
        ),
    ],
)
def test_what_cannot_be_set_is_told(values: dict[str, str], message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        with_values(declared(), values)
    assert str(caught.value) == message


def test_a_scenario_without_parameters_says_so() -> None:
    bare = parse(TEXT.removesuffix("parameters:\n"), "f.yaml")
    with pytest.raises(ParameterError, match="has no parameter 'size'; it has none"):
        with_values(bare, {"size": "1 B"})


def test_what_no_run_may_take_is_checked_with_the_value() -> None:
    text = TEXT + "  long: {sets: steps.0.upload.within}\n"
    with pytest.raises(ParameterError, match="45m is longer than the whole run may take: 30m"):
        with_values(parse(text, "f.yaml"), {"long": "45m"})
    assert with_values(parse(text, "f.yaml"), {"long": "29m"}).limits.duration == timedelta(
        minutes=30
    )


NO_PLACE = "is no place of a single value in this file"


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        ("{sets: payload.sizze}", f"14:13: 'payload.sizze' {NO_PLACE}"),
        ("{sets: payload.sizes}", f"14:13: 'payload.sizes' {NO_PLACE}"),
        ("{sets: limits.parallel}", f"14:13: 'limits.parallel' {NO_PLACE}"),
        ("{sets: targets.source.other-than}", f"14:13: 'targets.source.other-than' {NO_PLACE}"),
        ("{sets: steps.9.upload.within}", f"14:13: 'steps.9.upload.within' {NO_PLACE}"),
        ("{sets: steps.1.upload.within}", f"14:13: 'steps.1.upload.within' {NO_PLACE}"),
        ("{sets: steps.upload.within}", f"14:13: 'steps.upload.within' {NO_PLACE}"),
        ("{sets: targets.sorce.rses}", "14:13: there is no target 'sorce'; did you mean 'source'?"),
        (
            "{sets: name}",
            "14:13: 'name' does not fit the pattern"
            r" ^(payload|limits|targets|steps)(\.[A-Za-z0-9-]+)+$",
        ),
        ("{at-most: 3}", "14:3: key 'sets' is missing, like `sets: payload.size`"),
        (
            "{sets: payload.size, at-most: 3}",
            "14:36: '3' is not a size; write a number and a unit, like 10 MiB",
        ),
        (
            "{sets: targets.source.rses, at-most: XRD1}",
            "14:34: only sizes, rates, durations and numbers have a most",
        ),
    ],
)
def test_a_wrong_parameter_is_told_where_it_is_wrong(parameter: str, expected: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse(f"{TEXT}  p: {parameter}\n", "f.yaml")
    assert [str(problem) for problem in caught.value.problems] == [f"f.yaml:{expected}"]


@pytest.mark.parametrize("place", ["limits.parallel.per-rse", "steps.2.verify.expect.time"])
def test_a_place_that_is_not_written_may_be_set(place: str) -> None:
    scenario = parse(f"{TEXT}  p: {{sets: {place}}}\n", "f.yaml")
    value = {"limits.parallel.per-rse": "3", "steps.2.verify.expect.time": "5s"}[place]
    assert with_values(scenario, {"p": value}) != scenario
