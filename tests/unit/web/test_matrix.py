"""The page's matrices: no case hides another."""

from datetime import UTC, datetime

from dltest.model import Verdict
from dltest.store import CaseState
from dltest.store.place import Place
from dltest.web.matrix import matrices

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def state(case_id: str, **place: str) -> CaseState:
    return CaseState(
        lake="lab",
        case_id=case_id,
        scenario="it",
        place=Place(**place),
        verdict=Verdict.PASSED,
        blame="",
        run_id=case_id,
        last_finished_at=NOW,
        last_passed_at=NOW,
        status=Verdict.PASSED,
        status_since=NOW,
        recent=(),
    )


def test_variants_of_a_case_have_rows_of_their_own() -> None:
    states = [
        state("it[XRD1]", rse="XRD1"),
        state("it[XRD1, control]", rse="XRD1"),
        state("it[XRD1, 1 x 1 kB]", rse="XRD1"),
        state("it[XRD1->XRD2]", source="XRD1", destination="XRD2"),
        state("it[XRD1->XRD2, 1 x 1 kB]", source="XRD1", destination="XRD2"),
    ]
    shown = {
        matrix.title: [cell.case_id for cell in matrix.cells.values()]
        for matrix in matrices(states)["lab"]
    }
    assert shown == {
        "Each RSE": ["it[XRD1]"],
        "it": ["it[XRD1->XRD2]"],
        "Other cases": ["it[XRD1, control]", "it[XRD1, 1 x 1 kB]", "it[XRD1->XRD2, 1 x 1 kB]"],
    }
