"""The end of every run: all that its ledger lists is removed, and its absence verified.

Not a step that scenarios name: the engine runs it whatever happened before. It works from the
ledger alone, so it knows nothing of steps, and removes only names that follow from the run's id.
Rucio is asked first; bytes that Rucio does not know of are removed at the storage itself.
"""

from datetime import UTC, datetime, timedelta

from dltest.lake.ports import FileRef, JobKind, JobState, Replica, ReplicaState
from dltest.model import LedgerEntry, LedgerKind, LedgerState, Progress, Watch, WatchKind
from dltest.steps import bytes as storage_bytes
from dltest.steps import dark, pace
from dltest.steps.block import allow_all
from dltest.steps.fault import heal_all
from dltest.steps.step import Context, Done, Handle, Outcome, Waiting, job_id

STRAY_AFTER = timedelta(seconds=20)
# Asking once more keeps the files: the rule that would end them lifts the tombstone they have.
STRAY_AGAIN = timedelta(minutes=10)
NEVER = datetime.min.replace(tzinfo=UTC).isoformat()

UNDONE_FIRST = {LedgerKind.FAULT, LedgerKind.BLOCK}

# An RSE that gave one of these while the run was exercised is asked at once, not after Rucio has
# deleted there, since Rucio cannot either while it is down.
DOWN = {"storage-unreachable", "storage-timeout"}


def begin(ctx: Context) -> Outcome:
    """Ask for the end of everything in the ledger; repeatable.

    A mover that still writes, since its run was cancelled, is stopped first: it would bring back
    what is removed under its hands.
    """
    if _stop_writers(ctx):
        return Waiting({"polls": 0, "writing": True}, storage_bytes.FIRST_LOOK)
    if not _is_healed(ctx):
        return Waiting({"polls": 0, "healing": True}, pace.SOONEST, Progress(note="faults heal"))
    if not _open_entries(ctx):
        return Done(measured={"leftovers": 0})
    for dataset in _datasets(ctx):
        ctx.lake.catalogue.expire(dataset)
    return look(ctx, {"polls": 0})


def look(ctx: Context, handle: Handle) -> Outcome:
    """Settle what is gone; ask again for what is not."""
    if "writing" in handle or "healing" in handle:
        return begin(ctx)
    if job := handle.get("job"):
        return _look_at_storage(ctx, handle, str(job))
    _release(ctx)
    if rules := ctx.lake.catalogue.rules(ctx.dataset):
        return _later(ctx, handle, "rules are still there", rules[0].watch())
    _settle(ctx, LedgerKind.RULE)
    handle = _end_strays(ctx, handle)
    if left := _listed(ctx):
        places = ", ".join(sorted({replica.rse for replica in left}))
        return _later(ctx, handle, f"replicas still at {places}", left[0].watch())
    return _next_place(ctx, handle)


def give_up(ctx: Context) -> Done:
    """What is not verified gone by now is a leftover, and stays in the ledger for the sweep."""
    left = _open_entries(ctx)
    ctx.ledger.settle(LedgerState.LEFTOVER, *left)
    return Done(
        measured={"leftovers": sum(entry.count for entry in left)},
        evidence={"leftovers": [_name(entry) for entry in left]},
    )


def _later(ctx: Context, handle: Handle, note: str, watch: Watch | None = None) -> Waiting:
    return Waiting(handle, pace.pause(ctx.now - ctx.began_at), Progress(note=note), watch)


def _stop_writers(ctx: Context) -> bool:
    """Cancel what any step's job still writes; whether there is any."""
    jobs = [
        job_id(ctx.run_id, step, attempt, kind.value)
        for step, record in enumerate(ctx.earlier)
        for attempt in range(len(record.attempts) + 1)
        for kind in (JobKind.PUT, JobKind.DAMAGE, JobKind.TOKEN, JobKind.TOKEN_EXPIRY)
    ]
    return storage_bytes.stop(ctx, jobs)


def _is_healed(ctx: Context) -> bool:
    """What the run broke is whole again, which comes first: nothing can be removed before."""
    broken = [entry for entry in _open_entries(ctx) if entry.kind in UNDONE_FIRST]
    faults = [entry for entry in broken if entry.kind is LedgerKind.FAULT]
    whole = heal_all(ctx, faults)
    if len(whole) == len(faults):
        # Not before: Rucio itself may be what is broken.
        whole += allow_all(ctx, broken)
    ctx.ledger.settle(LedgerState.GONE, *whole)
    return len(whole) == len(broken)


def _release(ctx: Context) -> None:
    """What would outlive its dataset is ended by itself: rules that are locked, or of files.

    Asked for with every look, since the listing of rules may be older than the last of them.
    """
    if any(entry.kind is LedgerKind.HOLD for entry in _open_entries(ctx)):
        for rule in ctx.lake.catalogue.rules(ctx.dataset):
            ctx.lake.catalogue.end_rule(rule.id)


def _name(entry: LedgerEntry) -> str:
    return f"{entry.kind} {entry.name}" + (f" at {entry.rse}" if entry.rse else "")


