"""What came of the runs: none lost, none counted twice, nothing done twice, nothing left."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dltest.model import LedgerState, Run
from dltest.store import Store

# Names of a run's things start so, wherever they stand.
OWNER = re.compile(r"dltest\.([0-9a-f]{12})")

# Changes of the lake that a run may cause once by name. A file may be written again after its
# mover was killed, as long as the catalogue does not know it yet.
ONCE = {"dataset", "rule", "replica", "expired"}
# An upload and a replication make a rule each.
RULES_OF_A_RUN = 2
MADE = {"put", "torso", "dataset", "rule", "replica"}


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a simulated lake's journal."""

    at: datetime
    effect: str
    name: str

    @classmethod
    def read(cls, line: dict[str, Any]) -> "Change":
        return cls(datetime.fromisoformat(line["at"]), line["effect"], line["name"])

    @property
    def run_id(self) -> str:
        found = OWNER.search(self.name)
        return found[1] if found else ""


def lost(store: Store, runs: Sequence[Run], planned: int) -> int:
    """Runs without exactly one verdict: missing, open, unjudged, or not counted just once."""
    whole = sum(run.is_ended and run.judgement is not None for run in runs)
    counted = sum(total.runs for total in store.snapshot().runs)
    return max(planned - whole, abs(planned - counted))


def unsettled(store: Store, runs: Iterable[Run]) -> list[str]:
    """What the ledgers do not know to be gone."""
    return [
        f"{run.id}: {entry.kind} {entry.name} {entry.rse or ''}".strip()
        for run in runs
        for entry in store.ledger(run.id).entries()
        if entry.state is not LedgerState.GONE
    ]


def doubled(changes: Sequence[Change], runs: Iterable[Run]) -> list[str]:
    """Every outside effect that happened more often than its run called for, or too late."""
    counted = Counter((change.effect, change.name) for change in changes)
    twice = [
        f"{count} x {effect} {name}"
        for (effect, name), count in counted.items()
        if effect in ONCE and count > 1
    ]
    at_once = [f"{c.effect} {c.name}" for c in changes if c.effect == "put-twice-at-once"]
    rules = Counter(change.run_id for change in changes if change.effect == "rule")
    too_many = [f"{n} rules of run {run}" for run, n in rules.items() if n > RULES_OF_A_RUN]
    return [*twice, *at_once, *too_many, *_rewritten(changes), *_too_late(changes, runs)]


def written_again(changes: Sequence[Change]) -> int:
    """Files written a second time before the catalogue knew them: a killed mover's work."""
    counted = Counter(change.name for change in changes if change.effect == "put")
    return sum(count - 1 for count in counted.values())


def litter(changes: Sequence[Change]) -> list[str]:
    """URLs at which bytes lie."""
    lying: dict[str, None] = {}
    for change in changes:
        if change.effect in {"put", "torso", "copied"}:
            lying[change.name] = None
        elif change.effect == "removed":
            lying.pop(change.name, None)
    return list(lying)


def _rewritten(changes: Sequence[Change]) -> list[str]:
    known: set[str] = set()
    found = []
    for change in changes:
        if change.effect == "replica":
            known.add(change.name)
        if change.effect in {"put", "torso"} and _replica(change.name) in known:
            found.append(f"{change.effect} of {change.name}, which the catalogue knows")
    return found


def _replica(url: str) -> str:
    """`sim://RSE/name` as the journal names replicas."""
    rse, _, name = url.removeprefix("sim://").partition("/")
    return f"{name} at {rse}"


def _too_late(changes: Sequence[Change], runs: Iterable[Run]) -> list[str]:
    ends = {run.id: run.finished_at for run in runs}
    return [
        f"{change.effect} {change.name} after its run had ended"
        for change in changes
        if change.effect in MADE
        and (end := ends.get(change.run_id)) is not None
        and change.at > end
    ]
