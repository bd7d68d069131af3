from datetime import UTC, datetime

import pytest

from dltest.lab.daemons import DAEMONS
from dltest.lab.description import BrokenThing
from dltest.lab.faults import FAULTS, UnknownFaultError, effects, find_fault


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


def test_every_fault_names_a_part_for_every_target() -> None:
    for fault in FAULTS:
        for target in fault.targets or (None,):
            assert effects([broken(fault.name, target)]) == {fault.part(target): fault.effect}


def test_every_daemon_can_be_killed() -> None:
    assert find_fault("daemon-down", None if not DAEMONS else DAEMONS[0].name).targets == tuple(
        daemon.name for daemon in DAEMONS
    )


@pytest.mark.parametrize("order", [1, -1])
def test_a_server_that_is_down_cannot_hang(order: int) -> None:
    things = [broken("storage-down", "XRD1"), broken("storage-hung", "XRD1")][::order]
    assert effects(things) == {"XRD1": "down"}
