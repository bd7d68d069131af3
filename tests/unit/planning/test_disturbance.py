"""Cases that break something: what the plan says of them, and beside whom they may be open."""

import pytest

from dltest.errors import NotPermittedError
from dltest.lake.simulated import SimulatedLake
from dltest.model import LAKE, Case
from dltest.planning import Company, plan
from dltest.scenario import parse

SCENARIO = """\
dltest: 1
name: broken
title: Something breaks
owner: tests
control: true
targets:
  source: {{rses: XRD1}}
  destination: {{rses: XRD2}}
steps:
  - upload: {{to: source}}
  - break: {fault}
  - replicate: {{to: destination, expect: {{outcome: refused}}}}
"""


def cases(fault: str) -> tuple[Case, ...]:
    scenario = parse(SCENARIO.format(fault=fault), "broken.yaml")
    return plan([scenario], SimulatedLake().catalogue.inventory()).cases


@pytest.mark.parametrize(
    ("fault", "disturbs"),
    [
        ("{fault: storage-down, at: destination}", ("XRD2",)),
        ("{fault: daemon-down, daemon: reaper}", (LAKE,)),
        ("{fault: rucio-down}", (LAKE,)),
    ],
)
def test_a_case_says_what_nobody_else_can_use_and_its_control_disturbs_nobody(fault, disturbs):
    broken, control = cases(fault)
    assert (broken.disturbs, broken.needs_faults) == (disturbs, True)
    assert (control.disturbs, control.needs_faults) == ((), False)


def test_only_what_its_operators_gave_for_faults_may_be_broken():
    lake = SimulatedLake().catalogue.inventory()
    rses = [rse.model_copy(update={"attributes": {"dltest": "True"}}) for rse in lake.rses]
    scenario = parse(SCENARIO.format(fault="{fault: storage-down, at: source}"), "broken.yaml")
    with pytest.raises(NotPermittedError, match="dltest-faults=True: XRD1"):
        plan([scenario], lake.model_copy(update={"rses": tuple(rses)}))


ONE, TWO, BOTH = ("XRD1",), ("XRD2",), ("XRD1", "XRD2")


@pytest.mark.parametrize(
    ("there", "comes", "bears"),
    [
        ((BOTH, ()), (BOTH, ()), True),
        ((BOTH, ("XRD1",)), (ONE, ()), False),
        ((BOTH, ("XRD1",)), (TWO, ()), True),
        ((ONE, ()), (BOTH, ("XRD1",)), False),
        ((ONE, ()), (BOTH, ("XRD2",)), True),
        ((ONE, ("XRD1",)), (TWO, ("XRD2",)), True),
        ((ONE, ()), (TWO, (LAKE,)), False),
        ((ONE, (LAKE,)), (TWO, ()), False),
    ],
)
def test_nobody_is_disturbed(there, comes, bears):
    company = Company()
    company.enter(*there)
    assert company.bears(*comes) is bears
    company.leave(*there)
    assert company.bears(*comes)
