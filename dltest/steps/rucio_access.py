"""`rucio-access`: another account tries what only the owner of the data may do.

One deed a look. What a Rucio without access rules would let happen concerns the run's own data
alone, or the quota of the other account.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

from pydantic import JsonValue

from dltest.errors import PlanError
from dltest.lake.ports import Belongings, Deed, RuleState, Stranger
from dltest.model import SCENARIO, Footprint, Payload, Trouble
from dltest.steps.step import Context, Done, Handle, Outcome, PlaceBody, Waiting

AT_ONCE = timedelta(milliseconds=1)
NOBODY = Trouble(
    code="not-supported",
    message="the lake file names no other account (`rucio.stranger`)",
    blame=SCENARIO,
)


class RucioAccessBody(PlaceBody):
    """Nothing but where."""


class RucioAccess:
    """After an upload; the judge knows which deeds must be refused."""

    name: ClassVar[str] = "rucio-access"
    title: ClassVar[str] = "Let another account try what only the owner of the data may do"
    checks: ClassVar[bool] = True
    Body = RucioAccessBody

    def footprint(self, body: RucioAccessBody, payload: Payload) -> Mapping[str, Footprint]:  # noqa: ARG002
        return {}

    def begin(self, ctx: Context, body: RucioAccessBody) -> Outcome:
        if ctx.lake.stranger is None:
            return Done(troubles=(NOBODY,), known=False)
        return self.look(ctx, body, {"tried": []})

    def look(self, ctx: Context, body: RucioAccessBody, handle: Handle) -> Outcome:
        stranger = ctx.lake.stranger
        if stranger is None:
            return Done(troubles=(NOBODY,), known=False)
        told = handle.get("tried")
        tried = list(told) if isinstance(told, list) else []
        left = list(Deed)[len(tried) :]
        on = _belongings(ctx, ctx.targets[body.at])
        if left:
            return Waiting({"tried": [*tried, _told(stranger, left[0], on)]}, AT_ONCE)
        rule = ctx.lake.catalogue.rule(on.rule_id)
        return Done(
            measured={"deeds": len(tried)},
            evidence={
                "rse": on.rse,
                "stranger": stranger.account,
                "access": tried,
                "rule_stands": rule.state is RuleState.OK,
            },
        )

    def overdue(self, ctx: Context, body: RucioAccessBody, handle: Handle) -> Done:
        return Done(evidence={"rse": ctx.targets[body.at], "access": handle.get("tried")})


def _belongings(ctx: Context, rse: str) -> Belongings:
    """What an earlier step of the run has made at the RSE.

    Raises:
        PlanError: nothing.
    """
    rules = [
        str(record.evidence["rule_id"])
        for record in ctx.earlier
        if record.evidence.get("rse") == rse and "rule_id" in record.evidence
    ]
    if not rules:
        raise PlanError("`rucio-access` needs an `upload` to the same RSE before it")
    return Belongings(
        dataset=ctx.dataset,
        file=ctx.file_names()[0],
        size_bytes=ctx.payload.size_bytes,
        rse=rse,
        rule_id=rules[-1],
    )


def _told(stranger: Stranger, deed: Deed, on: Belongings) -> dict[str, JsonValue]:
    attempt = stranger.attempt(deed, on)
    return {"deed": deed.value, **attempt.model_dump(mode="json")}


RUCIO_ACCESS = RucioAccess()
