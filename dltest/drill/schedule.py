"""Which faults are there at the same time: as many as cannot be taken for each other."""

from collections.abc import Sequence
from dataclasses import dataclass

from dltest.drill.trial import Cases, Trial, trials_of
from dltest.lab.faults import Fault
from dltest.lab.faults.fault import Drill

# Each trial runs a few cases at once, and so do the bystanders: this keeps two cores busy.
TRIALS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Wave:
    """Faults that are made, noticed and healed together."""

    trials: tuple[Trial, ...]


def waves(faults: Sequence[Fault], cases: Cases, at_once: int = TRIALS_AT_ONCE) -> list[Wave]:
    """Every drill of every fault once; those that leave others least room come first.

    Raises:
        LookupError: a fault has no cases that could notice it on this lake.
    """
    waiting = [(fault, drill) for fault in faults for drill in fault.drills]
    waiting.sort(key=lambda one: -_breadth(*one))
    result = []
    while waiting:
        chosen: list[Trial] = []
        for fault, drill in tuple(waiting):
            trial = _fitting(fault, drill, cases, chosen)
            if trial is not None:
                chosen.append(trial)
                waiting.remove((fault, drill))
            if len(chosen) == at_once:
                break
        if not chosen:
            raise LookupError(f"no case on this lake could notice {waiting[0][0].name}")
        result.append(Wave(tuple(chosen)))
    return result


def _breadth(fault: Fault, drill: Drill) -> int:
    """How much room it leaves: services first, then links, then single storages."""
    services = [part for part in drill.shadow if "{" not in part]
    width = max((len(notice.at) for notice in drill.notices), default=0)
    return 10 * len(services) + width + (fault.kind != "RSE")


def _fitting(fault: Fault, drill: Drill, cases: Cases, chosen: list[Trial]) -> Trial | None:
    """A place for it that leaves an RSE for bystanders, if there is one beside the others."""
    rses = {rse for _, at in cases for rse in at}
    for trial in trials_of(fault, drill, cases):
        dark = frozenset().union(trial.shadow, *(one.shadow for one in chosen))
        if not rses - dark:
            continue
        if all(trial.bears(other) for other in chosen):
            return trial
    return None
