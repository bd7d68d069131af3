"""Damage that can be done to a lab on purpose, as data; every fault can be healed.

A fault names a part and what happens to it: `down` kills it and keeps it dead, `hung` stops
it in its tracks with its port still open. The supervisor makes it so and keeps it so.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from dltest.errors import LabError
from dltest.lab import storage
from dltest.lab.daemons import DAEMONS
from dltest.lab.description import BrokenThing

Effect = Literal["down", "hung"]


class UnknownFaultError(LabError):
    """A fault or target that no lab has; the message says what was probably meant."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to break a lab."""

    name: str
    title: str
    effect: Effect
    kind: str | None
    targets: tuple[str, ...]
    part: Callable[[str | None], str]


def _rse_names() -> tuple[str, ...]:
    return tuple(element.rse for element in storage.ELEMENTS)


def _daemon_names() -> tuple[str, ...]:
    return tuple(daemon.name for daemon in DAEMONS)


def _on_rse(name: str, title: str, effect: Effect) -> Fault:
    return Fault(name, title, effect, "RSE", _rse_names(), str)


def _on_daemon(name: str, title: str, effect: Effect) -> Fault:
    return Fault(name, title, effect, "DAEMON", _daemon_names(), str)


def _on_part(name: str, title: str, effect: Effect, part: str) -> Fault:
    return Fault(name, title, effect, None, (), lambda _: part)


FAULTS = (
    _on_rse("storage-down", "the storage server is killed and its port refuses", "down"),
    _on_rse("storage-hung", "the storage server takes connections and never answers", "hung"),
    _on_daemon("daemon-down", "one of Rucio's daemons is killed and stays dead", "down"),
    _on_part("transfer-service-down", "the transfer service is killed", "down", "transfers"),
    _on_part("rucio-down", "Rucio's server is killed; its daemons go on", "down", "rucio"),
)


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


def effects(broken: Iterable[BrokenThing]) -> dict[str, Effect]:
    """What shall be the matter with which part; down wins over hung."""
    result: dict[str, Effect] = {}
    for thing in broken:
        fault = find_fault(thing.fault, thing.target)
        part = fault.part(thing.target)
        if result.get(part) != "down":
            result[part] = fault.effect
    return result


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    folded = {one.lower(): one for one in names}
    close = get_close_matches(name.lower(), folded, n=1, cutoff=0.5)
    hint = f"; did you mean {folded[close[0]]}?" if close else ""
    return f"there is no {kind} {name!r}{hint} (known: {', '.join(names)})"
