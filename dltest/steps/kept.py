"""`kept`: what must stay has stayed. That Rucio deletes the wrong files is the worst there is.

A replica counts as kept when the catalogue calls it AVAILABLE for all of a time, and when every
byte of it can be read back right from the storage after that time.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

from pydantic import Field, model_validator

from dltest.lake.ports import FileOutcome, JobKind, JobStatus, Replica, ReplicaState
from dltest.model import DLTEST, RUCIO, Blame, Footprint, Payload, Progress, Trouble
from dltest.steps import bytes as storage_bytes
from dltest.steps import earlier, pace
from dltest.steps.some_files import SomeFilesBody, names, numbers, refs
from dltest.steps.step import Context, Done, Handle, Outcome, Waiting
from dltest.steps.verify import with_checksums
from dltest.units import Duration

GOING = {ReplicaState.BEING_DELETED, ReplicaState.MISSING}
WRONG_DELETION = "deleted-what-must-stay"


class KeptBody(SomeFilesBody):
    for_: Duration = Field(
        timedelta(seconds=15),
        alias="for",
        description="How long they must be seen to stay: longer than the lake needs to delete.",
        examples=["15s", "2m"],
    )

    @model_validator(mode="after")
    def _has_time(self) -> "KeptBody":
        if self.for_ >= self.within:
            raise ValueError("`for` must be shorter than `within`, which is for the reading too")
        return self


class Kept:
    """Catalogue again and again, then all bytes once."""

    name: ClassVar[str] = "kept"
    title: ClassVar[str] = "Check that files stay, in the catalogue and on the storage"
    checks: ClassVar[bool] = True
    Body = KeptBody

    def footprint(self, body: KeptBody, payload: Payload) -> Mapping[str, Footprint]:
        return {body.at: Footprint(bytes_read=len(numbers(body, payload)) * payload.size_bytes)}

    def begin(self, ctx: Context, body: KeptBody) -> Outcome:
        return self.look(ctx, body, {})

    def look(self, ctx: Context, body: KeptBody, handle: Handle) -> Outcome:
        if "job" in handle:
            return self._read_back(ctx, body, handle)
        rse, held = ctx.targets[body.at], ctx.now - ctx.began_at
        replicas = ctx.lake.catalogue.replicas(names(ctx, body), rse)
        if troubles := _troubles(replicas):
            return _not_kept(ctx, rse, held, troubles)
        if held < body.for_:
            pause = min(pace.pause(held), body.for_ - held)
            return Waiting(handle, pause, Progress(note="still there"))
        files = with_checksums(refs(ctx, body), replicas)
        return storage_bytes.begin(ctx, JobKind.READ, rse, files, held=held.total_seconds())

    def overdue(self, ctx: Context, body: KeptBody, handle: Handle) -> Done:
        return storage_bytes.give_up(ctx, ctx.targets[body.at], handle, JobKind.READ)

    def _read_back(self, ctx: Context, body: KeptBody, handle: Handle) -> Outcome:
        rse = ctx.targets[body.at]
        status = storage_bytes.result(ctx, rse, handle)
        if not isinstance(status, JobStatus):
            return status
        held = timedelta(seconds=float(str(handle["held"])))
        if missing := [one for one in status.outcomes if one.code == "file-missing"]:
            # Bytes go last, so the catalogue knows by now if it was Rucio that deleted them.
            replicas = ctx.lake.catalogue.replicas(names(ctx, body), rse)
            return _not_kept(ctx, rse, held, _troubles(replicas) or _bytes_gone(rse, missing))
        return Done(
            measured={"files": len(status.outcomes), **_held(held)},
            evidence={"rse": rse},
            troubles=storage_bytes.troubles_of(rse, status),
        )


def _not_kept(ctx: Context, rse: str, held: timedelta, troubles: tuple[Trouble, ...]) -> Done:
    """What was to go at a time and was looked at after it proves nothing."""
    due = earlier.lifetime_ends_at(ctx)
    if due is None or ctx.now < due:
        return Done(measured=_held(held), evidence={"rse": rse}, troubles=troubles)
    message = f"the files were to go at {due:%H:%M:%S}, and dltest came too late to see them stay"
    late = Trouble(code="out-of-time", message=message, blame=DLTEST)
    return Done(measured=_held(held), evidence={"rse": rse}, troubles=(late,), known=False)


def _held(time: timedelta) -> dict[str, float]:
    return {"held_seconds": round(time.total_seconds(), 3)}


def _troubles(replicas: list[Replica]) -> tuple[Trouble, ...]:
    going = [replica for replica in replicas if replica.state in GOING]
    if going:
        return (_wrongly_deleted(going),)
    other = [replica for replica in replicas if replica.state is not ReplicaState.AVAILABLE]
    if not other:
        return ()
    message = f"replica of {other[0].name} at {other[0].rse} is {other[0].state}"
    return (Trouble(code="replica-not-available", message=message, blame=RUCIO),)


def _wrongly_deleted(going: list[Replica]) -> Trouble:
    first = going[0]
    message = (
        f"Rucio deletes what must stay: {len(going)} replicas at {first.rse} are"
        f" {first.state}, first {first.name}; stop its reaper before more is lost"
    )
    return Trouble(code=WRONG_DELETION, message=message, blame=RUCIO)


def _bytes_gone(rse: str, missing: list[FileOutcome]) -> tuple[Trouble, ...]:
    """The catalogue still promises them, so Rucio did not mean to delete them."""
    if not missing:
        return ()
    message = (
        f"the storage of {rse} has lost what must stay: {len(missing)} files that the catalogue"
        f" calls AVAILABLE are not there, first {missing[0].url}"
    )
    return (Trouble(code=WRONG_DELETION, message=message, blame=Blame.site(rse)),)


KEPT = Kept()
