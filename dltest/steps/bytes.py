"""Steps that wait for a storage job: start it once, look at it, tell its troubles.

What the storage itself answered, also a refused connection, is a fact about its site. A mover
that had to be killed at its limit says that the storage hung. One that died, or never began,
says nothing of the storage: that is our own failing.
"""

from collections.abc import Iterable
from datetime import timedelta

from pydantic import JsonValue

from dltest.lake.ports import FileOutcome, FileRef, JobKind, JobState, JobStatus, StorageJob
from dltest.model import DLTEST, Blame, Progress, Trouble, Watch, WatchKind
from dltest.steps.step import Context, Done, Handle, Outcome, Waiting, job_id

FIRST_LOOK = timedelta(milliseconds=300)
NEXT_LOOK = timedelta(seconds=1)

# A thousand files that fail alike are one trouble with a count, not a thousand.
TROUBLES_SHOWN = 5


def start(
    ctx: Context, kind: JobKind, rse: str, files: tuple[FileRef, ...], what: str | None = None
) -> str:
    """Start the step's job unless an earlier, lost call did; gives the job's id."""
    job = StorageJob(
        id=ctx.job_id(what or kind.value),
        kind=kind,
        rse=rse,
        seed=ctx.run_id,
        files=files,
        limit=max(ctx.deadline - ctx.now, timedelta(seconds=1)),
        with_token=ctx.lake.catalogue.wants_token(rse),
    )
    ctx.lake.storage.start(job)
    return job.id


def begin(
    ctx: Context,
    kind: JobKind,
    rse: str,
    files: tuple[FileRef, ...],
    what: str | None = None,
    **remembered: JsonValue,
) -> Waiting:
    """Start the step's job and wait for it; what else is `remembered` stands in the handle."""
    job = start(ctx, kind, rse, files, what)
    return wait({**remembered, "job": job}, ctx.lake.storage.look(job))


def result(ctx: Context, rse: str, handle: Handle) -> JobStatus | Outcome:
    """The job's status once it is done; until then, or if it is lost, what the step comes to."""
    status = ctx.lake.storage.look(str(handle["job"]))
    if not is_over(status):
        return wait(handle, status)
    return cut_short(rse, status) if status.state is JobState.LOST else status


def give_up(ctx: Context, rse: str, handle: Handle, kind: JobKind) -> Done:
    """End the job of a step whose time is over, also one whose handle was lost in a crash."""
    job = str(handle.get("job", ctx.job_id(kind.value)))
    status = ctx.lake.storage.look(job)
    ctx.lake.storage.cancel(job)
    return cut_short(rse, status)


def former_still_runs(ctx: Context, kind: JobKind) -> Waiting | None:
    """Stops the jobs of earlier attempts: one that still writes would spoil this one's work."""
    jobs = [job_id(ctx.run_id, ctx.step, attempt, kind.value) for attempt in range(ctx.attempt)]
    return (
        Waiting({}, FIRST_LOOK, Progress(note="the former attempt ends"))
        if stop(ctx, jobs)
        else None
    )


def stop(ctx: Context, jobs: Iterable[str]) -> bool:
    """Cancel those jobs that still run; whether there is any."""
    running = [job for job in jobs if not is_over(ctx.lake.storage.look(job))]
    for job in running:
        ctx.lake.storage.cancel(job)
    return bool(running)


def wait(handle: Handle, status: JobStatus) -> Waiting:
    """Wait on, with the mover's progress. The first looks come quickly: small files are done."""
    looks = int(str(handle.get("looks", 0)))
    pause = FIRST_LOOK if looks < 3 else _pause(status)
    watch = Watch(kind=WatchKind.JOB, key=str(handle["job"]))
    return Waiting({**handle, "looks": looks + 1}, pause, status.progress, watch)


def _pause(status: JobStatus) -> timedelta:
    """A twentieth of the time that bytes have moved, so that waiting hardly shows in a rate."""
    moving = timedelta(seconds=status.seconds / 20)
    return min(max(moving, FIRST_LOOK), NEXT_LOOK) if status.seconds else NEXT_LOOK


def is_over(status: JobStatus) -> bool:
    return status.state in {JobState.DONE, JobState.LOST}


def cut_short(rse: str, status: JobStatus) -> Done:
    """The end of a step whose job is lost, or not done when the step's time is over."""
    evidence = {"rse": rse}
    if status.timed_out or status.state is JobState.RUNNING:
        message = f"{rse}: {status.detail or 'the storage did not let the bytes through in time'}"
        hung = Trouble(code="storage-timeout", message=message, blame=Blame.site(rse))
        return Done(evidence=evidence, troubles=(hung,))
    if status.trouble is not None:
        return Done(evidence=evidence, troubles=(status.trouble,), known=False)
    message = status.detail or "no mover was free to move the bytes in time"
    ours = Trouble(code="mover-lost", message=f"{rse}: {message}", blame=DLTEST)
    return Done(evidence=evidence, troubles=(ours,), known=False)


def troubles_of(rse: str, status: JobStatus) -> tuple[Trouble, ...]:
    """What went wrong with the files of a job that is done: a handful stands for all."""
    bad = [outcome for outcome in status.outcomes if outcome.code is not None]
    told = tuple(_trouble(rse, outcome) for outcome in bad[:TROUBLES_SHOWN])
    more = len(bad) - TROUBLES_SHOWN
    if more > 0:
        told += (told[0].model_copy(update={"message": f"and {more} more files"}),)
    return told


def _trouble(rse: str, outcome: FileOutcome) -> Trouble:
    return Trouble(
        code=outcome.code or "storage-error",
        message=f"{rse}: {outcome.detail} ({outcome.url})",
        blame=Blame.site(rse),
    )


def throughput(total_bytes: int, status: JobStatus) -> dict[str, float]:
    """Seconds that bytes moved, and the rate if it was long enough to mean anything."""
    measured = {"moving_seconds": round(status.seconds, 3)}
    if status.seconds > 0:
        measured["rate_bytes_per_second"] = round(total_bytes / status.seconds, 1)
    return measured
