"""Which of the broken things are meant to be healed, and what that takes besides new processes."""

from datetime import UTC, datetime

from dltest.lab.damage import Damage, Shut, mend
from dltest.lab.description import BrokenThing, Lab
from dltest.lab.faults import check_names, find_fault


def is_meant(thing: BrokenThing, fault: str | None, target: str | None, by: str | None) -> bool:
    is_that = fault in (None, thing.fault) and target in (None, thing.target)
    return is_that and by in (None, thing.by)


def named(fault: str | None, target: str | None) -> tuple[BrokenThing, ...]:
    """The one fault that is meant, where it is one."""
    if fault is None or (check_names(fault, target).kind is not None and target is None):
        return ()
    return (BrokenThing(fault=fault, target=target, since=datetime.now(UTC)),)


def order_of_mending(thing: BrokenThing) -> bool:
    """A database that is shut lets nobody mend its rows."""
    return not shakes_all(thing)


def shakes_all(thing: BrokenThing) -> bool:
    """Whether all of Rucio dies of it and comes again: its parts, too, must be waited for."""
    return isinstance(_damage(thing), Shut)


def mend_rows(lab: Lab, thing: BrokenThing, rest: tuple[BrokenThing, ...]) -> None:
    """Put back the rows that a fault changed, unless somebody else wants it so too."""
    damage = _damage(thing)
    wanted = any((one.fault, one.target) == (thing.fault, thing.target) for one in rest)
    if damage is not None and not wanted:
        mend(lab, thing.fault, thing.target, damage)


def _damage(thing: BrokenThing) -> Damage | Shut | None:
    return find_fault(thing.fault, thing.target).damage
