"""The latest states laid out for the page: a matrix a scenario over links, one for single RSEs."""

from collections.abc import Iterable
from dataclasses import dataclass

from dltest.store import CaseState


@dataclass(frozen=True, slots=True)
class Matrix:
    """A cell holds the latest state of its case; a cell without one is missing."""

    title: str
    corner: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: dict[tuple[str, str], CaseState]


def matrices(states: Iterable[CaseState]) -> dict[str, list[Matrix]]:
    """By lake. Variants, and cases over three RSEs and more, stand in rows of their own names."""
    grids: dict[str, dict[tuple[str, str], dict[tuple[str, str], CaseState]]] = {}
    for state in states:
        grid, cell = _position(state)
        grids.setdefault(state.lake, {}).setdefault(grid, {})[cell] = state
    return {
        lake: [_matrix(grid, cells) for grid, cells in sorted(found.items())]
        for lake, found in sorted(grids.items())
    }


def _position(state: CaseState) -> tuple[tuple[str, str], tuple[str, str]]:
    """(title, corner) of its matrix, and its row and column.

    Variants have rows of their own, since one cell holds one case.
    """
    place = state.place
    if place.rse and state.case_id == f"{state.scenario}[{place.rse}]":
        return ("Each RSE", "RSE"), (place.rse, state.scenario)
    if state.case_id == f"{state.scenario}[{place.source}->{place.destination}]":
        return (state.scenario, "from \\ to"), (place.source, place.destination)
    return ("Other cases", "case"), (state.case_id, "verdict")


def _matrix(grid: tuple[str, str], cells: dict[tuple[str, str], CaseState]) -> Matrix:
    title, corner = grid
    return Matrix(
        title=title,
        corner=corner,
        rows=tuple(sorted({row for row, _ in cells})),
        columns=tuple(sorted({column for _, column in cells})),
        cells=cells,
    )
