"""What a fault is, and what several of them together do to the parts of a lab.

Each fault has one effect. On a part: `down` kills it and keeps it dead, `hung` stops it in its
tracks with its port still open, `altered` runs it with other settings or behind a front that
misbehaves; the supervisor makes it so and keeps it so. `data` changes rows of Rucio's database,
and keeps what they were.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from dltest.lab.alteration import HEALTHY, Alteration
from dltest.lab.damage import Damage, Shut
from dltest.model import Verdict

Kind = Literal["RSE", "DAEMON"]
Stopped = Literal["down", "hung"]
TARGET = "{target}"
RSE, OTHER = "{rse}", "*"
# What all RSEs share, and steps need.
CATALOGUE, TRANSFERS = "catalogue", "transfers"
DELETION, REPAIR = "deletion", "repair"
ISSUER = "issuer"


@dataclass(frozen=True, slots=True)
class Notice:
    """A case that must notice a fault, and what it must say.

    `at` names its targets: `{rse}` is the broken one, `*` any other in good health. `step` is the
    one at which it notices; steps after it need not come. In `blame`, `{0}` is the case's first
    target and so on.
    """

    scenario: str
    at: tuple[str, ...]
    step: str
    codes: tuple[str, ...]
    blame: str
    verdict: Verdict = Verdict.FAILED


@dataclass(frozen=True, slots=True)
class Drill:
    """How a fault is tried: who must notice, and in how many seconds.

    `shadow` is what the fault takes from everybody: `{rse}`, or a service of the lake. Without a
    `target`, the drill chooses one.
    """

    notices: tuple[Notice, ...]
    shadow: tuple[str, ...]
    target: str | None = None
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to break a lab. The part is a name, or `TARGET` for the part of that name.

    `others` suffer the same: what several servers do together fails only with all of them.
    """

    name: str
    title: str
    part: str | None = None
    others: tuple[str, ...] = ()
    stopped: Stopped | None = None
    alteration: Alteration = HEALTHY
    damage: Damage | Shut | None = None
    kind: Kind | None = None
    targets: tuple[str, ...] = ()
    drills: tuple[Drill, ...] = ()
    waits_for: str | None = None

    @property
    def effect(self) -> str:
        """In one word."""
        if self.stopped:
            return self.stopped
        return "altered" if self.alteration else "data"

    def parts_of(self, target: str | None) -> tuple[str, ...]:
        part = target if self.part == TARGET else self.part
        return (part, *self.others) if part else ()


@dataclass(frozen=True, slots=True)
class Condition:
    """What shall be the matter with one part; down wins over hung, alterations add up."""

    stopped: Stopped | None = None
    alteration: Alteration = field(default=HEALTHY)

    def __or__(self, other: "Condition") -> "Condition":
        down = "down" in (self.stopped, other.stopped)
        stopped = "down" if down else self.stopped or other.stopped
        return Condition(stopped, self.alteration | other.alteration)


WELL = Condition()


def conditions(faults: Iterable[tuple[Fault, str | None]]) -> Mapping[str, Condition]:
    """What shall be the matter with each part that is not well."""
    result: dict[str, Condition] = {}
    for fault, target in faults:
        one = Condition(fault.stopped, fault.alteration)
        for part in fault.parts_of(target):
            result[part] = result.get(part, WELL) | one
    return result
