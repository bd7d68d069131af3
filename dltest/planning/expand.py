"""The cases of one scenario: every choice of RSEs for its roles that its targets allow."""

from collections.abc import Iterator, Mapping, Set
from itertools import islice

from dltest.errors import NoTargetError, OverBudgetError
from dltest.model import Case, Lake
from dltest.planning.selection import select
from dltest.scenario import Scenario

MAX_CASES = 50_000
MAX_ASSIGNMENTS = 500_000


def expand(scenario: Scenario, lake: Lake, aimed_at: Set[str] | None = None) -> list[Case]:
    """All cases, ordered by the RSE names of the roles in file order.

    With `aimed_at`, only those that touch one of these RSEs, which may be none.

    Raises:
        NoTargetError: a role finds no RSE, or none that differs as `other-than` asks.
        OverBudgetError: more cases than anybody can mean.
    """
    choices = {
        role: select(target.rses, lake, asked_by=f"scenario '{scenario.name}', target '{role}'")
        for role, target in scenario.targets.items()
    }
    found = list(islice(_assignments(scenario, choices, {}), MAX_ASSIGNMENTS + 1))
    if not found:
        raise NoTargetError(_none_differ(scenario, choices))
    kept = [targets for targets in found if aimed_at is None or aimed_at & set(targets.values())]
    if len(kept) > MAX_CASES or len(found) > MAX_ASSIGNMENTS:
        raise OverBudgetError(
            f"scenario '{scenario.name}' has more than {MAX_CASES} cases on lake '{lake.name}';"
            " narrow the RSE expressions of its targets"
        )
    return [_case(scenario, targets) for targets in kept]


def _assignments(
    scenario: Scenario, choices: Mapping[str, list[str]], chosen: dict[str, str]
) -> Iterator[dict[str, str]]:
    """Depth first over the roles, so that what cannot be is left early."""
    if len(chosen) == len(choices):
        yield dict(chosen)
        return
    role = list(choices)[len(chosen)]
    for rse in choices[role]:
        if all(chosen[other] != rse for other in _others(scenario, role) if other in chosen):
            yield from _assignments(scenario, choices, {**chosen, role: rse})


def _others(scenario: Scenario, role: str) -> set[str]:
    """The roles this one must differ from, whichever of the two says so."""
    named_by = {name for name, target in scenario.targets.items() if role in target.other_than}
    return named_by | set(scenario.targets[role].other_than)


def _none_differ(scenario: Scenario, choices: Mapping[str, list[str]]) -> str:
    found = "; ".join(f"'{role}' can only be {', '.join(rses)}" for role, rses in choices.items())
    return (
        f"scenario '{scenario.name}': its targets cannot be different RSEs as `other-than` asks:"
        f" {found}"
    )


def _case(scenario: Scenario, targets: dict[str, str]) -> Case:
    return Case(
        scenario=scenario.name,
        targets=targets,
        payload=scenario.payload.payload(),
        steps=scenario.steps,
        duration_limit=scenario.limits.duration,
        pace=scenario.limits.pace(),
        tags=scenario.tags,
        owner=scenario.owner,
        severity=scenario.severity,
        runbook=scenario.runbook,
    )
