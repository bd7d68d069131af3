"""Damage that can be done to a lab on purpose, as data; every fault can be healed."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from dltest.errors import LabError
from dltest.lab.description import BrokenThing
from dltest.lab.faults import catalogue_data, daemons, identity, rucio, storages, transfers, waiting
from dltest.lab.faults.fault import Condition, Fault, conditions

__all__ = [
    "CATALOGUE",
    "FAULTS",
    "Fault",
    "UnknownFaultError",
    "check_names",
    "conditions_of",
    "find_fault",
]


class UnknownFaultError(LabError):
    """A fault or target that no lab has; the message says what was probably meant."""


CATALOGUE: tuple[Fault, ...] = (
    *storages.FAULTS,
    *transfers.FAULTS,
    *rucio.FAULTS,
    *identity.FAULTS,
    *daemons.FAULTS,
    *catalogue_data.FAULTS,
    *waiting.FAULTS,
)
FAULTS = tuple(fault for fault in CATALOGUE if not fault.waits_for)
"""Those that a lab can have today."""


def find_fault(name: str, target: str | None) -> Fault:
    """The fault of that name, if it can be done to that target."""
    fault = check_names(name, target)
    if fault.kind is not None and target is None:
        raise UnknownFaultError(f"{name} needs a target: one of {', '.join(fault.targets)}")
    return fault


def check_names(name: str, target: str | None) -> Fault:
    """The fault of that name; a target may be missing, but not be wrong."""
    fault = next((one for one in FAULTS if one.name == name), None)
    if fault is None:
        raise UnknownFaultError(_unknown("fault", name, (one.name for one in FAULTS)))
    if fault.kind is None and target is not None:
        raise UnknownFaultError(f"{name} takes no target, and {target!r} was given")
    if target is not None and target not in fault.targets:
        raise UnknownFaultError(_unknown(str(fault.kind), target, fault.targets))
    return fault


def conditions_of(broken: Iterable[BrokenThing]) -> Mapping[str, Condition]:
    """What shall be the matter with which part."""
    return conditions((find_fault(thing.fault, thing.target), thing.target) for thing in broken)


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    folded = {one.lower(): one for one in names}
    close = get_close_matches(name.lower(), folded, n=1, cutoff=0.5)
    hint = f"; did you mean {folded[close[0]]}?" if close else ""
    return f"there is no {kind} {name!r}{hint} (known: {', '.join(names)})"
