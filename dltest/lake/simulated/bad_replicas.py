"""Bad replicas in memory; `World.go_round` plays the necromancer."""

from collections.abc import Sequence
from datetime import datetime

from dltest.lake.ports import BadReplica, BadState
from dltest.lake.simulated.calls import SimulatedCalls, refused


class SimulatedBadReplicas(SimulatedCalls):
    """Rucio's list of bad replicas, as far as the port goes."""

    def declare_bad(self, rse: str, names: Sequence[str], reason: str) -> None:  # noqa: ARG002
        with self._asked("declare_bad", rse):
            self._check_known(rse, names)
            for name in names:
                if not self._is_declared(name, rse):
                    self._world.declare(name, rse, BadState.BAD)

    def declare_suspicious(self, rse: str, names: Sequence[str], reason: str) -> None:  # noqa: ARG002
        with self._asked("declare_suspicious", rse):
            self._check_known(rse, names)
            for name in names:
                self._world.declare(name, rse, BadState.SUSPICIOUS)

    def bad_replicas(self, names: Sequence[str], rse: str, since: datetime) -> list[BadReplica]:
        with self._asked("bad_replicas", rse):
            wanted = set(names)
            since = since.replace(microsecond=0)
            return [
                line
                for line in self._world.bad
                if line.name in wanted and line.rse == rse and line.declared_at >= since
            ]

    def dataset_files(self, dataset: str) -> list[str]:
        with self._asked("dataset_files"):
            return sorted(self._world.datasets.get(dataset, ()))

    def _check_known(self, rse: str, names: Sequence[str]) -> None:
        unknown = [name for name in names if not self._world.has(name, rse)]
        if unknown:
            raise refused("rucio-refused", f"{unknown[0]} Unknown replica")

    def _is_declared(self, name: str, rse: str) -> bool:
        known = {(line.name, line.rse) for line in self._world.bad if line.state is BadState.BAD}
        return (name, rse) in known
