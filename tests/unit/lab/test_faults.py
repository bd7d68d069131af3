from datetime import UTC, datetime

import pytest

from dltest.lab.description import BrokenThing
from dltest.lab.faults import (
    CATALOGUE,
    FAULTS,
    UnknownFaultError,
    conditions_of,
    find_fault,
)
from dltest.lab.front.manners import Manners


def broken(fault: str, target: str | None = None) -> BrokenThing:
    return BrokenThing(fault=fault, target=target, since=datetime.now(UTC))


@pytest.mark.parametrize(
    ("fault", "target", "hint"),
    [
        ("storge-down", "XRD2", "did you mean storage-down?"),
        ("storage-down", "xrd2", "did you mean XRD2?"),
        ("daemon-down", "conveyor-pooler", "did you mean conveyor-poller?"),
        ("storage-down", None, "needs a target: one of XRD1"),
        ("rucio-down", "XRD1", "takes no target"),
    ],
)
def test_a_slip_is_answered_with_what_was_meant(fault: str, target: str | None, hint: str) -> None:
    with pytest.raises(UnknownFaultError, match=hint):
        find_fault(fault, target)


def test_every_fault_has_one_effect_for_every_target() -> None:
    for fault in FAULTS:
        assert [bool(fault.stopped), bool(fault.alteration), bool(fault.damage)].count(True) == 1
        for target in fault.targets or (None,):
            worst = conditions_of([broken(fault.name, target)])
            assert set(worst) == set(fault.parts_of(target))
            assert bool(worst) != bool(fault.damage)


def test_names_are_unique_and_what_waits_cannot_be_asked_for() -> None:
    names = [fault.name for fault in CATALOGUE]
    assert len(set(names)) == len(names)
    waiting = next(fault for fault in CATALOGUE if fault.waits_for)
    with pytest.raises(UnknownFaultError):
        find_fault(waiting.name, None)


def test_every_front_knows_the_manners_that_it_is_given() -> None:
    for fault in FAULTS:
        Manners.of(fault.alteration.manners)


@pytest.mark.parametrize("order", [1, -1])
def test_a_server_that_is_down_cannot_hang(order: int) -> None:
    things = [broken("storage-down", "XRD1"), broken("storage-hung", "XRD1")][::order]
    assert conditions_of(things)["XRD1"].stopped == "down"


def test_alterations_of_one_part_add_up() -> None:
    things = [broken("storage-slow", "XRD1"), broken("storage-no-delete", "XRD1")]
    both = conditions_of(things)["XRD1"].alteration
    assert both.manners["delay_seconds"]
    assert both.settings["authdb"]
