"""One fault at one place, the cases that must notice it there, and what cases need."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from dltest.lab import storage
from dltest.lab.faults import Fault
from dltest.lab.faults.fault import (
    CATALOGUE,
    DELETION,
    ISSUER,
    OTHER,
    REPAIR,
    RSE,
    TRANSFERS,
    Drill,
    Notice,
)
from dltest.model import Case

# What a step uses besides its RSEs; one that is not named here uses all there is.
STEP_NEEDS: Mapping[str, frozenset[str]] = {
    "upload": frozenset({CATALOGUE}),
    "download": frozenset({CATALOGUE}),
    "verify": frozenset({CATALOGUE}),
    "replicate": frozenset({CATALOGUE, TRANSFERS}),
    "delete": frozenset({CATALOGUE}),
    "absent": frozenset({CATALOGUE, DELETION}),
    "kept": frozenset({CATALOGUE}),
    "keep": frozenset({CATALOGUE}),
    "corrupt": frozenset({CATALOGUE}),
    "stray": frozenset({CATALOGUE}),
    "consistent": frozenset({CATALOGUE}),
    "quarantine": frozenset({CATALOGUE, DELETION}),
    "token-issuer": frozenset({ISSUER}),
    "token-rules": frozenset({CATALOGUE, ISSUER}),
}
EVERYTHING = frozenset({CATALOGUE, TRANSFERS, DELETION, REPAIR, ISSUER})

Cases = Mapping[tuple[str, tuple[str, ...]], Case]


def needs(case: Case, until: str | None = None) -> frozenset[str]:
    """The RSEs and services that a case uses, up to the first step of that type."""
    found = set(case.targets.values())
    if found & set(storage.TOKEN_RSES):
        found.add(ISSUER)
    for call in case.steps:
        found |= STEP_NEEDS.get(call.type, EVERYTHING)
        if call.type == until:
            break
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Trial:
    """A fault where it is tried, with the case for each of its notices."""

    fault: Fault
    drill: Drill
    target: str | None
    cases: tuple[Case, ...]

    @property
    def name(self) -> str:
        return f"{self.fault.name} {self.target}" if self.target else self.fault.name

    @property
    def shadow(self) -> frozenset[str]:
        return frozenset(part.format(rse=self.target) for part in self.drill.shadow)

    def blame(self, case: Case, notice: Notice) -> str:
        """The party that this case must blame, by name."""
        return notice.blame.format(*case.targets.values(), rse=self.target)

    @property
    def needs(self) -> frozenset[str]:
        """What its own cases use until they notice."""
        used = (needs(case, notice.step) for case, notice in self.expected)
        return frozenset().union(*used)

    @property
    def expected(self) -> tuple[tuple[Case, Notice], ...]:
        return tuple(zip(self.cases, self.drill.notices, strict=True))

    def bears(self, other: "Trial") -> bool:
        """Whether both faults can be there at once, and neither is noticed for the other."""
        return not (
            self.needs & other.shadow
            or other.needs & self.shadow
            or {case.id for case in self.cases} & {case.id for case in other.cases}
        )


def trials_of(fault: Fault, drill: Drill, cases: Cases) -> Iterator[Trial]:
    """Every way to try it: at each place, with each choice of the other RSEs."""
    rses = tuple(dict.fromkeys(rse for _, at in cases for rse in at))
    for target in (drill.target,) if fault.kind != "RSE" else fault.targets:
        others = [rse for rse in rses if rse != target]
        wanted = max(notice.at.count(OTHER) for notice in drill.notices)
        for choice in permutations(others, wanted):
            placed = [_placed(notice, target, choice) for notice in drill.notices]
            if all(key in cases for key in placed):
                yield Trial(fault, drill, target, tuple(cases[key] for key in placed))


def _placed(
    notice: Notice, target: str | None, choice: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    others = iter(choice)
    at = tuple(str(target) if role == RSE else next(others) for role in notice.at)
    return notice.scenario, at


def bystanders(cases: Iterable[Case], trials: Iterable[Trial]) -> list[Case]:
    """Those that share nothing with any of the faults, and so must pass."""
    trials = list(trials)
    shadow = frozenset().union(*(trial.shadow for trial in trials))
    busy = {case.id for trial in trials for case in trial.cases}
    return [case for case in cases if case.id not in busy and not needs(case) & shadow]
