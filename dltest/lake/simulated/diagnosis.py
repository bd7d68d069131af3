"""The questions about one transfer, answered by Rucio in memory."""

from collections.abc import Iterator, Sequence

from dltest.lake.ports import (
    Heartbeat,
    Operation,
    Replica,
    ReplicaState,
    TransferRequest,
    Usage,
)
from dltest.lake.simulated.calls import SimulatedCalls
from dltest.lake.simulated.world import HOST
from dltest.model import RSE

# Which ailment keeps which daemon from beating.
DAEMONS = {
    "conveyor-submitter": "submitter-down",
    "reaper": "reaper-down",
    "conveyor-poller": "",
    "conveyor-finisher": "",
    "judge-evaluator": "",
}
PLENTY = 10**12
TRIES = 4


class SimulatedDiagnosis(SimulatedCalls):
    """As far as the port goes; distances are those of a full mesh."""

    def rse(self, name: str) -> RSE:
        with self._asked("rse", name):
            return self._world.rse(name)

    def allow(self, rse: str, operation: Operation, *, allowed: bool) -> None:
        with self._asked("allow", rse):
            change = self._world.forbidden.discard if allowed else self._world.forbidden.add
            change((rse, operation))
            self._world.journal("allowed" if allowed else "forbidden", f"{operation} at {rse}")

    def usage(self, rse: str) -> Usage:
        with self._asked("usage", rse):
            used = sum(
                self._world.files[name].size_bytes for name, at in self._world.replicas if at == rse
            )
            return Usage(used=used, left=PLENTY, seen_at=self._world.clock.now())

    def distance(self, source: str, destination: str) -> int | None:
        with self._asked("distance", source):
            return None if source == destination else 1

    def places(self, name: str) -> list[Replica]:
        with self._asked("places"):
            return [self._available(name, rse) for rse in self._places(name)]

    def ended_attempts(self, names: Sequence[str], rse: str) -> list[TransferRequest]:
        with self._asked("ended_attempts", rse):
            found = (self._failed(name, rse) for name in names)
            return [request for request in found if request]

    def tries(self, rule_id: str) -> int:
        with self._asked("tries"):
            rule = self._world.rules.get(rule_id)
            return TRIES if rule and rule.error else 0

    def boost(self, rule_id: str) -> None:
        """Its daemons look at every rule in every turn anyway."""
        with self._asked("boost"):
            self._world.rules.get(rule_id)

    def heartbeats(self) -> list[Heartbeat]:
        with self._asked("heartbeats"):
            now = self._world.clock.now()
            alive = (name for name, ailment in DAEMONS.items() if not self._world.ails(ailment))
            return [Heartbeat(daemon=name, seen_at=now) for name in alive]

    def _places(self, name: str) -> Iterator[str]:
        return (rse for file, rse in sorted(self._world.replicas) if file == name)

    def _available(self, name: str, rse: str) -> Replica:
        facts = self._world.files[name]
        return Replica(
            name=name,
            rse=rse,
            state=self._world.states.get((name, rse), ReplicaState.AVAILABLE),
            size_bytes=facts.size_bytes,
            adler32=facts.adler32,
        )

    def _failed(self, name: str, rse: str) -> TransferRequest | None:
        for rule in self._world.rules.values():
            is_it = rule.rse == rse and name in self._world.datasets.get(rule.dataset, ())
            if is_it and rule.error:
                return TransferRequest(
                    name=name,
                    state="FAILED",
                    source=rule.source,
                    destination=rse,
                    attempt=TRIES,
                    error=rule.error.partition(":")[2],
                    transfer_host=HOST,
                )
        return None
