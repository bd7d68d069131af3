"""`recover`: a rule that came to no end is repaired, and comes to its end.

Rucio's judge-repairer looks at a STUCK rule half an hour after its last change. Operators who do
not want to wait boost the rule, and so does this step, once each time that it sees it STUCK.
"""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from dltest.errors import CatalogueError
from dltest.lake.ports import Rule, RuleState
from dltest.model import RUCIO, Footprint, Payload, Progress, Trouble
from dltest.steps import earlier, pace, stuck
from dltest.steps.replicate import with_state
from dltest.steps.step import Context, Done, Handle, Outcome, StepBody, Waiting


class RecoverBody(StepBody):
    at: str = Field(
        description="Target role of the RSE whose rule, made by `replicate`, must become OK.",
        examples=["destination"],
    )
    boost: bool = Field(
        default=True,
        description="Ask Rucio to look at it now; without, it does so after half an hour.",
        examples=[False],
    )

    def roles(self) -> tuple[str, ...]:
        return (self.at,)


class Recover:
    """Finds the rule in the records of the run, boosts it when it is STUCK, waits for OK."""

    name: ClassVar[str] = "recover"
    title: ClassVar[str] = "Have Rucio repair the run's rule at an RSE, and wait until it is OK"
    checks: ClassVar[bool] = True
    Body = RecoverBody

    def footprint(self, body: RecoverBody, payload: Payload) -> Mapping[str, Footprint]:  # noqa: ARG002
        """Nothing beyond what `replicate` counts."""
        return {}

    def begin(self, ctx: Context, body: RecoverBody) -> Outcome:
        return self.look(ctx, body, {})

    def look(self, ctx: Context, body: RecoverBody, handle: Handle) -> Outcome:
        rule = ctx.lake.catalogue.rule(_rule_id(ctx, body))
        handle = with_state(handle, rule)
        if rule.state is RuleState.OK and rule.locks_ok == ctx.payload.files:
            return self._recovered(ctx, body, rule, handle)
        if rule.state is RuleState.GONE:
            gone = Trouble(code="rule-gone", message=f"rule {rule.id} is gone", blame=RUCIO)
            return Done(evidence={"states": handle["states"]}, troubles=(gone,))
        return Waiting(
            self._boosted(ctx, body, rule, handle),
            pace.pause(ctx.now - ctx.began_at),
            Progress(files_done=rule.locks_ok, note=rule.state.value),
            rule.watch(),
        )

    def overdue(self, ctx: Context, body: RecoverBody, handle: Handle) -> Done:
        rule = ctx.lake.catalogue.rule(_rule_id(ctx, body))
        source = earlier.source_of_rule(ctx, rule.id)
        route = stuck.Route(source=source, destination=ctx.targets[body.at])
        seen = stuck.look_into(ctx, rule, route)
        states = with_state(handle, rule)["states"]
        evidence = {**_evidence(ctx, body, rule), "states": states, "why": seen.evidence}
        return Done(evidence=evidence, troubles=(seen.trouble,))

    def _boosted(self, ctx: Context, body: RecoverBody, rule: Rule, handle: Handle) -> Handle:
        """Once for each change of a STUCK rule: to be boosted twice does no harm."""
        changed = str(rule.updated_at)
        if not body.boost or rule.state is not RuleState.STUCK or handle.get("boosted") == changed:
            return handle
        ctx.lake.catalogue.boost(rule.id)
        return {**handle, "boosted": changed}

    def _recovered(self, ctx: Context, body: RecoverBody, rule: Rule, handle: Handle) -> Done:
        wait = ctx.now - ctx.began_at
        return Done(
            measured={
                "recovery_seconds": round(wait.total_seconds(), 3),
                "poll_seconds": pace.pause(wait).total_seconds(),
            },
            evidence={**_evidence(ctx, body, rule), "states": handle["states"]},
        )


def _rule_id(ctx: Context, body: RecoverBody) -> str:
    rse = ctx.targets[body.at]
    if made := earlier.rules_made(ctx, rse):
        return made[-1]
    raise CatalogueError(
        f"no step before has made a rule for {rse}", code="rule-gone", operation="recover a rule"
    )


def _evidence(ctx: Context, body: RecoverBody, rule: Rule) -> dict[str, str | None]:
    return {
        "rse": ctx.targets[body.at],
        "rule_id": rule.id,
        "rule_state": rule.state.value,
        "rule_error": rule.error,
    }


RECOVER = Recover()
