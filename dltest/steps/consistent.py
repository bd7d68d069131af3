"""`consistent`: storage and catalogue say the same of the run's files at an RSE.

The consistency check that sites make with dumps of millions of names, on the names that the run
may have used there: what lies on the storage and has no replica is dark, what has a replica and
does not lie there is lost.
"""

from collections.abc import Mapping
from typing import ClassVar

from dltest.lake.ports import JobKind, JobStatus, ReplicaState
from dltest.model import RUCIO, Blame, Footprint, Payload, Trouble
from dltest.steps import bytes as storage_bytes
from dltest.steps import dark
from dltest.steps.step import Context, Done, Handle, Outcome, PlaceBody

# Only of these does the catalogue promise that the bytes are there.
PROMISED = {ReplicaState.AVAILABLE}


class ConsistentBody(PlaceBody):
    """Nothing but where."""


class Consistent:
    """One question to the storage for each name, one to the catalogue for all."""

    name: ClassVar[str] = "consistent"
    title: ClassVar[str] = "Compare storage and catalogue: no dark files, no lost files"
    checks: ClassVar[bool] = True
    Body = ConsistentBody

    def footprint(self, body: ConsistentBody, payload: Payload) -> Mapping[str, Footprint]:  # noqa: ARG002
        return {}

    def begin(self, ctx: Context, body: ConsistentBody) -> Outcome:
        rse = ctx.targets[body.at]
        strays = (dark.refs(ctx, entry, body.protocol) for entry in dark.entries(ctx, rse))
        files = sum(strays, ctx.refs(rse, body.protocol))
        return storage_bytes.begin(ctx, JobKind.STAT, rse, files)

    def look(self, ctx: Context, body: ConsistentBody, handle: Handle) -> Outcome:
        rse = ctx.targets[body.at]
        status = storage_bytes.result(ctx, rse, handle)
        if not isinstance(status, JobStatus):
            return status
        if troubles := storage_bytes.troubles_of(rse, status):
            return Done(evidence={"rse": rse}, troubles=troubles)
        return _compared(ctx, rse, status)

    def overdue(self, ctx: Context, body: ConsistentBody, handle: Handle) -> Done:
        return storage_bytes.give_up(ctx, ctx.targets[body.at], handle, JobKind.STAT)


def _compared(ctx: Context, rse: str, status: JobStatus) -> Done:
    strays = (dark.names(entry) for entry in dark.entries(ctx, rse))
    names = sum(strays, ctx.file_names())
    replicas = ctx.lake.catalogue.replicas(names, rse)
    seen = list(zip(replicas, status.outcomes, strict=True))
    unknown = [r.name for r, o in seen if o.present and r.state is ReplicaState.MISSING]
    lost = [r.name for r, o in seen if not o.present and r.state in PROMISED]
    shown = storage_bytes.TROUBLES_SHOWN
    return Done(
        measured={"files": len(names), "dark_files": len(unknown), "lost_files": len(lost)},
        evidence={"rse": rse, "dark": [*unknown[:shown]], "lost": [*lost[:shown]]},
        troubles=_dark(rse, unknown) + _lost(rse, lost),
    )


def _dark(rse: str, names: list[str]) -> tuple[Trouble, ...]:
    if not names:
        return ()
    message = f"{len(names)} files lie at {rse} that the catalogue does not know: {names[0]}"
    return (Trouble(code="dark-file", message=message, blame=RUCIO),)


def _lost(rse: str, names: list[str]) -> tuple[Trouble, ...]:
    if not names:
        return ()
    message = f"{len(names)} files are AVAILABLE at {rse} and do not lie there: {names[0]}"
    return (Trouble(code="lost-file", message=message, blame=Blame.site(rse)),)


CONSISTENT = Consistent()
