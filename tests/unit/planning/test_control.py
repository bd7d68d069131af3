"""Controls: the same cases without the damage, next to those that break something."""

from datetime import UTC, datetime
from typing import ClassVar

import pytest

from dltest.errors import ScenarioError
from dltest.model import RSE, Lake
from dltest.planning import plan
from dltest.scenario import dump, parse
from dltest.steps import StepBody, registry
from dltest.steps.delete import Delete

LAB = Lake(
    name="lab",
    rses=tuple(RSE(name=name) for name in ("XRD1", "XRD2")),
    seen_at=datetime(2026, 1, 1, tzinfo=UTC),
)


class HexBody(StepBody):
    at: str

    def roles(self):
        return (self.at,)


class Hex(Delete):
    """A step type that breaks something."""

    name: ClassVar[str] = "hex"
    breaks: ClassVar[bool] = True
    Body = HexBody  # type: ignore[assignment]


STEPS = {**registry(), "hex": Hex()}

TEXT = """\
dltest: 1
name: it
title: t
owner: o
control: true
targets: {at: {rses: "*"}}
payload: {sizes: [1 kB, 1 MB]}
steps:
  - upload: {to: at}
  - hex: {at: at}
  - verify: {at: at, expect: {outcome: refused, reason: checksum, rate: 1 kB/s}}
"""


def test_each_case_is_followed_by_its_control() -> None:
    cases = plan([parse(TEXT, "f.yaml", STEPS)], LAB, steps=STEPS).cases
    assert [case.id for case in cases[:4]] == [
        "it[XRD1, 1 x 1 kB]",
        "it[XRD1, 1 x 1 kB, control]",
        "it[XRD1, 1 x 1 MB]",
        "it[XRD1, 1 x 1 MB, control]",
    ]
    assert [case.control for case in cases] == [False, True] * 4
    broken, control = cases[:2]
    assert [call.type for call in broken.steps] == ["upload", "hex", "verify"]
    assert [call.type for call in control.steps] == ["upload", "verify"]
    assert control.bytes_written == broken.bytes_written == 1000
    assert control.steps[0] == broken.steps[0]
    expect = control.steps[1].body["expect"]
    assert expect == {"outcome": "done", "rate": "1 kB/s", "time": None}


def test_without_a_family_the_variant_is_the_control_alone() -> None:
    text = TEXT.replace("payload: {sizes: [1 kB, 1 MB]}\n", "")
    cases = plan([parse(text, "f.yaml", STEPS)], LAB, steps=STEPS).cases
    assert [case.id for case in cases[:2]] == ["it[XRD1]", "it[XRD1, control]"]


def test_without_the_key_there_is_none() -> None:
    text = TEXT.replace("control: true\n", "")
    assert not any(case.control for case in plan([parse(text, "f", STEPS)], LAB, steps=STEPS).cases)


def test_a_control_of_what_breaks_nothing_is_a_mistake() -> None:
    text = TEXT.replace("  - hex: {at: at}\n", "")
    with pytest.raises(ScenarioError) as caught:
        parse(text, "f.yaml", STEPS)
    assert str(caught.value) == (
        "f.yaml:5:1: no step breaks anything, so a control would be the same case again"
    )


def test_it_is_written_and_read_again() -> None:
    scenario = parse(TEXT, "f.yaml", STEPS)
    assert parse(dump(scenario), "again", STEPS) == scenario
