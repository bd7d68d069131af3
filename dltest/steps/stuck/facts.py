"""All that is known of a rule that does not come to its end, as one value."""

from datetime import datetime

from dltest.lake.ports import (
    Heartbeat,
    Replica,
    Rule,
    TransferFile,
    TransferRequest,
    Usage,
)
from dltest.model import RSE, Trouble, Value
from dltest.steps.stuck.reasons import Route


class Candidate(Value):
    """A place that Rucio could read the file from; None where it could not be asked."""

    replica: Replica
    readable: bool | None = None
    distance: int | None = None

    @property
    def rse(self) -> str:
        return self.replica.rse


class Job(Value):
    """The transfer service's job of the first request that waits for one."""

    url: str
    files: tuple[TransferFile, ...] = ()
    silence: Trouble | None = None
    """Why the service could not be asked."""


class Facts(Value):
    """What was asked of the lake at `now`. `files` is how many locks the rule must have.

    `requests` and `attempts` (one each that ended) are of a sample of the files. None and
    empty say that there is none, or that it could not be asked: `unanswered` tells them apart.
    `tokens` is what is the matter with tokens for the storages.
    """

    now: datetime
    rule: Rule
    route: Route
    files: int
    requests: tuple[TransferRequest, ...] = ()
    attempts: tuple[TransferRequest, ...] = ()
    tries: int = 0
    job: Job | None = None
    source: RSE | None = None
    destination: RSE | None = None
    usage: Usage | None = None
    candidates: tuple[Candidate, ...] = ()
    arrived: tuple[Replica, ...] = ()
    tokens: Trouble | None = None
    heartbeats: tuple[Heartbeat, ...] | None = None
    unanswered: tuple[str, ...] = ()

    @property
    def pending(self) -> TransferRequest | None:
        """The first request that Rucio still has to do something for."""
        return next((r for r in self.requests if r.state != "DONE" or not r.registered_at), None)

    def last_seen(self, daemon: str) -> datetime | None:
        beats = self.heartbeats or ()
        return next((beat.seen_at for beat in beats if beat.daemon == daemon), None)
