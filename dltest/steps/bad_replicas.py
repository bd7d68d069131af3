"""What steps share that read Rucio's list of bad replicas."""

from collections.abc import Sequence
from datetime import timedelta

from dltest.lake.ports import BadReplica, BadState
from dltest.steps import earlier
from dltest.steps.step import Context

REASON = "damaged on purpose by a dltest run"

# Rucio's clock may differ from ours by so much, and its times are whole seconds.
SKEW = timedelta(seconds=5)


def since_step_began(ctx: Context, names: Sequence[str], rse: str) -> list[BadReplica]:
    """Lines of this step's time."""
    return ctx.lake.catalogue.bad_replicas(names, rse, ctx.began_at - SKEW)


def latest(ctx: Context, names: Sequence[str], rse: str) -> dict[str, BadReplica]:
    """By name, the last line of the run that is more than a suspicion."""
    lines = _of_this_run(ctx, names, rse)
    return {line.name: line for line in lines if line.state is not BadState.SUSPICIOUS}


def latest_and_suspicions(ctx: Context, names: Sequence[str], rse: str) -> dict[str, set[BadState]]:
    """By name, how the list calls it since it was last declared, suspicions included."""
    told: dict[str, set[BadState]] = {}
    for line in _of_this_run(ctx, names, rse):
        before = told.get(line.name, set())
        kept = before if line.state is BadState.SUSPICIOUS else before & {BadState.SUSPICIOUS}
        told[line.name] = kept | {line.state}
    return told


def _of_this_run(ctx: Context, names: Sequence[str], rse: str) -> list[BadReplica]:
    return ctx.lake.catalogue.bad_replicas(names, rse, earlier.run_began_at(ctx) - SKEW)
