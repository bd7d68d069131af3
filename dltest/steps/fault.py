"""`break` and `heal`: have the lake's own operators break it on purpose, and mend it again.

Only lakes that can be broken have this door (`LakePorts.faults`), and those are labs. What the
lake then does is for other steps to see, who know nothing of the fault. Whatever a run broke is
healed by its clean-up too, since a run may end between the two.
"""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field, model_validator

from dltest.errors import NO_SUCH_FAULT, FaultError
from dltest.lake.ports import Faults
from dltest.model import DLTEST, LAKE, Footprint, LedgerEntry, LedgerKind, Payload, Trouble
from dltest.steps import pace
from dltest.steps.step import Context, Done, Handle, Outcome, StepBody, Waiting


class FaultBody(StepBody):
    fault: str = Field(
        description="What is the matter; `dltest lab break --help` lists what a lab can have.",
        examples=["storage-down", "daemon-down"],
    )
    at: str | None = Field(
        None,
        description="Target role of the RSE, for a fault of a storage element.",
        examples=["source"],
    )
    daemon: str | None = Field(
        None,
        description="Rucio's daemon, for a fault of one.",
        examples=["conveyor-poller"],
    )

    @model_validator(mode="after")
    def _is_of_one_thing(self) -> "FaultBody":
        if self.at and self.daemon:
            raise ValueError("write `at` or `daemon`, not both")
        return self

    def roles(self) -> tuple[str, ...]:
        return (self.at,) if self.at else ()

    def target(self, ctx: Context) -> str | None:
        return ctx.targets[self.at] if self.at else self.daemon


class FaultStep:
    """What `break` and `heal` have in common."""

    checks: ClassVar[bool] = False
    breaks: ClassVar[bool] = True
    needs_faults: ClassVar[bool] = True
    Body = FaultBody

    def footprint(self, body: FaultBody, payload: Payload) -> Mapping[str, Footprint]:  # noqa: ARG002
        return {}

    def disturbs(self, body: FaultBody) -> tuple[str, ...]:
        """The RSE, or else all that the lake's RSEs share."""
        return (body.at,) if body.at else (LAKE,)


class Break(FaultStep):
    """Asks until it is so; the ledger knows of it before."""

    name: ClassVar[str] = "break"
    title: ClassVar[str] = "Break the lake on purpose, where its operators let us: in a lab"

    def begin(self, ctx: Context, body: FaultBody) -> Outcome:
        ctx.ledger.intend(entry_of(body.fault, body.target(ctx)))
        return self.look(ctx, body, {})

    def look(self, ctx: Context, body: FaultBody, handle: Handle) -> Outcome:
        if not doors(ctx).break_(body.fault, body.target(ctx), ctx.run_id):
            return Waiting(handle, pace.SOONEST)
        return Done(evidence=_evidence(ctx, body))

    def overdue(self, ctx: Context, body: FaultBody, handle: Handle) -> Done:  # noqa: ARG002
        return _unknown(ctx, body, "not in effect")


class Heal(FaultStep):
    """Asks until all is well again. The entry stays open: only the clean-up settles."""

    name: ClassVar[str] = "heal"
    title: ClassVar[str] = "Mend what `break` broke, and wait until the part is well again"

    def begin(self, ctx: Context, body: FaultBody) -> Outcome:
        return self.look(ctx, body, {})

    def look(self, ctx: Context, body: FaultBody, handle: Handle) -> Outcome:
        if not doors(ctx).heal(body.fault, body.target(ctx), ctx.run_id):
            return Waiting(handle, pace.SOONEST)
        return Done(evidence=_evidence(ctx, body))

    def overdue(self, ctx: Context, body: FaultBody, handle: Handle) -> Done:  # noqa: ARG002
        return _unknown(ctx, body, "not healed")


def doors(ctx: Context) -> Faults:
    """The engine skips cases that need this where there is none, so it is there."""
    if ctx.lake.faults is None:
        raise RuntimeError("this lake has no operators who break it")
    return ctx.lake.faults


def entry_of(fault: str, target: str | None) -> LedgerEntry:
    """As the ledger knows it; `heal_all` reads it back."""
    return LedgerEntry(kind=LedgerKind.FAULT, name=f"{fault} {target or ''}".rstrip())


def heal_all(ctx: Context, entries: list[LedgerEntry]) -> list[LedgerEntry]:
    """Asks for the end of these faults of the run's own; gives those that are over."""
    return [one for one in entries if one.kind is LedgerKind.FAULT and _is_healed(ctx, one)]


def _is_healed(ctx: Context, entry: LedgerEntry) -> bool:
    try:
        return doors(ctx).heal(*_read(entry), ctx.run_id)
    except FaultError as error:
        # What no lake can have was never broken; it must not keep the rest from its clean-up.
        if error.code != NO_SUCH_FAULT:
            raise
        return True


def _read(entry: LedgerEntry) -> tuple[str, str | None]:
    fault, _, target = entry.name.partition(" ")
    return fault, target or None


def _evidence(ctx: Context, body: FaultBody) -> dict[str, str]:
    target = body.target(ctx)
    return {"fault": body.fault, **({"target": target} if target else {})}


def _unknown(ctx: Context, body: FaultBody, state: str) -> Done:
    """That the lab does not break says nothing of the lake."""
    told = f"{body.fault} {body.target(ctx) or ''}".rstrip()
    trouble = Trouble(
        code="fault-not-injected", message=f"the fault {told} is {state} in time", blame=DLTEST
    )
    return Done(evidence=_evidence(ctx, body), troubles=(trouble,), known=False)


BREAK = Break()
HEAL = Heal()
