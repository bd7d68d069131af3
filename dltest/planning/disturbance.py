"""Who may be open beside whom: a case that breaks something leaves others nothing to use there.

A case that disturbs an RSE runs beside none that touches it, and one that disturbs the lake runs
alone; all others run beside each other. So a fault turns no other case red.
"""

from collections import Counter
from collections.abc import Iterable

from dltest.model import LAKE, Case
from dltest.scenario import Registry
from dltest.steps import disturbs, needs_faults


def with_disturbance(cases: Iterable[Case], steps: Registry) -> list[Case]:
    """The cases, each with what it disturbs, and whether it breaks the lake."""
    return [case.model_copy(update=_told(case, steps)) for case in cases]


def _told(case: Case, steps: Registry) -> dict[str, object]:
    called = [(steps[call.type], call.body) for call in case.steps]
    roles = {
        role for step, body in called for role in disturbs(step, step.Body.model_validate(body))
    }
    return {
        "disturbs": tuple(sorted(case.targets.get(role, role) for role in roles)),
        "needs_faults": any(needs_faults(step) for step, _ in called),
    }


class Company:
    """The cases that are open at once."""

    def __init__(self) -> None:
        self._open = 0
        self._touched: Counter[str] = Counter()
        self._disturbed: Counter[str] = Counter()

    def enter(self, targets: Iterable[str], disturbs: Iterable[str], runs: int = 1) -> None:
        self._count(targets, disturbs, runs)

    def leave(self, targets: Iterable[str], disturbs: Iterable[str]) -> None:
        self._count(targets, disturbs, -1)

    def bears(self, targets: Iterable[str], disturbs: Iterable[str]) -> bool:
        """Whether one more, with these targets, may be open beside those that are."""
        if LAKE in disturbs:
            return not self._open
        is_usable = not any(self._disturbed[rse] for rse in (LAKE, *targets))
        return is_usable and not any(self._touched[rse] for rse in disturbs)

    def at(self, rse: str) -> int:
        """How many open runs touch the RSE."""
        return self._touched[rse]

    def _count(self, targets: Iterable[str], disturbs: Iterable[str], runs: int) -> None:
        self._open += runs
        for rse in set(targets):
            self._touched[rse] += runs
        for rse in set(disturbs):
            self._disturbed[rse] += runs
