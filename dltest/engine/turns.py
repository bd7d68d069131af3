"""In which turn the runs of one process begin, so that none suffers from another's fault."""

from collections.abc import Iterable

from dltest.model import LAKE, Run
from dltest.planning import Company


class Turns:
    """Runs that disturb nobody begin first, the others when nobody is there to be disturbed.

    Of all, at most `per_rse` are open at once on one RSE.
    """

    def __init__(self, runs: Iterable[Run], per_rse: int | None = None) -> None:
        self._runs = {run.id: run for run in runs}
        self._waiting = sorted(self._runs, key=lambda run_id: _rank(self._runs[run_id]))
        self._company = Company()
        self._per_rse = per_rse

    def beginning(self) -> list[str]:
        """The runs that may begin now; they count as open from here on."""
        begin: list[str] = []
        waiting: list[str] = []
        for run_id in self._waiting:
            (begin if self._seated(run_id) else waiting).append(run_id)
        self._waiting = waiting
        return begin

    def ended(self, run_id: str) -> list[str]:
        """The runs that may begin now that this one has ended."""
        case = self._runs[run_id].case
        self._company.leave(case.targets.values(), case.disturbs)
        return self.beginning() if self._waiting else []

    def _seated(self, run_id: str) -> bool:
        case = self._runs[run_id].case
        targets = case.targets.values()
        if self._is_full(targets) or not self._company.bears(targets, case.disturbs):
            return False
        self._company.enter(targets, case.disturbs)
        return True

    def _is_full(self, targets: Iterable[str]) -> bool:
        if self._per_rse is None:
            return False
        return any(self._company.at(rse) >= self._per_rse for rse in targets)


def _rank(run: Run) -> int:
    """Those that need the lake for themselves come last, lest all others wait for them."""
    disturbs = run.case.disturbs
    return 2 if LAKE in disturbs else 1 if disturbs else 0
