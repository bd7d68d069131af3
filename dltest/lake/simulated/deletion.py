"""Ways to let data go and to keep it, in a Rucio in memory."""

from collections.abc import Sequence
from datetime import timedelta

from dltest.lake.simulated.calls import SimulatedCalls, refused

SOFT = timedelta(hours=1)


class SimulatedDeletion(SimulatedCalls):
    """As far as the port goes. All RSEs are greedy: what no rule keeps is deleted at once."""

    def set_rule_lifetime(self, rule_id: str, lifetime: timedelta, *, purge: bool) -> None:  # noqa: ARG002
        with self._asked("set_rule_lifetime"):
            if rule := self._world.rules.get(rule_id):
                rule.ends_at = self._world.clock.now() + lifetime

    def delete_rule(self, rule_id: str) -> None:
        with self._asked("delete_rule"):
            rule = self._world.rules.get(rule_id)
            if rule is None:
                return
            if rule.locked:
                raise refused("rule-locked", "the rule is locked and has to be unlocked")
            soft = self._world.clock.now() + SOFT
            rule.ends_at = min(rule.ends_at or soft, soft)

    def lock_rule(self, rule_id: str, *, locked: bool) -> None:
        with self._asked("lock_rule"):
            if rule := self._world.rules.get(rule_id):
                rule.locked = locked

    def add_dataset(self, dataset: str, files: Sequence[str], lifetime: timedelta) -> None:  # noqa: ARG002
        with self._asked("add_dataset"):
            if dataset not in self._world.datasets:
                self._world.journal("dataset", dataset)
            self._world.datasets.setdefault(dataset, set()).update(files)

    def quarantine(self, rse: str, names: Sequence[str]) -> None:
        with self._asked("quarantine", rse):
            dark = {(name, rse) for name in names if not self._world.has(name, rse)}
            self._world.quarantined |= dark
