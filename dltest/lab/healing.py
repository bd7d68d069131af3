"""Which of the broken things are meant to be healed, and what that takes besides new processes."""

from collections.abc import Iterable

from dltest.lab.damage import Damage, Shut, mend
from dltest.lab.description import BrokenThing, Lab
from dltest.lab.faults import conditions_of, find_fault
from dltest.lab.parts import START_WITH_DATABASE


def is_meant(thing: BrokenThing, fault: str | None, target: str | None, by: str | None) -> bool:
    is_that = fault in (None, thing.fault) and target in (None, thing.target)
    return is_that and by in (None, thing.by)


def ailing(broken: Iterable[BrokenThing]) -> frozenset[str]:
    """The parts that cannot be well while these things are broken."""
    things = tuple(broken)
    damages = [_damage(thing) for thing in things]
    starved = any(isinstance(damage, Shut) and damage.starves for damage in damages)
    return frozenset(conditions_of(things)) | (START_WITH_DATABASE if starved else frozenset())


def order_of_mending(thing: BrokenThing) -> bool:
    """A database that is shut lets nobody mend its rows."""
    return not throws_out(thing)


def throws_out(thing: BrokenThing) -> bool:
    """Whether it costs all of Rucio its connections, so that its parts must start anew."""
    return isinstance(_damage(thing), Shut)


def mend_rows(lab: Lab, thing: BrokenThing, rest: tuple[BrokenThing, ...]) -> None:
    """Put back the rows that a fault changed, unless somebody else wants it so too."""
    damage = _damage(thing)
    wanted = any((one.fault, one.target) == (thing.fault, thing.target) for one in rest)
    if damage is not None and not wanted:
        mend(lab, thing.fault, thing.target, damage)


def _damage(thing: BrokenThing) -> Damage | Shut | None:
    return find_fault(thing.fault, thing.target).damage
