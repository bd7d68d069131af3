"""The faults port: what every lake that can be broken promises."""

import pytest
from trial import Trial, until

from dltest.errors import FaultError
from dltest.lake.ports import Faults, JobKind

FAULT = "storage-down"


@pytest.fixture
def faults(trial: Trial):
    """Healed in the end, whatever happened."""
    assert trial.ports.faults is not None
    yield trial.ports.faults
    for by in ("one", "two"):
        heal(trial.ports.faults, trial.destination, by)


def break_(faults: Faults, rse: str, by: str) -> None:
    until(lambda: faults.break_(FAULT, rse, by), bool)


def heal(faults: Faults, rse: str, by: str) -> None:
    until(lambda: faults.heal(FAULT, rse, by), bool)


def is_well(trial: Trial) -> bool:
    return trial.do(JobKind.STAT, trial.refs(trial.destination)).outcomes[0].code is None


def test_it_is_broken_until_nobody_wants_it_any_more(trial: Trial, faults: Faults) -> None:
    rse = trial.destination
    break_(faults, rse, "one")
    break_(faults, rse, "two")
    assert not is_well(trial)
    heal(faults, rse, "one")
    assert not is_well(trial)
    heal(faults, rse, "two")
    assert is_well(trial)


def test_what_is_well_is_healed_at_once(trial: Trial, faults: Faults) -> None:
    assert faults.heal(FAULT, trial.destination, "one")


@pytest.mark.parametrize(("fault", "rse"), [("earthquake", None), (FAULT, "NOWHERE-SE")])
def test_a_fault_that_no_lake_has_is_the_scenarios_mistake(trial, faults, fault, rse) -> None:
    with pytest.raises(FaultError) as unknown:
        faults.break_(fault, rse, "one")
    assert unknown.value.code == "no-such-fault"
    assert not unknown.value.answered
