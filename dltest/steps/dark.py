"""`stray` and `quarantine`: files on a storage that the catalogue does not know.

Dark files are what interrupted uploads and failed deletions leave behind: they take space, and
nobody owns them. Sites find them by comparing a listing with the catalogue (`consistent`), report
them, and Rucio's dark-reaper removes what it is told of.
"""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from dltest.lake.ports import FileRef, JobKind, JobStatus
from dltest.model import RUCIO, Footprint, LedgerEntry, LedgerKind, Payload, Progress, Trouble
from dltest.steps import bytes as storage_bytes
from dltest.steps import pace
from dltest.steps.step import Context, Done, Handle, Outcome, PlaceBody, Waiting


class StrayBody(PlaceBody):
    count: int = Field(1, ge=1, le=100, description="How many.", examples=[3])


class Stray:
    """Write files of the run's own names, and tell the catalogue nothing."""

    name: ClassVar[str] = "stray"
    title: ClassVar[str] = "Leave files on a storage that Rucio does not know: dark files"
    checks: ClassVar[bool] = False
    breaks: ClassVar[bool] = True
    Body = StrayBody

    def footprint(self, body: StrayBody, payload: Payload) -> Mapping[str, Footprint]:
        written = Footprint(
            files_written=body.count,
            bytes_written=body.count * payload.size_bytes,
            files_deleted=body.count,
            files_damaged=body.count,
        )
        return {body.at: written}

    def begin(self, ctx: Context, body: StrayBody) -> Outcome:
        if former := storage_bytes.former_still_runs(ctx, JobKind.PUT):
            return former
        rse = ctx.targets[body.at]
        entry = LedgerEntry(
            kind=LedgerKind.DARK, name=f"{ctx.step_tag}.dark", rse=rse, count=body.count
        )
        ctx.ledger.intend(entry)
        return storage_bytes.begin(ctx, JobKind.PUT, rse, refs(ctx, entry, body.protocol))

    def look(self, ctx: Context, body: StrayBody, handle: Handle) -> Outcome:
        if "job" not in handle:
            return self.begin(ctx, body)
        rse = ctx.targets[body.at]
        status = storage_bytes.result(ctx, rse, handle)
        if not isinstance(status, JobStatus):
            return status
        return Done(
            measured={"files": body.count},
            evidence={"rse": rse},
            troubles=storage_bytes.troubles_of(rse, status),
        )

    def overdue(self, ctx: Context, body: StrayBody, handle: Handle) -> Done:
        return storage_bytes.give_up(ctx, ctx.targets[body.at], handle, JobKind.PUT)


class QuarantineBody(PlaceBody):
    """Nothing but where."""


class Quarantine:
    """Report the run's dark files to Rucio, and ask the storage until they are gone."""

    name: ClassVar[str] = "quarantine"
    title: ClassVar[str] = "Report dark files to Rucio, and wait until its dark-reaper removed them"
    checks: ClassVar[bool] = True
    Body = QuarantineBody

    def footprint(self, body: QuarantineBody, payload: Payload) -> Mapping[str, Footprint]:  # noqa: ARG002
        return {}

    def begin(self, ctx: Context, body: QuarantineBody) -> Outcome:
        rse = ctx.targets[body.at]
        if not entries(ctx, rse):
            return Done(measured={"files": 0}, evidence={"rse": rse})
        for entry in entries(ctx, rse):
            ctx.lake.catalogue.quarantine(rse, names(entry))
        return self._ask_storage(ctx, body, 1)

    def look(self, ctx: Context, body: QuarantineBody, handle: Handle) -> Outcome:
        rse, polls = ctx.targets[body.at], int(str(handle["polls"]))
        if "job" not in handle:
            return self._ask_storage(ctx, body, polls + 1)
        status = storage_bytes.result(ctx, rse, handle)
        if not isinstance(status, JobStatus):
            return status
        if troubles := storage_bytes.troubles_of(rse, status):
            return Done(evidence={"rse": rse}, troubles=troubles)
        if present := [one for one in status.outcomes if one.present]:
            note = Progress(note=f"{len(present)} dark files are still there")
            return Waiting({"polls": polls}, pace.pause(ctx.now - ctx.began_at), note)
        seconds = round((ctx.now - ctx.began_at).total_seconds(), 3)
        measured = {"files": len(status.outcomes), "gone_from_storage_seconds": seconds}
        return Done(measured=measured, evidence={"rse": rse})

    def overdue(self, ctx: Context, body: QuarantineBody, handle: Handle) -> Done:  # noqa: ARG002
        rse = ctx.targets[body.at]
        message = (
            f"dark files at {rse} are in quarantine, and still on the storage: Rucio's dark-reaper"
            " does not run, or the storage refuses its deletions"
        )
        stays = Trouble(code="dark-file-not-deleted", message=message, blame=RUCIO)
        return Done(evidence={"rse": rse}, troubles=(stays,))

    def _ask_storage(self, ctx: Context, body: QuarantineBody, polls: int) -> Outcome:
        rse = ctx.targets[body.at]
        files = tuple(ref for one in entries(ctx, rse) for ref in refs(ctx, one, body.protocol))
        return storage_bytes.begin(ctx, JobKind.STAT, rse, files, f"stat{polls}", polls=polls)


def entries(ctx: Context, rse: str) -> list[LedgerEntry]:
    """What the run's ledger says of dark files at the RSE that may still be there."""
    return [
        entry
        for entry in ctx.ledger.entries()
        if entry.is_open and (entry.kind, entry.rse) == (LedgerKind.DARK, rse)
    ]


def names(entry: LedgerEntry) -> list[str]:
    return [f"{entry.name}.{number:06d}" for number in range(entry.count)]


def refs(ctx: Context, entry: LedgerEntry, protocol: str | None = None) -> tuple[FileRef, ...]:
    """The dark files as they lie at their RSE; their payload is that of the run's own files."""
    urls = ctx.lake.catalogue.urls(str(entry.rse), names(entry), protocol)
    return tuple(
        FileRef(url=url, index=number, size_bytes=ctx.payload.size_bytes)
        for number, url in enumerate(urls)
    )


STRAY = Stray()
QUARANTINE = Quarantine()