def _next_place(ctx: Context, handle: Handle) -> Outcome:
    """One storage after the other is asked whether anything is there."""
    dead = _known_dead(handle)
    rse = next((rse for rse in _rses(ctx) if rse not in dead), None)
    if rse is None:
        return _finish_catalogue(ctx, handle, dead)
    polls = int(str(handle["polls"])) + 1
    job_id = storage_bytes.start(
        ctx, JobKind.UNLINK, rse, _refs(ctx, rse), what=f"unlink.{rse}.{_round(ctx)}.{polls}"
    )
    asked = {**handle, "polls": polls, "job": job_id, "rse": rse}
    return Waiting(asked, storage_bytes.FIRST_LOOK, watch=_watch(job_id))


def _look_at_storage(ctx: Context, handle: Handle, job: str) -> Outcome:
    status = ctx.lake.storage.look(job)
    if not storage_bytes.is_over(status):
        return Waiting(handle, storage_bytes.FIRST_LOOK, status.progress, _watch(job))
    rse = str(handle["rse"])
    rest: Handle = {key: value for key, value in handle.items() if key not in {"job", "rse"}}
    if status.state is JobState.DONE and not storage_bytes.troubles_of(rse, status):
        _settle(ctx, LedgerKind.REPLICAS, LedgerKind.DARK, rse=rse)
        return _next_place(ctx, rest)
    return _next_place(ctx, {**rest, "dead": [*_known_dead(handle), rse]})


def _finish_catalogue(ctx: Context, handle: Handle, dead: list[str]) -> Outcome:
    """Nothing is on any storage that answers; the names must be gone from the catalogue too."""
    if dead:
        return give_up(ctx)
    left = ctx.lake.catalogue.dids(ctx.dataset)
    if left:
        return _later(ctx, handle, f"{len(left)} names still in the catalogue")
    _settle(ctx, LedgerKind.DATASET, LedgerKind.FILES, LedgerKind.HOLD)
    return Done(measured={"leftovers": 0})


def _round(ctx: Context) -> int:
    """Tells a sweep's jobs from those of the clean-up before it."""
    return int(ctx.began_at.timestamp() * 1000)


def _end_strays(ctx: Context, handle: Handle) -> Handle:
    """Files that a crash left outside the dataset do not go with it; they are asked for alone.

    For a moment every file is so: Rucio ends the dataset first, and then its replicas. Gives
    the handle that remembers the asking.
    """
    asked_at = datetime.fromisoformat(str(handle.get("strays_asked_at", NEVER)))
    if ctx.now - ctx.began_at < STRAY_AFTER or ctx.now - asked_at < STRAY_AGAIN:
        return handle
    left = set(ctx.lake.catalogue.dids(ctx.dataset))
    files = [name for name in ctx.file_names() if name in left]
    if left & set(_datasets(ctx)) or not files:
        return handle
    kept = {
        replica.name
        for rse in _rses(ctx)
        for replica in ctx.lake.catalogue.replicas(files, rse)
        if replica.state is ReplicaState.AVAILABLE
    }
    if not kept:
        return handle
    ctx.lake.catalogue.expire_files(sorted(kept))
    return {**handle, "strays_asked_at": ctx.now.isoformat()}


def _watch(job_id: str) -> Watch:
    return Watch(kind=WatchKind.JOB, key=job_id)


def _open_entries(ctx: Context) -> list[LedgerEntry]:
    return [entry for entry in ctx.ledger.entries() if entry.is_open]


def _datasets(ctx: Context) -> list[str]:
    """Those that may be there; rules are for the run's own."""
    entries = _open_entries(ctx)
    own = {ctx.dataset for entry in entries if entry.kind is LedgerKind.RULE}
    return sorted(own | {entry.name for entry in entries if entry.kind is LedgerKind.DATASET})


def _rses(ctx: Context) -> list[str]:
    """RSEs with replicas or dark files that are not verified gone."""
    kinds = {LedgerKind.REPLICAS, LedgerKind.DARK}
    return sorted({entry.rse for entry in _open_entries(ctx) if entry.kind in kinds and entry.rse})


def _refs(ctx: Context, rse: str) -> tuple[FileRef, ...]:
    """All that the run may have written there."""
    return sum((dark.refs(ctx, entry) for entry in dark.entries(ctx, rse)), ctx.refs(rse))


def _listed(ctx: Context) -> list[Replica]:
    """Replicas that Rucio still has to delete, where it can."""
    return [
        replica
        for rse in _rses(ctx)
        if rse not in _suspects(ctx)
        for replica in ctx.lake.catalogue.replicas(ctx.file_names(), rse)
        if replica.state is not ReplicaState.MISSING
    ]


def _suspects(ctx: Context) -> set[str | None]:
    troubles = (trouble for record in ctx.earlier for trouble in record.troubles)
    return {trouble.blame.where for trouble in troubles if trouble.code in DOWN}


def _known_dead(handle: Handle) -> list[str]:
    dead = handle.get("dead", [])
    return [str(rse) for rse in dead] if isinstance(dead, list) else []


def _settle(ctx: Context, *kinds: LedgerKind, rse: str | None = None) -> None:
    gone = [e for e in _open_entries(ctx) if e.kind in kinds and rse in {None, e.rse}]
    ctx.ledger.settle(LedgerState.GONE, *gone)
