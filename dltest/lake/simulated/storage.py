"""Storage elements in memory."""

import zlib
from collections.abc import Callable, Iterable

from pydantic import JsonValue

from dltest.lake.damage import Damage, damaged
from dltest.lake.payload import Comparison, Content, adler32_of, adler32_text, chunks
from dltest.lake.ports import FileOutcome, FileRef, JobKind, JobState, JobStatus, StorageJob
from dltest.lake.simulated.world import Hook, World, place_of, rse_of
from dltest.lake.token_rules.at_rucio import SIGN_INS
from dltest.lake.token_rules.catalogue import RULES, Action, Must
from dltest.model import Progress


class SimulatedStorage:
    """All storage elements: a job's effect is there once it has started, its end a look later."""

    def __init__(self, world: World, on_call: Hook) -> None:
        self._world = world
        self._on_call = on_call
        self._ends: dict[str, JobStatus] = {}
        self._looked: set[str] = set()
        self._work: dict[JobKind, Callable[[StorageJob, FileRef], FileOutcome]] = {
            JobKind.PUT: self._put,
            JobKind.GET: self._read,
            JobKind.READ: self._read,
            JobKind.STAT: self._stat,
            JobKind.UNLINK: self._unlink,
            JobKind.DAMAGE: self._damage,
            JobKind.TOKEN: self._token_rule,
            JobKind.TOKEN_EXPIRY: self._token_use,
            JobKind.SIGN_IN: self._sign_in,
        }

    def start(self, job: StorageJob) -> None:
        self._on_call("storage.start", "before")
        if job.id not in self._ends:
            self._ends[job.id] = self._done(job)
        self._on_call("storage.start", "after")

    def look(self, job_id: str) -> JobStatus:
        self._on_call("storage.look", "before")
        end = self._ends.get(job_id)
        if end is None:
            return JobStatus(state=JobState.LOST, detail="its process is gone")
        if job_id not in self._looked:
            self._looked.add(job_id)
            return JobStatus(state=JobState.RUNNING)
        return end

    def cancel(self, job_id: str) -> None:
        self._on_call("storage.cancel", "before")
        if job_id in self._ends and job_id not in self._looked:
            self._looked.add(job_id)
            self._ends[job_id] = JobStatus(state=JobState.LOST, detail="cancelled")

    def forget(self) -> None:
        """As after a restart of the process whose jobs they were."""
        self._ends.clear()
        self._looked.clear()

    def _done(self, job: StorageJob) -> JobStatus:
        if self._world.ails("storage-hung", job.rse):
            limit = f"{job.limit.total_seconds():g} s"
            detail = f"killed at its limit of {limit}"
            return JobStatus(state=JobState.LOST, detail=detail, timed_out=True)
        outcomes = tuple(self.outcome(job, file) for file in job.files)
        moved = sum(outcome.size_bytes or 0 for outcome in outcomes)
        progress = Progress(files_done=len(outcomes), bytes_done=moved)
        return JobStatus(state=JobState.DONE, progress=progress, outcomes=outcomes, seconds=0.1)

    def outcome(self, job: StorageJob, file: FileRef) -> FileOutcome:
        """Do the job's work with one file, now."""
        if self._world.ails("storage-down", rse_of(file.url)):
            detail = "Result Could not connect to server after 1 attempts"
            return FileOutcome(url=file.url, code="storage-unreachable", detail=detail)
        return self._work[job.kind](job, file)

    def _stat(self, _job: StorageJob, file: FileRef) -> FileOutcome:
        content = self._world.stored.get(place_of(file.url))
        size = None if content is None else len(content)
        return FileOutcome(url=file.url, present=content is not None, size_bytes=size)

    def _unlink(self, _job: StorageJob, file: FileRef) -> FileOutcome:
        self._world.remove(place_of(file.url))
        return FileOutcome(url=file.url, present=False)

    def _damage(self, job: StorageJob, file: FileRef) -> FileOutcome:
        place, how = place_of(file.url), file.damage or Damage.REMOVE
        if file.behind and self._world.ails("no-disks"):
            detail = "no disk of the storage to damage behind its server's back"
            return FileOutcome(url=file.url, code="not-supported", answered=False, detail=detail)
        content = _joined(damaged(job.seed, file.index, file.size_bytes, how))
        adler32 = adler32_text(zlib.adler32(content))
        if how is not Damage.REMOVE and adler32 == file.adler32:
            return FileOutcome(url=file.url, code="not-damaged", detail="nothing would change")
        self._world.damage(place, None if how is Damage.REMOVE else content, behind=file.behind)
        return FileOutcome(url=file.url, adler32=adler32, size_bytes=len(content))

    def _token_rule(self, job: StorageJob, file: FileRef) -> FileOutcome:
        """As a good storage keeps it; one with an ailment of the rule's name does not refuse."""
        rule = RULES[file.trial.rule if file.trial else ""]
        is_open = self._world.ails(f"token-rule-{rule.name}", job.rse)
        outcome = Must.ACCEPTED if is_open else rule.must
        if rule.does is not Action.CREATE or outcome is Must.ACCEPTED:
            self._world.store(file.url, b"token")
        evidence: dict[str, JsonValue] = {
            "rule": rule.name,
            "must": rule.must.value,
            "outcome": outcome.value,
            "request": f"{rule.does} {file.url}",
            "reason": outcome.value,
            "unchanged": outcome is Must.REFUSED,
        }
        return FileOutcome(url=file.url, evidence=evidence)

    def _sign_in(self, _job: StorageJob, file: FileRef) -> FileOutcome:
        """Here everybody is let in who must be, and nobody else."""
        rule = SIGN_INS[file.trial.rule if file.trial else ""]
        evidence: dict[str, JsonValue] = {
            "rule": rule.name,
            "must": rule.must.value,
            "outcome": rule.must.value,
            "request": "whoami",
            "reason": rule.must.value,
            "unchanged": True,
        }
        return FileOutcome(url=file.url, evidence=evidence)

    def _token_use(self, _job: StorageJob, file: FileRef) -> FileOutcome:
        """Good until its end, and refused at once after it."""
        self._world.store(file.url, b"token")
        use = file.trial.rule if file.trial else ""
        evidence: dict[str, JsonValue] = {
            "use": use,
            "outcome": Must.ACCEPTED.value,
            "request": f"{use} {file.url}",
            "before": "accepted",
            "documented_seconds": 0.0,
            "after": "refused",
            "after_outcome": Must.REFUSED.value,
            "unchanged": True,
            "grace_seconds": 0.0,
        }
        return FileOutcome(url=file.url, evidence=evidence)

    def _put(self, job: StorageJob, file: FileRef) -> FileOutcome:
        payload = _joined(chunks(job.seed, file.index, file.size_bytes))
        self._world.store(file.url, payload)
        self._world.journal("put", file.url)
        adler32 = adler32_of(job.seed, file.index, file.size_bytes)
        return FileOutcome(url=file.url, adler32=adler32, size_bytes=file.size_bytes)

    def _read(self, job: StorageJob, file: FileRef) -> FileOutcome:
        content = self._world.stored.get(place_of(file.url))
        if content is None:
            return FileOutcome(url=file.url, code="file-missing", detail="no such file")
        comparison = Comparison(job.seed, file.index, file.size_bytes)
        comparison.feed(content)
        return FileOutcome(
            url=file.url,
            adler32=comparison.adler32,
            size_bytes=comparison.received,
            **_difference(file, comparison),
        )


def _joined(pieces: Iterable[Content]) -> bytes:
    return b"".join(bytes(piece) for piece in pieces)


def _difference(file: FileRef, comparison: Comparison) -> dict[str, str]:
    differs_at = comparison.finish()
    if comparison.received != file.size_bytes:
        return {"code": "size-mismatch", "detail": f"{comparison.received} bytes"}
    if differs_at is not None:
        return {"code": "checksum-mismatch", "detail": f"first wrong byte at {differs_at}"}
    if file.adler32 not in {None, comparison.adler32}:
        return {"code": "checksum-mismatch", "detail": f"{file.adler32} was expected"}
    return {}
