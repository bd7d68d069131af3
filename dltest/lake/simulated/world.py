"""What there is in a simulated lake, what is wrong with it, and what its daemons do in a turn."""

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from dltest.lake.payload import adler32_text
from dltest.lake.ports import BadReplica, BadState, FileFacts, ReplicaState
from dltest.model import RSE

Hook = Callable[[str, str], None]

# Called with what happened (`put`, `rule`, ...) and to which name or URL.
Journal = Callable[[str, str], None]

HOST = "https://fts.simulated:8446"
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
PROTOCOLS = ("davs", "root")
TURNS_OF_A_TRANSFER = 3
TURNS_OF_A_DELETION = 2
TURNS_OF_A_RECOVERY = 2
TURNS_OF_A_FAULT = 2


@dataclass(frozen=True, slots=True)
class Ailment:
    """Something wrong with the lake, at one RSE or in one of its services."""

    name: str
    rse: str | None = None


RUCIO_DOWN = Ailment("rucio-down")
SUBMITTER_DOWN = Ailment("submitter-down")
REAPER_DOWN = Ailment("reaper-down")
TRANSFERS_DOWN = Ailment("transfer-service-down")
NECROMANCER_DOWN = Ailment("necromancer-down")
TRANSFERS_UNCHECKED = Ailment("transfers-unchecked")
NO_DISKS = Ailment("no-disks")
SLOW = Ailment("slow")


def storage_down(rse: str) -> Ailment:
    """Every connection is refused."""
    return Ailment("storage-down", rse)


def storage_hung(rse: str) -> Ailment:
    """Nothing is ever answered, so the mover is killed at its limit."""
    return Ailment("storage-hung", rse)


def silent_truncation(rse: str) -> Ailment:
    """Half of what is written is kept, and nobody is told."""
    return Ailment("silent-truncation", rse)


def silent_corruption(rse: str) -> Ailment:
    """One bit of what is written is kept wrong, and nobody is told."""
    return Ailment("silent-corruption", rse)


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware UTC."""


class RealClock:
    """The machine's own."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class ManualClock:
    """Aware UTC that moves only when told to."""

    def __init__(self, now: datetime = BEGINNING) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def move(self, by: timedelta) -> None:
        self._now += by


@dataclass
class SimulatedRule:
    id: str
    dataset: str
    rse: str
    tag: str
    created_at: datetime
    source: str | None
    due: int
    error: str | None = None
    done_at: datetime | None = None
    ends_at: datetime | None = None
    locked: bool = False


