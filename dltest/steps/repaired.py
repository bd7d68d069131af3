"""`repaired`: Rucio has copied the bad replicas anew from a good one, and the bytes are right.

Rucio's necromancer turns BAD into COPYING with a transfer of activity Recovery, and the finisher
into AVAILABLE. Neither is believed: every byte is read back.
"""

from collections.abc import Mapping
from typing import ClassVar

from dltest.lake.ports import BadState, JobKind, JobStatus, Replica, ReplicaState
from dltest.model import RUCIO, Footprint, Payload, Progress, Trouble
from dltest.steps import bad_replicas, earlier, pace, stuck
from dltest.steps import bytes as storage_bytes
from dltest.steps.some_files import SomeFilesBody, names, numbers, refs
from dltest.steps.step import Context, Done, Handle, Outcome, Waiting
from dltest.steps.verify import with_checksums


class RepairedBody(SomeFilesBody):
    """Nothing but which files, and where."""


class Repaired:
    """Catalogue until all are RECOVERED, then all bytes; times count from `declare-bad`."""

    name: ClassVar[str] = "repaired"
    title: ClassVar[str] = "Wait until Rucio has repaired bad replicas, and compare every byte"
    checks: ClassVar[bool] = True
    Body = RepairedBody

    def footprint(self, body: RepairedBody, payload: Payload) -> Mapping[str, Footprint]:
        much = len(numbers(body, payload)) * payload.size_bytes
        return {body.at: Footprint(bytes_read=much, bytes_written=much)}

    def begin(self, ctx: Context, body: RepairedBody) -> Outcome:
        return self.look(ctx, body, {})

    def look(self, ctx: Context, body: RepairedBody, handle: Handle) -> Outcome:
        if "job" in handle:
            return self._look_at_bytes(ctx, body, handle)
        rse, wanted = ctx.targets[body.at], names(ctx, body)
        replicas = ctx.lake.catalogue.replicas(wanted, rse)
        left = [replica for replica in replicas if replica.state is not ReplicaState.AVAILABLE]
        if left:
            return self._wait(ctx, handle, left, len(replicas))
        unsettled = _unsettled(ctx, wanted, rse)
        if unsettled:
            return self._wait(ctx, handle, replicas, len(replicas))
        files = with_checksums(refs(ctx, body), replicas)
        seconds = (ctx.now - earlier.ended_at(ctx, "declare-bad")).total_seconds()
        return storage_bytes.begin(
            ctx, JobKind.READ, rse, files, repaired_seconds=round(seconds, 3)
        )

    def overdue(self, ctx: Context, body: RepairedBody, handle: Handle) -> Done:
        rse = ctx.targets[body.at]
        if "job" in handle:
            return storage_bytes.give_up(ctx, rse, handle, JobKind.READ)
        return Done(evidence={"rse": rse}, troubles=_not_repaired(ctx, names(ctx, body), rse))

    def _wait(self, ctx: Context, handle: Handle, left: list[Replica], all_of_them: int) -> Waiting:
        pause = pace.pause(ctx.now - ctx.began_at)
        note = Progress(files_done=all_of_them - len(left), note=left[0].state.value)
        return Waiting(handle, pause, note)

    def _look_at_bytes(self, ctx: Context, body: RepairedBody, handle: Handle) -> Outcome:
        rse = ctx.targets[body.at]
        status = storage_bytes.result(ctx, rse, handle)
        if not isinstance(status, JobStatus):
            return status
        moved = sum(outcome.size_bytes or 0 for outcome in status.outcomes)
        found = [outcome.adler32 for outcome in status.outcomes[: storage_bytes.TROUBLES_SHOWN]]
        return Done(
            measured={
                "files": len(status.outcomes),
                "bytes": moved,
                "repaired_seconds": float(str(handle["repaired_seconds"])),
                "poll_seconds": pace.pause(ctx.now - ctx.began_at).total_seconds(),
                **storage_bytes.throughput(moved, status),
            },
            evidence={"rse": rse, "adler32_read_back": list(found)},
            troubles=storage_bytes.troubles_of(rse, status),
        )


def _unsettled(ctx: Context, wanted: list[str], rse: str) -> list[str]:
    """Files that were declared bad and that the list does not call RECOVERED."""
    lines = bad_replicas.latest(ctx, wanted, rse).values()
    return [line.name for line in lines if line.state is not BadState.RECOVERED]


def _not_repaired(ctx: Context, wanted: list[str], rse: str) -> tuple[Trouble, ...]:
    """BAD for all this time: the necromancer; COPYING: the transfer that it asked for."""
    replicas = ctx.lake.catalogue.replicas(wanted, rse)
    states = {replica.state for replica in replicas}
    if ReplicaState.BAD not in states and states & {ReplicaState.COPYING, ReplicaState.UNAVAILABLE}:
        rules = ctx.lake.catalogue.rules(ctx.dataset)
        broken = [rule for rule in rules if rule.locks_ok < ctx.payload.files]
        if broken:
            return stuck.why(ctx, broken[0], stuck.Route(source=None, destination=rse))
    told = "/".join(sorted(state.value for state in states))
    message = f"replicas at {rse} were declared bad and are still {told}"
    message += ": Rucio's necromancer does not run" if ReplicaState.BAD in states else ""
    return (Trouble(code="not-repaired", message=message, blame=RUCIO),)


REPAIRED = Repaired()
