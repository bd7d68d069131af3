"""What cases would do to the RSEs, added up, and whether a scenario allows itself that much."""

from collections import defaultdict
from collections.abc import Iterable

from dltest.errors import OverBudgetError
from dltest.model import Case, Footprint
from dltest.scenario import Registry, Scenario
from dltest.units import human_size


def weighed(cases: Iterable[Case], steps: Registry) -> list[Case]:
    """The cases, each with the bytes that it writes, copies counted."""
    scale = _Scale(steps)
    return [
        case.model_copy(update={"bytes_written": scale.total(case).bytes_written}) for case in cases
    ]


def footprints(cases: Iterable[Case], steps: Registry) -> dict[str, Footprint]:
    """Per RSE, sorted by name, over all steps of all cases."""
    totals: defaultdict[str, Footprint] = defaultdict(Footprint)
    scale = _Scale(steps)
    for case in cases:
        for role, footprint in scale.per_role(case).items():
            totals[case.targets[role]] += footprint
    return dict(sorted(totals.items()))


class _Scale:
    """Weighs one case of each scenario and variant: the others share its steps and payload."""

    def __init__(self, steps: Registry) -> None:
        self._steps = steps
        self._known: dict[tuple[str, str], dict[str, Footprint]] = {}

    def total(self, case: Case) -> Footprint:
        return sum(self.per_role(case).values(), Footprint())

    def per_role(self, case: Case) -> dict[str, Footprint]:
        key = (case.scenario, case.variant)
        if key not in self._known:
            self._known[key] = self._weigh(case)
        return self._known[key]

    def _weigh(self, case: Case) -> dict[str, Footprint]:
        totals: defaultdict[str, Footprint] = defaultdict(Footprint)
        for call in case.steps:
            step = self._steps[call.type]
            body = step.Body.model_validate(call.body)
            for role, footprint in step.footprint(body, case.payload).items():
                totals[role] += footprint
        return dict(totals)


def check_budget(scenario: Scenario, cases: Iterable[Case], steps: Registry) -> None:
    """Compare what all cases of a scenario would write with its limits.

    Raises:
        OverBudgetError: with the sum and the limit.
    """
    cases = list(cases)
    total = sum(footprints(cases, steps).values(), Footprint())
    if total.bytes_written > scenario.limits.bytes:
        raise _over(scenario, cases, "bytes", human_size(total.bytes_written))
    if total.files_written > scenario.limits.files:
        raise _over(scenario, cases, "files", f"{total.files_written} files")


def _over(scenario: Scenario, cases: list[Case], key: str, sum_of_all: str) -> OverBudgetError:
    limits = scenario.limits
    allowed = human_size(limits.bytes) if key == "bytes" else f"{limits.files} files"
    many = "1 case" if len(cases) == 1 else f"{len(cases)} cases"
    return OverBudgetError(
        f"scenario '{scenario.name}' would write {sum_of_all} in {many}, and its limits.{key}"
        f" allows {allowed}; narrow its targets, shrink its payload, or raise the limit"
    )
