"""`download`: fetch the files from one RSE as a user's `rucio download` does.

The copy is checked against the catalogue's checksum while it is fetched, and against the payload
after: a download that silently gives other bytes is the worst answer of all.
"""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from dltest.lake.ports import JobKind, JobStatus
from dltest.model import Footprint, Payload
from dltest.steps import bytes as storage_bytes
from dltest.steps.step import Context, Done, Handle, Outcome, StorageStepBody
from dltest.steps.verify import replica_troubles, with_checksums


class DownloadBody(StorageStepBody):
    from_: str = Field(
        alias="from", description="Target role of the RSE that is read.", examples=["source"]
    )

    def roles(self) -> tuple[str, ...]:
        return (self.from_,)


class Download:
    """Copy every file to the spool with its catalogue checksum, compare, and drop it."""

    name: ClassVar[str] = "download"
    title: ClassVar[str] = "Fetch the run's files from an RSE and compare them"
    checks: ClassVar[bool] = True
    Body = DownloadBody

    def footprint(self, body: DownloadBody, payload: Payload) -> Mapping[str, Footprint]:
        return {body.from_: Footprint(bytes_read=payload.total_bytes)}

    def begin(self, ctx: Context, body: DownloadBody) -> Outcome:
        rse = ctx.targets[body.from_]
        replicas = ctx.lake.catalogue.replicas(ctx.file_names(), rse)
        if troubles := replica_troubles(replicas, ctx.payload):
            return Done(evidence={"rse": rse}, troubles=troubles)
        files = with_checksums(ctx.refs(rse, body.protocol), replicas)
        return storage_bytes.begin(ctx, JobKind.GET, rse, files)

    def look(self, ctx: Context, body: DownloadBody, handle: Handle) -> Outcome:
        rse = ctx.targets[body.from_]
        status = storage_bytes.result(ctx, rse, handle)
        if not isinstance(status, JobStatus):
            return status
        return Done(
            measured={
                "files": len(status.outcomes),
                "bytes": sum(outcome.size_bytes or 0 for outcome in status.outcomes),
                **storage_bytes.throughput(ctx.payload.total_bytes, status),
            },
            evidence={"rse": rse},
            troubles=storage_bytes.troubles_of(rse, status),
        )

    def overdue(self, ctx: Context, body: DownloadBody, handle: Handle) -> Done:
        return storage_bytes.give_up(ctx, ctx.targets[body.from_], handle, JobKind.GET)


DOWNLOAD = Download()
