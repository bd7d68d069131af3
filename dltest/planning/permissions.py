"""What a plan needs to be allowed, and what the lake is known not to allow.

An operator keeps tests away from an RSE by its attribute `dltest=False`: a plan that touches one
is refused. An RSE that Rucio has blocked is planned like any other, since who blocked it by
mistake wants to hear of it: its runs fail with `rse-blocked`, and the plan says so before.
"""

from collections.abc import Sequence

from dltest.errors import NotPermittedError
from dltest.model import LAKE, RSE, Case, Footprint, Lake, Plan
from dltest.planning.budget import footprints
from dltest.scenario import Registry, Scenario
from dltest.units import human_size

# What step types ask of Rucio itself, beyond their footprints at RSEs.
_ASKED_OF_RUCIO = {
    "upload": ("register replicas", "add datasets", "add rules"),
    "replicate": ("add rules",),
    "delete": ("end own datasets",),
    "declare-bad": ("declare replicas bad",),
    "declare-suspicious": ("declare replicas suspicious",),
    "keep": ("add datasets", "add rules"),
    "quarantine": ("quarantine replicas",),
}


def check_allowed(scenario: Scenario, cases: Sequence[Case], lake: Lake, steps: Registry) -> None:
    """Refuse cases that touch an RSE whose operator forbids it.

    Raises:
        NotPermittedError: with what the cases would do there.
    """
    sums = footprints(cases, steps)
    _check_faults_allowed(scenario, lake, sums)
    _check_may_be_disturbed(scenario, cases, lake)
    touched = {rse for case in cases for rse in case.targets.values()}
    forbidden = sorted(rse.name for rse in lake.rses if rse.name in touched and _is_forbidden(rse))
    if not forbidden:
        return
    told = "; ".join(_sum(name, cases, sums) for name in forbidden)
    raise NotPermittedError(
        f"scenario '{scenario.name}' would touch RSEs whose operators forbid it by the attribute"
        f" dltest=False: {told}; leave them out of its targets, as by `dltest=True`"
    )


def _check_faults_allowed(scenario: Scenario, lake: Lake, sums: dict[str, Footprint]) -> None:
    """Damage, also to what a run itself has made, is done only where an operator agreed to it."""
    agreed = {rse.name for rse in lake.rses if rse.is_for_faults}
    refused = [name for name, would in sums.items() if would.files_damaged and name not in agreed]
    if refused:
        told = "; ".join(f"{name} ({sums[name].files_damaged} files)" for name in refused)
        raise NotPermittedError(
            f"scenario '{scenario.name}' would damage files at RSEs whose operators have not"
            f" agreed to it by the attribute dltest-faults=True: {told}; let its targets be those"
            " that have, as by `dltest=True&dltest-faults=True`"
        )


def _check_may_be_disturbed(scenario: Scenario, cases: Sequence[Case], lake: Lake) -> None:
    """What takes an RSE from everybody for a while is done only where an operator agreed to it."""
    agreed = {LAKE, *(rse.name for rse in lake.rses if rse.is_for_faults)}
    if refused := sorted({rse for case in cases for rse in case.disturbs} - agreed):
        raise NotPermittedError(
            f"scenario '{scenario.name}' would break or block RSEs whose operators have not agreed"
            f" to it by the attribute dltest-faults=True: {', '.join(refused)}"
        )


def _is_forbidden(rse: RSE) -> bool:
    return rse.attributes.get("dltest", "").lower() == "false"


def _sum(name: str, cases: Sequence[Case], sums: dict[str, Footprint]) -> str:
    touching = sum(name in case.targets.values() for case in cases)
    many = "1 case" if touching == 1 else f"{touching} cases"
    would = sums.get(name, Footprint())
    return f"{name} ({many}, {human_size(would.bytes_written)} written)"


def permissions(planned: Plan) -> list[str]:
    """What the account must be allowed: `write at XRD1`, `add rules`; sorted."""
    needed = {
        asked
        for case in planned.cases
        for call in case.steps
        for asked in _ASKED_OF_RUCIO.get(call.type, ())
    }
    for rse, footprint in planned.footprints.items():
        needed |= {f"{what} at {rse}" for what in _done_at(footprint)}
    return sorted(needed)


def _done_at(footprint: Footprint) -> list[str]:
    done = {
        "read": footprint.bytes_read,
        "write": footprint.files_written,
        "delete": footprint.files_deleted,
        "damage": footprint.files_damaged,
    }
    return [what for what, much in done.items() if much]


def blocked(planned: Plan, lake: Lake) -> list[str]:
    """What the plan would do where Rucio has blocked it: `write at XRD2`."""
    known = {rse.name: rse for rse in lake.rses}
    return [
        f"{what} at {name}"
        for name, footprint in planned.footprints.items()
        for what in _done_at(footprint)
        if not known[name].allows(what)
    ]
