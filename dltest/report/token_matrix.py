"""Token rules by RSE, from the records of finished runs; the evidence stands in these."""

from collections.abc import Iterable, Iterator
from typing import Any

from dltest.judge.token_rules import EVIDENCE, NOT_TRIED, broken
from dltest.lake.token_rules.catalogue import RULES
from dltest.model import Run, Verdict
from dltest.report.matrix import Matrix

Cell = tuple[tuple[str, str], Verdict]


def token_matrix(runs: Iterable[Run]) -> Matrix | None:
    """What is known of each, latest last; None when no run has tried a token rule.

    Rules come in their catalogue's order. What could not be tried is `skipped`.
    """
    in_order = sorted(runs, key=lambda run: run.planned_at)
    cells = dict(cell for run in in_order for cell in _cells(run))
    if not cells:
        return None
    tried = {rule for rule, _ in cells}
    known = [rule for rule in RULES if rule in tried]
    return Matrix(
        title="token rules",
        corner="rule",
        rows=(*known, *sorted(tried - set(known))),
        columns=tuple(sorted({place for _, place in cells})),
        cells=cells,
    )


def _cells(run: Run) -> Iterator[Cell]:
    for record in run.records:
        told = record.evidence.get(EVIDENCE)
        place = str(record.evidence.get("rse") or record.evidence.get("place"))
        for one in told if isinstance(told, list) else ():
            if isinstance(one, dict):
                yield (str(one["rule"]), place), _verdict(one)


def _verdict(told: dict[str, Any]) -> Verdict:
    if told["outcome"] == NOT_TRIED:
        return Verdict.SKIPPED
    return Verdict.FAILED if broken(told) else Verdict.PASSED
