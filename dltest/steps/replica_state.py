"""`replica-state`: what the catalogue and its list of bad replicas say of the run's replicas."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, JsonValue

from dltest.lake.ports import BadState, ReplicaState
from dltest.model import RUCIO, Footprint, Payload, Progress, Trouble
from dltest.steps import bad_replicas, pace
from dltest.steps.some_files import SomeFilesBody, names, numbers
from dltest.steps.step import Context, Done, Handle, Outcome, Waiting

State = Literal[
    "available",
    "unavailable",
    "copying",
    "being-deleted",
    "bad",
    "temporary-unavailable",
    "missing",
]
Listed = Literal["bad", "recovered", "lost", "deleted", "suspicious", "nowhere"]


class ReplicaStateBody(SomeFilesBody):
    is_: State | tuple[State, ...] | None = Field(
        None,
        alias="is",
        description="The state that each replica must come to, or several of which any will do;"
        " `missing` is not in the catalogue at all. One that lasts a moment may be missed.",
        examples=["available", ["bad", "copying"]],
    )
    listed: Listed | None = Field(
        None,
        description="How the list of bad replicas must call each of them in the end: `nowhere`"
        " is not at all.",
        examples=["recovered", "nowhere"],
    )

    def states(self) -> tuple[State, ...]:
        """Any of which will do; empty when nothing is said of it."""
        return (self.is_,) if isinstance(self.is_, str) else self.is_ or ()


class ReplicaStates:
    """Ask until both fit."""

    name: ClassVar[str] = "replica-state"
    title: ClassVar[str] = "Wait until replicas are in a state, in catalogue and bad-replica list"
    checks: ClassVar[bool] = True
    Body = ReplicaStateBody

    def footprint(self, body: ReplicaStateBody, payload: Payload) -> Mapping[str, Footprint]:
        numbers(body, payload)
        return {}

    def begin(self, ctx: Context, body: ReplicaStateBody) -> Outcome:
        return self.look(ctx, body, {})

    def look(self, ctx: Context, body: ReplicaStateBody, handle: Handle) -> Outcome:
        seen = _seen(ctx, body)
        wrong = [name for name, (state, listed) in seen.items() if not _fits(body, state, listed)]
        if not wrong:
            return Done(
                measured={
                    "files": len(seen),
                    "waited_seconds": round((ctx.now - ctx.began_at).total_seconds(), 3),
                    "poll_seconds": pace.pause(ctx.now - ctx.began_at).total_seconds(),
                },
                evidence=_evidence(ctx, body, seen),
            )
        note = Progress(
            files_done=len(seen) - len(wrong), note=" and ".join(_words(*seen[wrong[0]]))
        )
        return Waiting(handle, pace.pause(ctx.now - ctx.began_at), note)

    def overdue(self, ctx: Context, body: ReplicaStateBody, handle: Handle) -> Done:  # noqa: ARG002
        seen, rse = _seen(ctx, body), ctx.targets[body.at]
        wrong = [facts for facts in seen.values() if not _fits(body, *facts)]
        told = " and ".join(_words(*wrong[0])) if wrong else "as expected by now"
        message = f"{len(wrong)} of {len(seen)} replicas at {rse} are {told}"
        other = Trouble(code="replica-state-wrong", message=message, blame=RUCIO)
        return Done(evidence=_evidence(ctx, body, seen), troubles=(other,))


def _seen(ctx: Context, body: ReplicaStateBody) -> dict[str, tuple[ReplicaState, set[BadState]]]:
    """By name: its state, and what its lines in the list say, the last declaration alone."""
    rse, wanted = ctx.targets[body.at], names(ctx, body)
    replicas = ctx.lake.catalogue.replicas(wanted, rse)
    lines = bad_replicas.latest_and_suspicions(ctx, wanted, rse) if body.listed else {}
    return {replica.name: (replica.state, lines.get(replica.name, set())) for replica in replicas}


def _fits(body: ReplicaStateBody, state: ReplicaState, listed: set[BadState]) -> bool:
    if (states := body.states()) and _kebab(state.value) not in states:
        return False
    if body.listed is None:
        return True
    return not listed if body.listed == "nowhere" else BadState[body.listed.upper()] in listed


def _words(state: ReplicaState, listed: set[BadState]) -> list[str]:
    return [state.value, f"listed as {'/'.join(sorted(listed)) or 'nothing'}"]


def _kebab(word: str) -> str:
    return word.lower().replace("_", "-")


def _evidence(
    ctx: Context,
    body: ReplicaStateBody,
    seen: Mapping[str, tuple[ReplicaState, set[BadState]]],
) -> dict[str, JsonValue]:
    return {
        "rse": ctx.targets[body.at],
        "states": [*sorted({state.value for state, _ in seen.values()})],
        "listed": [*sorted({word.value for _, listed in seen.values() for word in listed})],
    }


REPLICA_STATE = ReplicaStates()
