"""`corrupt`: damage the run's own files on a storage, to see whether the lake notices.

Done through the storage's own protocols, so that it works where dltest has no disk, and read
back: a damage that did not happen would make every check after it look good.
"""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from dltest.errors import PlanError
from dltest.lake.damage import Damage
from dltest.lake.ports import FileRef, JobKind, JobStatus
from dltest.model import SCENARIO, Footprint, LedgerKind, Payload, Trouble
from dltest.steps import bytes as storage_bytes
from dltest.steps.some_files import SomeFilesBody, names, numbers, refs
from dltest.steps.step import Context, Done, Handle, Outcome
from dltest.steps.verify import with_checksums

PAIR = 2


class CorruptBody(SomeFilesBody):
    how: Damage = Field(
        description="`truncate` keeps the first half; `append` adds 1 KiB; `remove` is a lost"
        " file; `swap-two-files` gives each of two files the other's content.",
        examples=["flip-one-bit", "remove"],
    )
    behind: bool = Field(
        default=False,
        description="Behind the server's back, on its disk, so that the checksum that it has"
        " remembered lies. Where dltest has no such disk, the run is `skipped`.",
        examples=[True],
    )


class Corrupt:
    """Overwrite, and confirm. Touches nothing that is not in the run's own ledger."""

    name: ClassVar[str] = "corrupt"
    title: ClassVar[str] = "Damage the run's own files on a storage"
    checks: ClassVar[bool] = False
    breaks: ClassVar[bool] = True
    Body = CorruptBody

    def footprint(self, body: CorruptBody, payload: Payload) -> Mapping[str, Footprint]:
        """Damage needs a permission of its own; see `planning.permissions`."""
        meant = numbers(body, payload)
        if body.how is Damage.SWAP_TWO_FILES and len(meant) != PAIR:
            raise PlanError(
                f"`corrupt: {{how: swap-two-files}}` means {len(meant)} files; name two in its"
                " `files`, or let the payload have two"
            )
        much = len(meant) * payload.size_bytes
        return {body.at: Footprint(bytes_written=much, bytes_read=much, files_damaged=len(meant))}

    def begin(self, ctx: Context, body: CorruptBody) -> Outcome:
        if former := storage_bytes.former_still_runs(ctx, JobKind.DAMAGE):
            return former
        rse = ctx.targets[body.at]
        if not _is_ours(ctx, rse):
            message = f"this run has made no replicas at {rse}, so nothing there may be damaged"
            foreign = Trouble(code="not-ours", message=message, blame=SCENARIO)
            return Done(evidence={"rse": rse}, troubles=(foreign,), known=False)
        return storage_bytes.begin(ctx, JobKind.DAMAGE, rse, _files(ctx, body))

    def look(self, ctx: Context, body: CorruptBody, handle: Handle) -> Outcome:
        if "job" not in handle:
            return self.begin(ctx, body)
        rse = ctx.targets[body.at]
        status = storage_bytes.result(ctx, rse, handle)
        if not isinstance(status, JobStatus):
            return status
        troubles = storage_bytes.troubles_of(rse, status)
        if troubles:
            # Nothing was learnt of the lake: the fault itself could not be made.
            return Done(evidence={"rse": rse}, troubles=troubles, known=False)
        found = [outcome.adler32 for outcome in status.outcomes[: storage_bytes.TROUBLES_SHOWN]]
        return Done(
            measured={"files": len(status.outcomes)},
            evidence={
                "rse": rse,
                "damage": body.how.value,
                "behind": body.behind,
                "adler32_now": list(found),
            },
        )

    def overdue(self, ctx: Context, body: CorruptBody, handle: Handle) -> Done:
        return storage_bytes.give_up(ctx, ctx.targets[body.at], handle, JobKind.DAMAGE)


def _is_ours(ctx: Context, rse: str) -> bool:
    return any(
        (entry.kind, entry.name, entry.rse) == (LedgerKind.REPLICAS, ctx.dataset, rse)
        for entry in ctx.ledger.entries()
    )


def _files(ctx: Context, body: CorruptBody) -> tuple[FileRef, ...]:
    """Each with its catalogue checksum, which its damage must not have."""
    rse = ctx.targets[body.at]
    replicas = ctx.lake.catalogue.replicas(names(ctx, body), rse)
    files = with_checksums(refs(ctx, body), replicas)
    contents = files[::-1] if body.how is Damage.SWAP_TWO_FILES else files
    return tuple(
        file.model_copy(update={"index": content.index, "damage": body.how, "behind": body.behind})
        for file, content in zip(files, contents, strict=True)
    )


CORRUPT = Corrupt()