@dataclass
class World:
    """What there is, apart from who may see it. `journal` is told of every change, once."""

    clock: Clock
    ailments: set[Ailment]
    journal: Journal = lambda _effect, _name: None
    files: dict[str, FileFacts] = field(default_factory=dict)
    datasets: dict[str, set[str]] = field(default_factory=dict)
    replicas: set[tuple[str, str]] = field(default_factory=set)
    rules: dict[str, SimulatedRule] = field(default_factory=dict)
    stored: dict[str, bytes] = field(default_factory=dict)
    moved: dict[tuple[str, str], SimulatedRule] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)
    doomed: set[tuple[str, str]] = field(default_factory=set)
    quarantined: set[tuple[str, str]] = field(default_factory=set)
    states: dict[tuple[str, str], ReplicaState] = field(default_factory=dict)
    bad: list[BadReplica] = field(default_factory=list)
    recoveries: dict[tuple[str, str], int] = field(default_factory=dict)
    remembered: dict[str, str] = field(default_factory=dict)
    forbidden: set[tuple[str, str]] = field(default_factory=set)
    turn: int = 0

    def rse(self, name: str) -> RSE:
        """As Rucio knows it."""
        site = f"SITE-{name}"
        attributes = {
            "dltest": "True",
            "type": "disk",
            "site": site,
            "dltest-faults": "True",
            "greedyDeletion": "True",
        }
        may = {what: (name, what) not in self.forbidden for what in ("read", "write", "delete")}
        return RSE(
            name=name,
            site=site,
            attributes=attributes,
            readable=may["read"],
            writable=may["write"],
            deletable=may["delete"],
        )

    def ails(self, name: str, rse: str | None = None) -> bool:
        return Ailment(name, rse) in self.ailments

    def store(self, url: str, content: bytes) -> None:
        """Keep the bytes as well as this storage can."""
        rse = rse_of(url)
        if self.ails("silent-truncation", rse):
            content = content[: len(content) // 2]
        if self.ails("silent-corruption", rse) and content:
            content = bytes([content[0] ^ 1]) + content[1:]
        self.stored[place_of(url)] = content
        self.remembered.pop(place_of(url), None)

    def damage(self, place: str, content: bytes | None, *, behind: bool) -> None:
        """Keep other bytes, or none; `behind` the server, which goes on to tell the old sum."""
        before = self.stored.pop(place, None)
        self.journal("damaged", place)
        if content is not None:
            self.stored[place] = content
        if behind and before is not None:
            self.remembered.setdefault(place, _sum(before))
        else:
            self.remembered.pop(place, None)

    def remove(self, url: str) -> None:
        self.remembered.pop(url, None)
        if self.stored.pop(url, None) is not None:
            self.journal("removed", url)

    def add_replica(self, name: str, rse: str) -> None:
        if (name, rse) not in self.replicas:
            self.replicas.add((name, rse))
            self.journal("replica", f"{name} at {rse}")

    def go_round(self) -> None:
        """All daemons do what is due."""
        self.turn += 1
        for rule in list(self.rules.values()):
            if rule.done_at is None and rule.due <= self.turn:
                self._carry_out(rule)
            if rule.ends_at is not None and rule.ends_at <= self.clock.now():
                self._drop(rule)
        for name, due in list(self.ended.items()):
            if due <= self.turn:
                self._end(name)
        self._reap()
        self._sweep_quarantine()
        if not self.ails("necromancer-down"):
            self._care_for_bad_replicas()

    def declare(self, name: str, rse: str, state: BadState) -> None:
        """Write the replica into the list of bad ones, as one that needs care if it is BAD."""
        now = self.clock.now()
        self.bad.append(
            BadReplica(name=name, rse=rse, state=state, declared_at=now, updated_at=now)
        )
        if state is BadState.BAD:
            self.states[name, rse] = ReplicaState.BAD
            self.recoveries[name, rse] = self.turn + TURNS_OF_A_RECOVERY
        self.journal("declared", f"{name} at {rse} {state}")

    def _care_for_bad_replicas(self) -> None:
        for (name, rse), due in list(self.recoveries.items()):
            if due > self.turn:
                continue
            sources = self._sources(name)
            if sources and self._broken(name, sources[0]) is None:
                self.store(url_of(rse, name), self.stored[url_of(sources[0], name)])
                self.states.pop((name, rse), None)
                self._settle(name, rse, BadState.RECOVERED)
            elif not sources:
                self._lose(name)
                self._settle(name, rse, BadState.LOST)

    def _settle(self, name: str, rse: str, end: BadState) -> None:
        self.recoveries.pop((name, rse), None)
        self.bad = [
            line.model_copy(update={"state": end, "updated_at": self.clock.now()})
            if (line.name, line.rse, line.state) == (name, rse, BadState.BAD)
            else line
            for line in self.bad
        ]

    def _lose(self, name: str) -> None:
        """No good replica is left: the file leaves its dataset, and its remains are deleted."""
        self.datasets = {key: files - {name} for key, files in self.datasets.items()}
        for file, rse in sorted(self.replicas):
            if file == name:
                self.forget(file, rse)
        self.files.pop(name, None)

    def forget(self, name: str, rse: str) -> None:
        self.remove(url_of(rse, name))
        self.replicas.discard((name, rse))
        self.states.pop((name, rse), None)
        self.recoveries.pop((name, rse), None)

    def _sources(self, name: str) -> list[str]:
        return sorted(rse for file, rse in self.replicas if file == name and self.good(file, rse))

    def _broken(self, name: str, rse: str) -> str | None:
        """FTS's words for a source that cannot be copied as it is."""
        place, meant = url_of(rse, name), self.files[name].adler32
        if place not in self.stored:
            return "SOURCE [2] Result (Neon): Could not stat: No such file or directory"
        if self.ails("transfers-unchecked"):
            return None
        told, there = self.remembered.get(place, _sum(self.stored[place])), _sum(self.stored[place])
        mismatch = "TRANSFER [5] {} CHECKSUM MISMATCH {} ADLER32 do not match ({} != {})"
        if told != meant:
            return mismatch.format("SOURCE", "Source and user-defined", told, meant)
        if there != meant:
            return mismatch.format("DESTINATION", "User-defined and destination", meant, there)
        return None

    def _carry_out(self, rule: SimulatedRule) -> None:
        missing = {name for name in self.members(rule.dataset) if not self.has(name, rule.rse)}
        rule.error = self._obstacle(rule, missing) if missing else None
        is_held = self.ails("submitter-down") or (rule.rse, "write") in self.forbidden
        if rule.error is not None or (missing and is_held):
            return
        for name in missing:
            self._transfer(name, rule)
        rule.done_at = self.clock.now()

    def _obstacle(self, rule: SimulatedRule, missing: set[str]) -> str | None:
        if rule.source and (rule.source, "read") in self.forbidden:
            return "NO_SOURCES:RequestState.NO_SOURCES"
        refused = "Result Could not connect to server after 1 attempts"
        if self.ails("transfer-service-down"):
            return "SUBMISSION_FAILED:no connection to the transfer service"
        if self.ails("storage-down", rule.rse):
            return f"TRANSFER_FAILED:DESTINATION [112] {refused}"
        if rule.source and self.ails("storage-down", rule.source):
            return f"TRANSFER_FAILED:SOURCE [112] {refused}"
        for name in sorted(missing):
            if why := self._no_source(name, rule):
                return why
        return None

    def _no_source(self, name: str, rule: SimulatedRule) -> str | None:
        """Why none of the sources that the rule may read will do."""
        sources = self._sources_for(name, rule)
        if not sources:
            return "NO_SOURCES:RequestState.NO_SOURCES"
        reasons = [self._broken(name, source) for source in sources]
        return None if None in reasons else f"TRANSFER_FAILED:{reasons[0]}"

    def _sources_for(self, name: str, rule: SimulatedRule) -> list[str]:
        return [rse for rse in self._sources(name) if rule.source in {None, rse}]

    def _transfer(self, name: str, rule: SimulatedRule) -> None:
        source = next(s for s in self._sources_for(name, rule) if not self._broken(name, s))
        self.store(url_of(rule.rse, name), self.stored[url_of(source, name)])
        self.journal("copied", url_of(rule.rse, name))
        self.add_replica(name, rule.rse)
        self.moved[name, rule.rse] = rule

    def members(self, name: str) -> set[str]:
        """The files of a dataset; of a file, itself."""
        return self.datasets.get(name, {name})

    def _end(self, name: str) -> None:
        """The undertaker takes a DID with its rules, unless one of them is locked."""
        rules = [rule for rule in self.rules.values() if rule.dataset == name]
        if any(self.is_locked(rule) for rule in rules):
            return
        members = self.members(name)
        for rule in rules:
            del self.rules[rule.id]
        self.datasets.pop(name, None)
        del self.ended[name]
        self._doom(replica for replica in self.replicas if replica[0] in members)

    def _drop(self, rule: SimulatedRule) -> None:
        """The judge-cleaner takes a rule, unless it is locked."""
        if self.is_locked(rule):
            return
        del self.rules[rule.id]
        self._doom((name, rule.rse) for name in self.members(rule.dataset))

    def is_locked(self, rule: SimulatedRule) -> bool:
        return rule.locked

    def _doom(self, replicas: Iterable[tuple[str, str]]) -> None:
        """Give tombstones to those that no rule keeps."""
        self.doomed |= {one for one in replicas if one in self.replicas and not self._is_kept(*one)}

    def _is_kept(self, name: str, rse: str) -> bool:
        rules = self.rules.values()
        return any(rule.rse == rse and name in self.members(rule.dataset) for rule in rules)

    def is_being_deleted(self, name: str, rse: str) -> bool:
        """The reaper has marked it, and its storage does not answer."""
        return (name, rse) in self.doomed and self.ails("storage-down", rse)

    def _reap(self) -> None:
        """The reaper removes what has a tombstone, where it can; a new rule lifts it."""
        if self.ails("reaper-down"):
            return
        for name, rse in sorted(self.doomed):
            if not self._is_kept(name, rse) and self.ails("storage-down", rse):
                continue
            self.doomed.discard((name, rse))
            if not self._is_kept(name, rse):
                self.forget(name, rse)
                self._forget_file(name)

    def _forget_file(self, name: str) -> None:
        """A file ends with its last replica."""
        if not any(name == file for file, _ in self.replicas):
            self.files.pop(name, None)
            self.datasets = {key: files - {name} for key, files in self.datasets.items()}

    def _sweep_quarantine(self) -> None:
        """The dark-reaper removes what was reported, unless Rucio knows it by now."""
        for name, rse in sorted(self.quarantined):
            if self.ails("storage-down", rse):
                continue
            self.quarantined.discard((name, rse))
            if not self.has(name, rse):
                self.remove(url_of(rse, name))

    def has(self, name: str, rse: str) -> bool:
        return (name, rse) in self.replicas

    def good(self, name: str, rse: str) -> bool:
        """Whether Rucio calls the replica AVAILABLE."""
        return self.has(name, rse) and (name, rse) not in self.states


def _sum(content: bytes) -> str:
    return adler32_text(zlib.adler32(content))


def url_of(rse: str, name: str, scheme: str = "sim") -> str:
    return f"{scheme}://{rse}/{name}"


def place_of(url: str) -> str:
    """The key in `World.stored`: the same file, whatever protocol it is reached by."""
    return "sim://" + url.partition("://")[2]


def rse_of(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]
