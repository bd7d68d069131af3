"""`block` and `unblock`: forbid Rucio an operation at an RSE, as operators do in a downtime.

By the RSE's availability in Rucio, for everybody: so only at RSEs that were given for faults, and
only what is allowed when the run comes. The clean-up allows again whatever the run forbade.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from dltest.lake.ports import Operation
from dltest.model import RSE, SCENARIO, Footprint, LedgerEntry, LedgerKind, Payload, Trouble
from dltest.steps.step import Context, Done, Handle, Outcome, StepBody


class BlockBody(StepBody):
    at: str = Field(description="Target role of the RSE.", examples=["source"])
    operation: Operation = Field(
        description="What Rucio may not do there.", examples=["read", "write", "delete"]
    )

    def roles(self) -> tuple[str, ...]:
        return (self.at,)


class BlockStep(ABC):
    """What both have in common."""

    checks: ClassVar[bool] = False
    breaks: ClassVar[bool] = True
    Body = BlockBody

    def footprint(self, body: BlockBody, payload: Payload) -> Mapping[str, Footprint]:  # noqa: ARG002
        return {}

    def disturbs(self, body: BlockBody) -> tuple[str, ...]:
        return (body.at,)

    @abstractmethod
    def begin(self, ctx: Context, body: BlockBody) -> Outcome:
        """Repeatable, so that a look is another begin."""

    def look(self, ctx: Context, body: BlockBody, handle: Handle) -> Outcome:  # noqa: ARG002
        return self.begin(ctx, body)

    def overdue(self, ctx: Context, body: BlockBody, handle: Handle) -> Done:  # noqa: ARG002
        return _done(ctx, body)


class Block(BlockStep):
    """Refuses to block what somebody else blocked: it would be allowed again at our end."""

    name: ClassVar[str] = "block"
    title: ClassVar[str] = "Forbid Rucio to read, write or delete at an RSE"

    def begin(self, ctx: Context, body: BlockBody) -> Outcome:
        rse = ctx.targets[body.at]
        entry = LedgerEntry(kind=LedgerKind.BLOCK, name=body.operation.value, rse=rse)
        if entry not in ctx.ledger.entries():
            if trouble := _obstacle(ctx.lake.catalogue.rse(rse), body.operation):
                return Done(troubles=(trouble,), known=False)
            ctx.ledger.intend(entry)
        ctx.lake.catalogue.allow(rse, body.operation, allowed=False)
        return _done(ctx, body)


class Unblock(BlockStep):
    """Only what `block` of the same run forbade. The entry stays open for the clean-up."""

    name: ClassVar[str] = "unblock"
    title: ClassVar[str] = "Allow Rucio again what `block` forbade"

    def begin(self, ctx: Context, body: BlockBody) -> Outcome:
        rse = ctx.targets[body.at]
        entry = LedgerEntry(kind=LedgerKind.BLOCK, name=body.operation.value, rse=rse)
        if entry in ctx.ledger.entries():
            ctx.lake.catalogue.allow(rse, body.operation, allowed=True)
        return _done(ctx, body)


def _obstacle(rse: RSE, operation: Operation) -> Trouble | None:
    if not rse.is_for_faults:
        why = "its operators did not give it for faults, by dltest-faults=True"
    elif not rse.allows(operation):
        why = f"somebody else has blocked it for {operation} already"
    else:
        return None
    message = f"{rse.name} is not blocked by us: {why}"
    return Trouble(code="fault-not-permitted", message=message, blame=SCENARIO)


def allow_all(ctx: Context, entries: list[LedgerEntry]) -> list[LedgerEntry]:
    """Allows what these entries of the run's own forbid; gives those that are allowed."""
    blocks = [entry for entry in entries if entry.kind is LedgerKind.BLOCK]
    for entry in blocks:
        ctx.lake.catalogue.allow(str(entry.rse), Operation(entry.name), allowed=True)
    rse = ctx.lake.catalogue.rse
    return [entry for entry in blocks if rse(str(entry.rse)).allows(entry.name)]


def _done(ctx: Context, body: BlockBody) -> Done:
    return Done(evidence={"rse": ctx.targets[body.at], "operation": body.operation.value})


BLOCK = Block()
UNBLOCK = Unblock()
