"""What dltest asks of a lake, as Protocols: steps know these and nothing of Rucio or gfal2.

Every method raises `LakeError` alone. All times are aware UTC. Every method that makes something
outside may be repeated with the same arguments and makes it once.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from dltest.model import Lake, LedgerEntry, LedgerState, Progress, Value, Watch, WatchKind


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


class TransferFile(Value):
    """One file of an FTS job: FTS's state, its reason (`SOURCE [112] ...`) and its times."""

    job_id: str
    source_url: str
    destination_url: str
    state: str
    reason: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


class Catalogue(Protocol):
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
        """Names of all DIDs of the scope that start with the prefix."""

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


class JobKind(StrEnum):
    """What a mover can do with files on a storage.

    PUT: make each payload and write it. GET: copy to the spool as `rucio download` does, with the
    checksum checked. READ: read every byte back and compare it with the payload. STAT: is it
    there. UNLINK: remove; what is not there is fine.
    """

    PUT = "put"
    GET = "get"
    READ = "read"
    STAT = "stat"
    UNLINK = "unlink"


class FileRef(Value):
    """One file of a job: where it lies, and the number of its payload under the job's seed."""

    url: str
    index: int
    size_bytes: int
    adler32: str | None = None


class StorageJob(Value):
    """Work with the bytes of one run at one RSE.

    The id follows from run and step, so that a repeated start finds the first one; the seed is the
    run's id. `limit` ends it, by killing its process if need be.
    """

    id: str
    kind: JobKind
    rse: str
    seed: str
    files: tuple[FileRef, ...]
    limit: timedelta


class FileOutcome(Value):
    """What came of one file. `code` is None when it went well, else a finding code.

    `adler32` is of the bytes as written (PUT) or as read (GET, READ); `present` answers STAT;
    `detail` holds the storage's own words, or where the first wrong byte lies.
    """

    url: str
    code: str | None = None
    answered: bool = True
    detail: str = ""
    adler32: str | None = None
    size_bytes: int | None = None
    present: bool | None = None


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    LOST = "lost"


class JobStatus(Value):
    """A storage job now. `seconds` is the time bytes moved, without waiting in our own queue.

    LOST: its mover was killed at its limit (`timed_out`: the storage hung), or died, or never
    was (our own failing); `detail` says which, `outcomes` holds the files finished before.
    """

    state: JobState
    progress: Progress = Progress()
    outcomes: tuple[FileOutcome, ...] = ()
    seconds: float = 0.0
    detail: str = ""
    timed_out: bool = False


class Storage(Protocol):
    """Everything that touches bytes, in killable processes: calls return at once."""

    def start(self, job: StorageJob) -> None:
        """Queue the job unless one of that id exists already."""

    def look(self, job_id: str) -> JobStatus:
        """How far it is; a job nobody knows is LOST."""

    def cancel(self, job_id: str) -> None:
        """Stop it, if it still runs."""


class Carrier(Protocol):
    """Carries out one storage job from start to end, in a process or at a place of its own."""

    def __call__(
        self,
        job: StorageJob,
        *,
        on_progress: Callable[[JobStatus], None],
        is_cancelled: Callable[[], bool],
    ) -> JobStatus:
        """What came of it. Calls `on_progress`, and asks `is_cancelled`, about once a second.

        Raises OSError when nothing could be begun.
        """


class Transfers(Protocol):
    """The transfer service, read only: dltest never submits, Rucio does."""

    def files(self, host: str, job_id: str) -> list[TransferFile]:
        """The files of one job, empty when the service does not know it."""

    def ping(self, host: str) -> None:
        """Raises `TransferError` when the service does not answer."""


class Ledger(Protocol):
    """The run's own book of what it makes outside; written before the effect, and durable."""

    def intend(self, *entries: LedgerEntry) -> None:
        """Write the entries; the same kind, name and RSE again changes nothing."""

    def settle(self, state: LedgerState, *entries: LedgerEntry) -> None: ...

    def entries(self) -> tuple[LedgerEntry, ...]: ...


class LakePorts(Protocol):
    """A lake with all its doors, as one argument."""

    @property
    def name(self) -> str: ...
    @property
    def catalogue(self) -> Catalogue: ...
    @property
    def storage(self) -> Storage: ...
    @property
    def transfers(self) -> Transfers: ...
