"""`verify`: the rule is OK, the replicas are AVAILABLE, and the bytes on the storage are ours.

Neither the catalogue's word nor the checksum that a storage has cached is proof: XRootD keeps a
file's checksum by its modification time in whole seconds, so silent rot hides behind it. Every
byte is read back from the storage and compared with the payload.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from dltest.lake.ports import FileRef, JobKind, JobStatus, Replica, ReplicaState, RuleState
from dltest.model import RUCIO, Footprint, Payload, Trouble
from dltest.steps import bytes as storage_bytes
from dltest.steps import earlier
from dltest.steps.step import Context, Done, Handle, Outcome, PlaceBody


class VerifyBody(PlaceBody):
    """Nothing but where."""


class Verify:
    """Catalogue first, since it is cheap; then all bytes."""

    name: ClassVar[str] = "verify"
    title: ClassVar[str] = "Check rule, replica states, and every byte read back from the storage"
    checks: ClassVar[bool] = True
    Body = VerifyBody

    def footprint(self, body: VerifyBody, payload: Payload) -> Mapping[str, Footprint]:
        return {body.at: Footprint(bytes_read=payload.total_bytes)}

    def begin(self, ctx: Context, body: VerifyBody) -> Outcome:
        rse = ctx.targets[body.at]
        replicas = ctx.lake.catalogue.replicas(ctx.file_names(), rse)
        if troubles := rule_troubles(ctx, rse) + replica_troubles(replicas, ctx.payload):
            return Done(evidence={"rse": rse}, troubles=troubles)
        files = with_checksums(ctx.refs(rse, body.protocol), replicas)
        return storage_bytes.begin(ctx, JobKind.READ, rse, files)

    def look(self, ctx: Context, body: VerifyBody, handle: Handle) -> Outcome:
        rse = ctx.targets[body.at]
        status = storage_bytes.result(ctx, rse, handle)
        if not isinstance(status, JobStatus):
            return status
        checksums = [outcome.adler32 for outcome in status.outcomes[:5]]
        return Done(
            measured={
                "files": len(status.outcomes),
                "bytes": sum(outcome.size_bytes or 0 for outcome in status.outcomes),
                **storage_bytes.throughput(ctx.payload.total_bytes, status),
            },
            evidence={"rse": rse, "adler32_read_back": list(checksums)},
            troubles=storage_bytes.troubles_of(rse, status),
        )

    def overdue(self, ctx: Context, body: VerifyBody, handle: Handle) -> Done:
        return storage_bytes.give_up(ctx, ctx.targets[body.at], handle, JobKind.READ)


def rule_troubles(ctx: Context, rse: str) -> tuple[Trouble, ...]:
    """The rule that put the files at the RSE, if this run made one, must be OK with all locks."""
    made = earlier.rules_made(ctx, rse)
    if not made:
        return ()
    rule = ctx.lake.catalogue.rule(made[-1])
    if rule.state is RuleState.OK and rule.locks_ok == ctx.payload.files:
        return ()
    message = f"rule {rule.id} is {rule.state} with {rule.locks_ok} of {ctx.payload.files} locks OK"
    return (Trouble(code="rule-not-ok", message=message, blame=RUCIO),)


def with_checksums(files: tuple[FileRef, ...], replicas: Sequence[Replica]) -> tuple[FileRef, ...]:
    """The files, each with the catalogue's checksum as the one to be met."""
    return tuple(
        file.model_copy(update={"adler32": replica.adler32})
        for file, replica in zip(files, replicas, strict=True)
    )


def replica_troubles(replicas: Sequence[Replica], payload: Payload) -> tuple[Trouble, ...]:
    """What the catalogue says wrong of the replicas; a handful stands for all."""
    wrong = [trouble for replica in replicas if (trouble := _wrong(replica, payload))]
    return tuple(wrong[: storage_bytes.TROUBLES_SHOWN])


def _wrong(replica: Replica, payload: Payload) -> Trouble | None:
    where = f"replica of {replica.name} at {replica.rse}"
    if replica.state is not ReplicaState.AVAILABLE:
        message = f"{where} is {replica.state}"
        return Trouble(code="replica-not-available", message=message, blame=RUCIO)
    if replica.size_bytes != payload.size_bytes:
        message = (
            f"{where} has {replica.size_bytes} bytes in the catalogue, not {payload.size_bytes}"
        )
        return Trouble(code="catalogue-size-wrong", message=message, blame=RUCIO)
    return None


VERIFY = Verify()
