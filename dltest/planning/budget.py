"""What cases would do to the RSEs, added up, and whether a scenario allows itself that much."""

from collections import defaultdict
from collections.abc import Iterable

from dltest.errors import OverBudgetError
from dltest.model import Case, Footprint
from dltest.scenario import Registry, Scenario
from dltest.units import human_size


def footprints(cases: Iterable[Case], steps: Registry) -> dict[str, Footprint]:
    """Per RSE, sorted by name, over all steps of all cases."""
    totals: defaultdict[str, Footprint] = defaultdict(Footprint)
    per_scenario: dict[str, dict[str, Footprint]] = {}
    for case in cases:
        if case.scenario not in per_scenario:
            per_scenario[case.scenario] = _per_role(case, steps)
        for role, footprint in per_scenario[case.scenario].items():
            totals[case.targets[role]] += footprint
    return dict(sorted(totals.items()))


def _per_role(case: Case, steps: Registry) -> dict[str, Footprint]:
    """The same for all cases of a scenario, since they share steps and payload."""
    totals: defaultdict[str, Footprint] = defaultdict(Footprint)
    for call in case.steps:
        step = steps[call.type]
        body = step.Body.model_validate(call.body)
        for role, footprint in step.footprint(body, case.payload).items():
            totals[role] += footprint
    return totals


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
