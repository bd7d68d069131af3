"""What Rucio says, as values."""

from datetime import datetime
from enum import StrEnum

from dltest.model import Value, Watch, WatchKind


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
    """A replication rule now. Locks count files: ok, replicating, stuck.

    `did` is the dataset or file that it is for, `rse` its RSE expression; of a rule that is GONE
    neither is known.
    """

    id: str
    state: RuleState
    did: str | None = None
    rse: str | None = None
    locks_ok: int = 0
    locks_replicating: int = 0
    locks_stuck: int = 0
    error: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    expires_at: datetime | None = None

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
