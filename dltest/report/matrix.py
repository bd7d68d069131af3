"""Runs laid out as the crew knows them: source by destination, and RSE by scenario."""

from collections.abc import Iterable
from dataclasses import dataclass

from dltest.model import Run, Verdict, worst_of


@dataclass(frozen=True, slots=True)
class Matrix:
    """`cells[row, column]` is the worst verdict of that cell; a cell without runs is missing."""

    title: str
    corner: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: dict[tuple[str, str], Verdict]


def matrices(runs: Iterable[Run]) -> list[Matrix]:
    """A matrix for each scenario over links, and one for all scenarios over single RSEs."""
    links: dict[str, dict[tuple[str, str], list[Verdict]]] = {}
    singles: dict[tuple[str, str], list[Verdict]] = {}
    for run in runs:
        verdict = run.judgement.verdict if run.judgement else Verdict.INCONCLUSIVE
        match tuple(run.case.targets.values()):
            case (rse,):
                singles.setdefault((rse, run.case.scenario), []).append(verdict)
            case (source, destination):
                cells = links.setdefault(run.case.scenario, {})
                cells.setdefault((source, destination), []).append(verdict)
            case _:
                continue
    laid_out = [_matrix(name, "from \\ to", cells) for name, cells in links.items()]
    if singles:
        laid_out.insert(0, _matrix("each RSE", "RSE", singles))
    return laid_out


def _matrix(title: str, corner: str, cells: dict[tuple[str, str], list[Verdict]]) -> Matrix:
    return Matrix(
        title=title,
        corner=corner,
        rows=tuple(sorted({row for row, _ in cells})),
        columns=tuple(sorted({column for _, column in cells})),
        cells={cell: worst_of(verdicts) for cell, verdicts in cells.items()},
    )
