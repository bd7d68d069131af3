"""Scenarios and a lake to a plan."""

from collections.abc import Sequence

from dltest.errors import NoTargetError
from dltest.model import Case, Lake, Plan
from dltest.planning.budget import check_budget, footprints, weighed
from dltest.planning.control import with_controls
from dltest.planning.disturbance import with_disturbance
from dltest.planning.expand import expand
from dltest.planning.permissions import check_allowed
from dltest.planning.selection import select
from dltest.scenario import Registry, Scenario
from dltest.steps import registry


def plan(
    scenarios: Sequence[Scenario],
    lake: Lake,
    *,
    only: str | None = None,
    turn: int = 0,
    steps: Registry | None = None,
) -> Plan:
    """Lay scenarios out over a lake; nothing is asked of it, its facts are those of `seen_at`.

    Cases come in the order of the scenarios, then by RSE name, so that two plans diff cleanly.
    `only`, an RSE expression, keeps the cases that touch at least one RSE it means: who aims at
    an own site wants every link from and to it. Footprints and limits count what is kept. `turn`
    chooses the links of sampled meshes: the slot's number, or `turn_at` the clock.

    Raises:
        NoTargetError: a target, or `only`, means no RSE, or nothing is kept.
        OverBudgetError: a scenario would write more than its limits allow.
        NotPermittedError: it would touch an RSE whose operator forbids it.
        PlanError: `only` is not an RSE expression.
    """
    known = registry() if steps is None else steps
    aimed_at = set(select(only, lake, asked_by="--rse")) if only else None
    cases: list[Case] = []
    for scenario in scenarios:
        kept = expand(scenario, lake, aimed_at, turn)
        if scenario.control:
            kept = with_controls(kept, known)
        kept = with_disturbance(weighed(kept, known), known)
        check_allowed(scenario, kept, lake, known)
        check_budget(scenario, kept, known)
        cases += kept
    if not cases:
        names = ", ".join(scenario.name for scenario in scenarios)
        why = f"no case of {names} touches an RSE of '{only}'" if names else "there is no scenario"
        raise NoTargetError(f"nothing to run: {why}")
    return Plan(
        lake=lake.name,
        cases=tuple(cases),
        footprints=footprints(cases, known),
        stale=lake.stale,
    )
