"""Token rules by RSE, from the records of finished runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dltest.judge.token_rules import EVIDENCE, NOT_TRIED, broken
from dltest.lake.token_rules.catalogue import RULES
from dltest.model import Run


@dataclass(frozen=True, slots=True)
class Cell:
    """What one storage did with one rule. `is_kept` is None where it was not tried."""

    rule: str
    rse: str
    must: str
    outcome: str
    is_kept: bool | None
    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TokenMatrix:
    """`cells[rule, rse]`; rules in the catalogue's order."""

    rules: tuple[str, ...]
    rses: tuple[str, ...]
    cells: dict[tuple[str, str], Cell]


def token_matrix(runs: Iterable[Run]) -> TokenMatrix | None:
    """Of the latest that is known of each; None when no run has tried a token rule."""
    ended = sorted(runs, key=lambda run: run.planned_at)
    cells = {(one.rule, one.rse): one for run in ended for one in _cells(run)}
    if not cells:
        return None
    tried = {rule for rule, _ in cells}
    in_order = [rule for rule in RULES if rule in tried]
    rules = (*in_order, *sorted(tried - set(in_order)))
    return TokenMatrix(rules, tuple(sorted({rse for _, rse in cells})), cells)


def _cells(run: Run) -> Iterable[Cell]:
    for record in run.records:
        told = record.evidence.get(EVIDENCE)
        for one in told if isinstance(told, list) else ():
            if isinstance(one, dict):
                yield _cell(one, str(record.evidence.get("rse") or record.evidence["place"]))


def _cell(told: dict[str, Any], rse: str) -> Cell:
    outcome = str(told["outcome"])
    is_kept = None if outcome == NOT_TRIED else broken(told) is None
    return Cell(str(told["rule"]), rse, str(told["must"]), outcome, is_kept, told)
