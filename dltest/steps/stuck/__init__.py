"""Why a rule is not OK, in one look: what is wrong, who should act, and the facts it is told by.

`collect` asks the lake, `explain` (pure) says what it means, `evidence` keeps it in the record.
"""

from dataclasses import dataclass

from pydantic import JsonValue

from dltest.lake.ports import Rule
from dltest.model import Trouble
from dltest.steps.step import Context
from dltest.steps.stuck.collect import collect
from dltest.steps.stuck.evidence import evidence_of
from dltest.steps.stuck.explain import Explanation, explain
from dltest.steps.stuck.facts import Candidate, Facts, Job
from dltest.steps.stuck.reasons import REASON_CODES, Route, from_error

__all__ = [
    "REASON_CODES",
    "Candidate",
    "Explanation",
    "Facts",
    "Job",
    "Look",
    "Route",
    "collect",
    "evidence_of",
    "explain",
    "from_error",
    "look_into",
    "why",
]


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found out: for the record's troubles, and for its evidence."""

    trouble: Trouble
    evidence: dict[str, JsonValue]


def look_into(ctx: Context, rule: Rule, route: Route) -> Look:
    """Ask the lake why this rule does not come to its end.

    Raises:
        LakeError: Rucio does not even say what became of the transfers.
    """
    facts = collect(ctx, rule, route)
    explanation = explain(facts)
    return Look(explanation.trouble, evidence_of(facts, explanation))


def why(ctx: Context, rule: Rule, route: Route) -> tuple[Trouble, ...]:
    """What stands in the way of this rule; never empty."""
    return (look_into(ctx, rule, route).trouble,)
