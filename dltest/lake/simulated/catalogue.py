"""Rucio in memory."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import count

from dltest.lake.ports import (
    FileFacts,
    Replica,
    ReplicaState,
    Rule,
    RuleState,
    TransferRequest,
)
from dltest.lake.simulated.bad_replicas import SimulatedBadReplicas
from dltest.lake.simulated.calls import refused
from dltest.lake.simulated.deletion import SimulatedDeletion
from dltest.lake.simulated.diagnosis import SimulatedDiagnosis
from dltest.lake.simulated.world import (
    HOST,
    PROTOCOLS,
    TURNS_OF_A_DELETION,
    TURNS_OF_A_TRANSFER,
    Hook,
    SimulatedRule,
    World,
    url_of,
)
from dltest.model import Lake, Watch, WatchKind


class SimulatedCatalogue(SimulatedBadReplicas, SimulatedDeletion, SimulatedDiagnosis):
    """Rucio, as far as the port goes."""

    def __init__(
        self,
        lake: str,
        rses: tuple[str, ...],
        world: World,
        on_call: Hook,
        *,
        daemons_follow_calls: bool = True,
    ) -> None:
        super().__init__(rses, world, on_call, daemons_follow_calls=daemons_follow_calls)
        self._lake = lake
        self._ids = count(1)

    def ping(self) -> str:
        with self._asked("ping"):
            return "simulated"

    def inventory(self) -> Lake:
        with self._asked("inventory"):
            rses = tuple(self._world.rse(name) for name in self._rses)
            return Lake(name=self._lake, rses=rses, seen_at=self._world.clock.now())

    def urls(self, rse: str, names: Sequence[str], protocol: str | None = None) -> list[str]:
        with self._asked("urls", rse):
            if protocol not in {None, *PROTOCOLS}:
                offers = f"{rse} offers {', '.join(PROTOCOLS)}"
                raise refused("no-common-protocol", f"{offers}; the step wants {protocol}")
            return [url_of(rse, name, protocol or "sim") for name in names]

    def wants_token(self, rse: str) -> bool:  # noqa: ARG002 - none here does
        return False

    def token_base(self, rse: str) -> str:  # noqa: ARG002 - the same for all
        return "/"

    def register(
        self,
        dataset: str,
        rse: str,
        files: Sequence[FileFacts],
        lifetime: timedelta,  # noqa: ARG002 - the clock of a test seldom moves that far
    ) -> None:
        with self._asked("register", rse):
            for file in files:
                self._world.files[file.name] = file
                self._world.add_replica(file.name, rse)
            if dataset not in self._world.datasets:
                self._world.journal("dataset", dataset)
            self._world.datasets.setdefault(dataset, set()).update(file.name for file in files)

    def add_rule(
        self,
        dataset: str,
        rse: str,
        *,
        tag: str,
        lifetime: timedelta,  # noqa: ARG002 - see `register`
        source: str | None = None,
    ) -> str:
        with self._asked("add_rule", rse):
            for rule in self._world.rules.values():
                if rule.tag == tag:
                    return rule.id
            return self._new_rule(dataset, rse, tag, source)

    def rule(self, rule_id: str) -> Rule:
        with self._asked("rule"):
            known = self._world.rules.get(rule_id)
            return self._told(known) if known else Rule(id=rule_id, state=RuleState.GONE)

    def rules(self, tag_prefix: str) -> list[Rule]:
        with self._asked("rules"):
            rules = self._world.rules.values()
            return [self._told(rule) for rule in rules if rule.tag.startswith(tag_prefix)]

    def replicas(self, names: Sequence[str], rse: str) -> list[Replica]:
        with self._asked("replicas", rse):
            return [self._replica(name, rse) for name in names]

    def look_over(self, watches: Sequence[Watch]) -> list[str]:
        with self._asked("look_over"):
            return [self._now(watch).seen for watch in watches]

    def _now(self, watch: Watch) -> Watch:
        if watch.kind is WatchKind.REPLICA:
            return self._replica(watch.key, watch.rse).watch()
        known = self._world.rules.get(watch.key)
        return (self._told(known) if known else Rule(id=watch.key, state=RuleState.GONE)).watch()

    def dids(self, prefix: str) -> list[str]:
        with self._asked("dids"):
            known = [*self._world.files, *self._world.datasets]
            return sorted(name for name in known if name.startswith(prefix))

    def requests(self, names: Sequence[str], rse: str) -> list[TransferRequest]:
        with self._asked("requests", rse):
            asked = (self._request(name, rse) for name in names)
            return [request for request in asked if request is not None]

    def end_rule(self, rule_id: str) -> None:
        with self._asked("end_rule"):
            if rule := self._world.rules.get(rule_id):
                rule.locked, rule.ends_at = False, self._world.clock.now()

    def expire(self, dataset: str) -> None:
        with self._asked("expire"):
            self._expire(dataset)

    def expire_files(self, names: Sequence[str]) -> None:
        with self._asked("expire_files"):
            for name in names:
                self._expire(name)

    def _expire(self, name: str) -> None:
        known = name in self._world.datasets or name in self._world.files
        if known and name not in self._world.ended:
            self._world.ended[name] = self._world.turn + TURNS_OF_A_DELETION
            self._world.journal("expired", name)

    def _new_rule(self, dataset: str, rse: str, tag: str, source: str | None) -> str:
        if dataset not in {*self._world.datasets, *self._world.files}:
            raise refused("rucio-refused", f"DataIdentifierNotFound: {dataset}")
        turns = 100 * TURNS_OF_A_TRANSFER if self._world.ails("slow") else TURNS_OF_A_TRANSFER
        world, rule_id = self._world, f"rule-{next(self._ids)}"
        now, due = world.clock.now(), world.turn + turns
        rule = world.rules[rule_id] = SimulatedRule(rule_id, dataset, rse, tag, now, source, due)
        world.journal("rule", tag)
        if all(world.has(name, rse) for name in world.members(dataset)):
            rule.done_at = now
        return rule_id

    def _told(self, rule: SimulatedRule) -> Rule:
        names = self._world.members(rule.dataset)
        good = sum(self._world.good(name, rule.rse) for name in names)
        bad = len(names) - good
        state = RuleState.STUCK if rule.error else RuleState.REPLICATING if bad else RuleState.OK
        return Rule(
            id=rule.id,
            state=state,
            did=rule.dataset,
            rse=rule.rse,
            locks_ok=good,
            locks_replicating=0 if rule.error else bad,
            locks_stuck=bad if rule.error else 0,
            error=rule.error,
            created_at=rule.created_at,
            updated_at=rule.done_at or rule.created_at,
            expires_at=rule.ends_at,
        )

    def _replica(self, name: str, rse: str) -> Replica:
        if not self._world.has(name, rse):
            return Replica(name=name, rse=rse, state=ReplicaState.MISSING)
        facts = self._world.files[name]
        is_going = self._world.is_being_deleted(name, rse)
        state = self._world.states.get((name, rse), ReplicaState.AVAILABLE)
        return Replica(
            name=name,
            rse=rse,
            state=ReplicaState.BEING_DELETED if is_going else state,
            size_bytes=facts.size_bytes,
            adler32=facts.adler32,
        )

    def _request(self, name: str, rse: str) -> TransferRequest | None:
        done = self._world.moved.get((name, rse))
        wanted = (
            rule
            for rule in self._world.rules.values()
            if rule.rse == rse
            and rule.done_at is None
            and name in self._world.members(rule.dataset)
        )
        if done is not None:
            return _request_of(name, done, "DONE")
        rule = next(wanted, None)
        return _request_of(name, rule, "QUEUED") if rule else None


def _request_of(name: str, rule: SimulatedRule, state: str) -> TransferRequest:
    is_done = state == "DONE"
    return TransferRequest(
        name=name,
        state=state,
        source=rule.source if is_done else None,
        destination=rule.rse,
        transfer_host=HOST if is_done else None,
        transfer_id=f"job-{rule.id}" if is_done else None,
        created_at=rule.created_at,
        submitted_at=rule.done_at,
        started_at=rule.done_at,
        transferred_at=rule.done_at,
        registered_at=rule.done_at,
    )
