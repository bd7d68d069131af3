"""`absent`: the files are gone from the catalogue and from the storage, and how long each took."""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

from pydantic import Field

from dltest.lake.ports import FileOutcome, JobKind, JobState, JobStatus, Replica, ReplicaState
from dltest.model import RUCIO, Blame, Footprint, Payload, Progress, Trouble
from dltest.steps import bytes as storage_bytes
from dltest.steps import pace
from dltest.steps.step import Context, Done, Handle, Outcome, StorageStepBody, Waiting


class AbsentBody(StorageStepBody):
    at: str = Field(
        description="Target role of the RSE that must hold nothing of the run.",
        examples=["source"],
    )

    def roles(self) -> tuple[str, ...]:
        return (self.at,)


class Absent:
    """Catalogue until no replica is left, then the storage until no file is there.

    Times count from the moment that the deletion was asked for, if this run asked for one; their
    error is one poll (`poll_seconds`).
    """

    name: ClassVar[str] = "absent"
    title: ClassVar[str] = "Wait until the run's files are gone from catalogue and storage"
    checks: ClassVar[bool] = True
    Body = AbsentBody

    def footprint(self, body: AbsentBody, payload: Payload) -> Mapping[str, Footprint]:  # noqa: ARG002
        return {}

    def begin(self, ctx: Context, body: AbsentBody) -> Outcome:
        return self.look(ctx, body, {"polls": 0})

    def look(self, ctx: Context, body: AbsentBody, handle: Handle) -> Outcome:
        rse = ctx.targets[body.at]
        if "gone_from_catalogue" not in handle:
            left = _still_listed(ctx, rse)
            if left:
                done = ctx.payload.files - len(left)
                note = Progress(files_done=done, note=left[0].state.value)
                return Waiting(handle, _pause(ctx), note, left[0].watch())
            handle = {**handle, "gone_from_catalogue": self._seconds(ctx)}
        return self._look_at_storage(ctx, body, handle)

    def _look_at_storage(self, ctx: Context, body: AbsentBody, handle: Handle) -> Outcome:
        if "job" not in handle:
            return self._ask_storage(ctx, body, handle)
        rse = ctx.targets[body.at]
        status = ctx.lake.storage.look(str(handle["job"]))
        if not storage_bytes.is_over(status):
            return storage_bytes.wait(handle, status)
        if status.state is JobState.LOST:
            return storage_bytes.cut_short(rse, status)
        if troubles := storage_bytes.troubles_of(rse, status):
            return Done(evidence={"rse": rse}, troubles=troubles)
        present = _present(status)
        if present:
            note = f"{len(present)} files still on the storage"
            again = {key: value for key, value in handle.items() if key != "job"}
            return Waiting(again, _pause(ctx), Progress(note=note))
        return self._gone(ctx, rse, handle)

    def _ask_storage(self, ctx: Context, body: AbsentBody, handle: Handle) -> Outcome:
        rse = ctx.targets[body.at]
        files = ctx.refs(rse, body.protocol)
        polls = int(str(handle["polls"])) + 1
        job_id = storage_bytes.start(ctx, JobKind.STAT, rse, files, what=f"stat{polls}")
        asked = {**handle, "polls": polls, "job": job_id, "looks": 0}
        return storage_bytes.wait(asked, ctx.lake.storage.look(job_id))

    def _gone(self, ctx: Context, rse: str, handle: Handle) -> Done:
        return Done(
            measured={
                "files": ctx.payload.files,
                "gone_from_catalogue_seconds": float(str(handle["gone_from_catalogue"])),
                "gone_from_storage_seconds": self._seconds(ctx),
                "poll_seconds": _pause(ctx).total_seconds(),
            },
            evidence={"rse": rse},
        )

    def overdue(self, ctx: Context, body: AbsentBody, handle: Handle) -> Done:
        rse = ctx.targets[body.at]
        if "gone_from_catalogue" not in handle:
            return Done(evidence={"rse": rse}, troubles=(_not_deleted(ctx, rse),))
        message = (
            f"the catalogue has forgotten the files, and the storage of {rse} still holds them"
        )
        dark = Trouble(code="dark-file", message=message, blame=RUCIO)
        return Done(evidence={"rse": rse}, troubles=(dark,))

    def _seconds(self, ctx: Context) -> float:
        asked = [r.ended_at for r in ctx.earlier if r.name == "delete" and r.ended_at]
        return round((ctx.now - (asked[-1] if asked else ctx.began_at)).total_seconds(), 3)


def _pause(ctx: Context) -> timedelta:
    return pace.pause(ctx.now - ctx.began_at)


def _still_listed(ctx: Context, rse: str) -> list[Replica]:
    replicas = ctx.lake.catalogue.replicas(ctx.file_names(), rse)
    return [replica for replica in replicas if replica.state is not ReplicaState.MISSING]


def _present(status: JobStatus) -> list[FileOutcome]:
    return [outcome for outcome in status.outcomes if outcome.present]


def _not_deleted(ctx: Context, rse: str) -> Trouble:
    """Rules still there: the judge's cleaner or the undertaker; rules gone: the reaper."""
    left = _still_listed(ctx, rse)
    states = "/".join(sorted({replica.state.value for replica in left}))
    if ctx.lake.catalogue.rules(ctx.dataset):
        message = (
            f"{len(left)} replicas at {rse} are {states} and their rules still exist: Rucio's"
            " undertaker or judge-cleaner does not run"
        )
        return Trouble(code="rule-not-removed", message=message, blame=RUCIO)
    if left and all(replica.state is ReplicaState.BEING_DELETED for replica in left):
        # The reaper takes a replica in hand only when it is about to delete the file.
        message = (
            f"Rucio's reaper has {len(left)} replicas at {rse} in hand, and the storage does not"
            " let it delete them"
        )
        return Trouble(code="replica-not-deleted", message=message, blame=Blame.site(rse))
    message = (
        f"the rules are gone, and {len(left)} replicas at {rse} are still {states}: Rucio's"
        " reaper does not run, or the RSE is blocked for deletion"
    )
    return Trouble(code="replica-not-deleted", message=message, blame=RUCIO)


ABSENT = Absent()
