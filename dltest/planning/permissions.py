"""What a plan needs to be allowed, and what the lake is known not to allow.

An operator keeps tests away from an RSE by its attribute `dltest=False`: a plan that touches one
is refused. An RSE that Rucio has blocked is planned like any other, since who blocked it by
mistake wants to hear of it: its runs fail with `rse-blocked`, and the plan says so before.
"""

from collections.abc import Sequence

from dltest.errors import NotPermittedError
from dltest.model import RSE, Case, Footprint, Lake, Plan
from dltest.planning.budget import footprints
from dltest.scenario import Registry, Scenario
from dltest.units import human_size

# What step types ask of Rucio itself, beyond their footprints at RSEs.
_ASKED_OF_RUCIO = {
    "upload": ("register replicas", "add datasets", "add rules"),
    "replicate": ("add rules",),
    "delete": ("end own datasets",),
    "keep": ("add datasets", "add rules"),
    "quarantine": ("quarantine replicas",),
}


def check_allowed(scenario: Scenario, cases: Sequence[Case], lake: Lake, steps: Registry) -> None:
    """Refuse cases that touch an RSE whose operator forbids it.

    Raises:
        NotPermittedError: with what the cases would do there.
    """
    touched = {rse for case in cases for rse in case.targets.values()}
    forbidden = sorted(rse.name for rse in lake.rses if rse.name in touched and _is_forbidden(rse))
    if not forbidden:
        return
    sums = footprints(cases, steps)
    told = "; ".join(_sum(name, cases, sums) for name in forbidden)
    raise NotPermittedError(
        f"scenario '{scenario.name}' would touch RSEs whose operators forbid it by the attribute"
        f" dltest=False: {told}; leave them out of its targets, as by `dltest=True`"
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
    }
    return [what for what, much in done.items() if much]


def blocked(planned: Plan, lake: Lake) -> list[str]:
    """What the plan would do where Rucio has blocked it: `write at XRD2`."""
    known = {rse.name: rse for rse in lake.rses}
    return [
        f"{what} at {name}"
        for name, footprint in planned.footprints.items()
        for what in _done_at(footprint)
        if not _lets(known[name], what)
    ]


def _lets(rse: RSE, what: str) -> bool:
    return {"read": rse.readable, "write": rse.writable, "delete": rse.deletable}[what]
