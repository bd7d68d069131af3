"""The door to everything that touches bytes."""

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from pydantic import Field, JsonValue

from dltest.lake.damage import Damage
from dltest.model import Progress, Trouble, Value


class JobKind(StrEnum):
    """What a mover can do with files on a storage.

    PUT: make each payload and write it. GET: copy to the spool as `rucio download` does, with the
    checksum checked. READ: read every byte back and compare it with the payload. STAT: is it
    there. UNLINK: remove; what is not there is fine. DAMAGE: put a damaged content in the file's
    place and confirm that it lies there. TOKEN: try the file's token rule in its
    place. TOKEN_EXPIRY: use a token until its end and on, until it is refused.
    SIGN_IN: show Rucio's server the token of the file's rule; no storage is touched.
    """

    PUT = "put"
    GET = "get"
    READ = "read"
    STAT = "stat"
    UNLINK = "unlink"
    DAMAGE = "damage"
    TOKEN = "token"  # noqa: S105 - what kind of job it is
    TOKEN_EXPIRY = "token-expiry"  # noqa: S105
    SIGN_IN = "sign-in"


class TokenTrial(Value):
    """A token rule, or a use of a token, to be tried in a file's place.

    `beside` is the URL of another file of the run's own, best in another folder; `base` is the
    part of the RSE's paths that paths in tokens leave out. `lifetime` and `patience` are for
    TOKEN_EXPIRY and SIGN_IN alone: how long the token shall live, and how long it is used after
    its end.
    """

    rule: str
    beside: str
    base: str = "/"
    lifetime: timedelta | None = None
    patience: timedelta = timedelta(0)


class FileRef(Value):
    """One file of a job: where it lies, and the number of its payload under the job's seed.

    `damage` is for DAMAGE alone. `behind` does it on the server's disk, so that nothing of the
    server notices; where dltest has no such disk, the outcome's code is `not-supported`. `trial`
    is for TOKEN, TOKEN_EXPIRY and SIGN_IN alone.
    """

    url: str
    index: int
    size_bytes: int
    adler32: str | None = None
    damage: Damage | None = None
    behind: bool = False
    trial: TokenTrial | None = None


class StorageJob(Value):
    """Work with the bytes of one run at one RSE.

    The id follows from run and step, so that a repeated start finds the first one; the seed is the
    run's id. `limit` ends it, by killing its process if need be. Whoever moves the bytes gets the
    token for it: a job holds none.
    """

    id: str
    kind: JobKind
    rse: str
    seed: str
    files: tuple[FileRef, ...]
    limit: timedelta
    with_token: bool = False


class FileOutcome(Value):
    """What came of one file. `code` is None when it went well, else a finding code.

    `adler32` is of the bytes as written (PUT) or as read (the others); `present` answers STAT;
    `detail` holds the storage's own words, or where the first wrong byte lies; `evidence` what
    came of a token rule (see `token_rules`).
    """

    url: str
    code: str | None = None
    answered: bool = True
    detail: str = ""
    adler32: str | None = None
    size_bytes: int | None = None
    present: bool | None = None
    evidence: dict[str, JsonValue] = Field(default_factory=dict)


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    LOST = "lost"


class JobStatus(Value):
    """A storage job now. `seconds` is the time bytes moved, without waiting in our own queue.

    LOST: its mover was killed at its limit (`timed_out`: the storage hung), or died, or never
    was (our own failing); `detail` says which, `outcomes` holds the files finished before. A
    `trouble` kept it from being begun, a token that could not be had say: the storage was never
    asked.
    """

    state: JobState
    progress: Progress = Progress()
    outcomes: tuple[FileOutcome, ...] = ()
    seconds: float = 0.0
    detail: str = ""
    timed_out: bool = False
    trouble: Trouble | None = None


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
