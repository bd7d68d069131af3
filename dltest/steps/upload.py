"""`upload`: bring the run's files to an RSE and tell the catalogue of them, in bulk.

Bytes first, then the catalogue, as `rucio upload --register-after-upload` does: a catalogue
entry never promises bytes that are not there. One dataset holds all files of a run, so that one
call ends everything.
"""

import time
from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from dltest.lake.ports import FileFacts, JobKind, JobStatus
from dltest.model import Footprint, LedgerEntry, LedgerKind, Payload
from dltest.steps import bytes as storage_bytes
from dltest.steps.step import Context, Done, Handle, Outcome, StorageStepBody


class UploadBody(StorageStepBody):
    to: str = Field(
        description="Target role of the RSE that receives the files.", examples=["source"]
    )

    checksum: Literal["right", "wrong"] = Field(
        "right",
        description="`wrong` tells the catalogue another checksum than that of the bytes, as a"
        " broken uploader would: nothing may ever call a copy of such a file good.",
        examples=["wrong"],
    )

    def roles(self) -> tuple[str, ...]:
        return (self.to,)


class Upload:
    """Make the payload, write it to the RSE, register files, dataset and rule."""

    name: ClassVar[str] = "upload"
    title: ClassVar[str] = "Write the run's files to an RSE and register them in Rucio"
    checks: ClassVar[bool] = False
    breaking_keys: ClassVar[frozenset[str]] = frozenset({"checksum"})
    Body = UploadBody

    def footprint(self, body: UploadBody, payload: Payload) -> Mapping[str, Footprint]:
        written = Footprint(
            files_written=payload.files,
            bytes_written=payload.total_bytes,
            files_deleted=payload.files,
        )
        return {body.to: written}

    def begin(self, ctx: Context, body: UploadBody) -> Outcome:
        if former := storage_bytes.former_still_runs(ctx, JobKind.PUT):
            return former
        rse = ctx.targets[body.to]
        files = ctx.refs(rse, body.protocol)
        ctx.ledger.intend(
            LedgerEntry(
                kind=LedgerKind.REPLICAS, name=ctx.dataset, rse=rse, count=ctx.payload.files
            )
        )
        return storage_bytes.begin(ctx, JobKind.PUT, rse, files)

    def look(self, ctx: Context, body: UploadBody, handle: Handle) -> Outcome:
        if "job" not in handle:
            return self.begin(ctx, body)
        rse = ctx.targets[body.to]
        status = storage_bytes.result(ctx, rse, handle)
        if not isinstance(status, JobStatus):
            return status
        if troubles := storage_bytes.troubles_of(rse, status):
            return Done(evidence={"rse": rse}, troubles=troubles)
        return self._register(ctx, body, status)

    def overdue(self, ctx: Context, body: UploadBody, handle: Handle) -> Done:
        return storage_bytes.give_up(ctx, ctx.targets[body.to], handle, JobKind.PUT)

    def _register(self, ctx: Context, body: UploadBody, status: JobStatus) -> Done:
        rse = ctx.targets[body.to]
        # One rule for all attempts: it keeps the same files, and Rucio refuses a second one alike.
        ctx.ledger.intend(
            LedgerEntry(kind=LedgerKind.DATASET, name=ctx.dataset, count=ctx.payload.files),
            LedgerEntry(kind=LedgerKind.RULE, name=ctx.step_tag),
        )
        began = time.perf_counter()
        facts = [
            FileFacts(
                name=name,
                size_bytes=ctx.payload.size_bytes,
                adler32=_told(body, str(outcome.adler32)),
            )
            for name, outcome in zip(ctx.file_names(), status.outcomes, strict=True)
        ]
        ctx.lake.catalogue.register(ctx.dataset, rse, facts, ctx.data_lifetime)
        rule_id = ctx.lake.catalogue.add_rule(
            ctx.dataset, rse, tag=ctx.step_tag, lifetime=ctx.data_lifetime
        )
        return Done(
            measured={
                "files": ctx.payload.files,
                "bytes": ctx.payload.total_bytes,
                "register_seconds": round(time.perf_counter() - began, 3),
                **storage_bytes.throughput(ctx.payload.total_bytes, status),
            },
            evidence={
                "rse": rse,
                "rule_id": rule_id,
                "dataset": ctx.dataset,
                "adler32": [fact.adler32 for fact in facts[: storage_bytes.TROUBLES_SHOWN]],
                **({"damage": "wrong-checksum"} if body.checksum == "wrong" else {}),
            },
        )


def _told(body: UploadBody, adler32: str) -> str:
    """What the catalogue is told: the checksum, or that of nothing we ever made."""
    return adler32 if body.checksum == "right" else f"{int(adler32, 16) ^ 1:08x}"


UPLOAD = Upload()
