"""The cases of one scenario: every choice of RSEs for its roles that its targets allow."""

from collections.abc import Iterator, Mapping, Set
from itertools import islice

from dltest.errors import NoTargetError, OverBudgetError
from dltest.model import Case, Lake, Payload
from dltest.planning.links import Link, links_of
from dltest.planning.selection import select
from dltest.scenario import Scenario

MAX_CASES = 50_000
MAX_ASSIGNMENTS = 500_000


def expand(
    scenario: Scenario, lake: Lake, aimed_at: Set[str] | None = None, turn: int = 0
) -> list[Case]:
    """All cases, ordered by the RSE names of the roles in file order, then as payloads are.

    With `aimed_at`, only those that touch one of these RSEs, which may be none. `turn` chooses
    the links of a sample.

    Raises:
        NoTargetError: a role finds no RSE, or none that differs as `other-than` asks.
        OverBudgetError: more cases than anybody can mean.
    """
    choices = {
        role: select(target.rses, lake, asked_by=f"scenario '{scenario.name}', target '{role}'")
        for role, target in scenario.targets.items()
    }
    links = links_of(scenario, lake, choices, turn=turn, aimed_at=aimed_at)
    assignments = _Assignments(scenario, choices, links)
    found = list(islice(assignments.beyond({}), MAX_ASSIGNMENTS + 1))
    if not found and not (links is not None and aimed_at):
        raise NoTargetError(_none_differ(scenario, choices))
    kept = [targets for targets in found if aimed_at is None or aimed_at & set(targets.values())]
    payloads = scenario.payload.payloads()
    if len(kept) * len(payloads) > MAX_CASES or len(found) > MAX_ASSIGNMENTS:
        raise OverBudgetError(
            f"scenario '{scenario.name}' has more than {MAX_CASES} cases on lake '{lake.name}';"
            " narrow the RSE expressions of its targets"
        )
    return [
        _case(scenario, targets, variant, payload)
        for targets in kept
        for variant, payload in payloads.items()
    ]


class _Assignments:
    """Which RSEs may play which roles together."""

    def __init__(
        self, scenario: Scenario, choices: Mapping[str, list[str]], links: Set[Link] | None
    ) -> None:
        self._choices = choices
        self._roles = list(choices)
        self._others = {role: _others(scenario, role) for role in choices}
        self._links = links
        self._ends = (scenario.links.from_, scenario.links.to) if scenario.links else ("", "")

    def beyond(self, chosen: dict[str, str]) -> Iterator[dict[str, str]]:
        """All that begin so; depth first over the roles, so that what cannot be is left early."""
        if len(chosen) == len(self._roles):
            yield dict(chosen)
            return
        role = self._roles[len(chosen)]
        for rse in self._choices[role]:
            if all(chosen[other] != rse for other in self._others[role] if other in chosen):
                wider = {**chosen, role: rse}
                if self._is_linked(wider):
                    yield from self.beyond(wider)

    def _is_linked(self, chosen: Mapping[str, str]) -> bool:
        if self._links is None or not all(end in chosen for end in self._ends):
            return True
        source, destination = (chosen[end] for end in self._ends)
        return (source, destination) in self._links


def _others(scenario: Scenario, role: str) -> set[str]:
    """The roles this one must differ from, whichever of the two says so."""
    named_by = {name for name, target in scenario.targets.items() if role in target.other_than}
    return named_by | set(scenario.targets[role].other_than)


def _none_differ(scenario: Scenario, choices: Mapping[str, list[str]]) -> str:
    found = "; ".join(f"'{role}' can only be {', '.join(rses)}" for role, rses in choices.items())
    asked = "as `other-than` asks"
    if scenario.links:
        asked = f"joined by a link of `shape: {scenario.links.shape}`"
    return f"scenario '{scenario.name}': its targets cannot be different RSEs {asked}: {found}"


def _case(scenario: Scenario, targets: dict[str, str], variant: str, payload: Payload) -> Case:
    return Case(
        scenario=scenario.name,
        targets=targets,
        payload=payload,
        variant=variant,
        steps=scenario.steps,
        duration_limit=scenario.limits.duration,
        pace=scenario.limits.pace(),
        tags=scenario.tags,
        owner=scenario.owner,
        severity=scenario.severity,
        runbook=scenario.runbook,
    )
