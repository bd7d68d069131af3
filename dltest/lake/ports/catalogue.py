"""The door to Rucio."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from dltest.lake.ports.bad_replicas import BadReplicas
from dltest.model import Lake, Value, Watch, WatchKind


class FileFacts(Value):
    """A file of the run as the catalogue should know it. `adler32` is eight hex digits."""

    name: str
    size_bytes: int
    adler32: str


class ReplicaState(StrEnum):
    """Rucio's words (rucio.db.sqla.constants.ReplicaState), and `MISSING`: no such replica."""

    AVAILABLE = "AVAILABLE"
    UNAVAILABLE = "UNAVAILABLE"
    COPYING = "COPYING"
    BEING_DELETED = "BEING_DELETED"
    BAD = "BAD"
    TEMPORARY_UNAVAILABLE = "TEMPORARY_UNAVAILABLE"
    MISSING = "MISSING"


class Replica(Value):
    """One file at one RSE, as the catalogue says."""

    name: str
    rse: str
    state: ReplicaState
    size_bytes: int | None = None
    adler32: str | None = None

    def watch(self) -> Watch:
        """To be told when its state is another."""
        return Watch(kind=WatchKind.REPLICA, key=self.name, rse=self.rse, seen=self.state.value)


class RuleState(StrEnum):
    """Rucio's words (rucio.db.sqla.constants.RuleState), and `GONE`: there is no such rule."""

    REPLICATING = "REPLICATING"
    OK = "OK"
    STUCK = "STUCK"
    SUSPENDED = "SUSPENDED"
    WAITING_APPROVAL = "WAITING_APPROVAL"
    INJECT = "INJECT"
    GONE = "GONE"


def rule_seen(state: str, error: str | None) -> str:
    """What a watch on a rule has seen; of ten thousand rules no more than this is looked at."""
    return f"{state} {error or ''}"


class Rule(Value):
    """A replication rule now. Locks count files: ok, replicating, stuck."""

    id: str
    state: RuleState
    locks_ok: int = 0
    locks_replicating: int = 0
    locks_stuck: int = 0
    error: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None

    def watch(self) -> Watch:
        """To be told when it is in another state, or stuck otherwise; not of each file's lock."""
        seen = rule_seen(self.state.value, self.error)
        return Watch(kind=WatchKind.RULE, key=self.id, seen=seen)


class TransferRequest(Value):
    """Rucio's request to move one file, live or archived; times have a resolution of 1 s.

    `state` is Rucio's word (QUEUED, SUBMITTED, DONE, FAILED, SUBMISSION_FAILED, NO_SOURCES, ...).
    """

    name: str
    state: str
    source: str | None = None
    destination: str
    attempt: int = 1
    error: str | None = None
    transfer_host: str | None = None
    transfer_id: str | None = None
    created_at: datetime | None = None
    submitted_at: datetime | None = None
    started_at: datetime | None = None
    transferred_at: datetime | None = None
    registered_at: datetime | None = None


class Catalogue(BadReplicas, Protocol):
    """Rucio. Names are those of DIDs in the lake's own scope."""

    def inventory(self) -> Lake:
        """All RSEs with their attributes, now."""

    def urls(self, rse: str, names: Sequence[str], protocol: str | None = None) -> list[str]:
        """Where these files lie, or will lie, on the RSE: one URL a name, in order.

        `protocol` is the URLs' scheme, else the lake's usual one; an RSE that does not offer it
        refuses with `no-common-protocol`.
        """

    def register(
        self, dataset: str, rse: str, files: Sequence[FileFacts], lifetime: timedelta
    ) -> None:
        """Tell the catalogue of files that already lie at the RSE, in one dataset, in bulk."""

    def add_rule(
        self, dataset: str, rse: str, *, tag: str, lifetime: timedelta, source: str | None = None
    ) -> str:
        """Ask for the dataset at the RSE; the rule carries `tag` as its comment."""

    def rule(self, rule_id: str) -> Rule:
        """The rule now; may be served from a listing of half a second ago."""

    def rules(self, tag_prefix: str) -> list[Rule]:
        """The rules whose comment starts with the tag; empty when none is left."""

    def replicas(self, names: Sequence[str], rse: str) -> list[Replica]:
        """What the catalogue says of these files at the RSE, one each, in order."""

    def dids(self, prefix: str) -> list[str]:
        """Names of all DIDs of the scope that start with the prefix.

        Without files that Rucio has declared lost: it remembers those for ever.
        """

    def look_over(self, watches: Sequence[Watch]) -> list[str]:
        """How these rules and replicas stand now, as `Watch.seen` has it, in order.

        A few calls for any number.
        """

    def requests(self, names: Sequence[str], rse: str) -> list[TransferRequest]:
        """Latest known transfer request towards the RSE for each of these files that has one."""

    def end_rule(self, rule_id: str) -> None:
        """Let the rule end now, and its replicas be deleted at once."""

    def expire(self, dataset: str) -> None:
        """End the dataset with everything of it: rules, files, replicas, bytes."""

    def expire_files(self, names: Sequence[str]) -> None:
        """End files that never came into a dataset; unknown names are passed over.

        To be asked once and then waited for: each asking may put the end off.
        """

    def ping(self) -> str:
        """Rucio's version."""
