"""`delete`: ask Rucio to let go of the run's files, in one of the ways that it knows.

The request is all that this step does; `absent` looks whether it was obeyed, and `kept` whether
anything went with it that should have stayed.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar, Literal

from pydantic import Field, JsonValue, model_validator

from dltest.lake.ports import Rule, RuleState
from dltest.model import RUCIO, Footprint, Payload, Progress, Trouble
from dltest.steps import earlier
from dltest.steps.step import Context, Done, Handle, Outcome, StepBody, Waiting
from dltest.units import Duration

SOFT = timedelta(hours=1)
# Rucio's clock may differ from ours by so much.
SKEW = timedelta(minutes=1)
# Rules may be served from a listing of half a second ago.
READ_AFTER = timedelta(seconds=1)


class DeleteBody(StepBody):
    """A run only ever deletes what it made."""

    by: Literal["erase", "rule", "lifetime"] = Field(
        "erase",
        description="`erase`: the dataset's own lifetime ends, and Rucio's undertaker takes it"
        " with its rules. `rule`: every rule is deleted, which Rucio does in one hour only, and"
        " that is checked. `lifetime`: the rules' lifetime ends, `after` a time or at once.",
        examples=["lifetime"],
    )
    at: str | None = Field(
        None,
        description="Target role of the only RSE whose rules are meant; not with `erase`.",
        examples=["destination"],
    )
    after: Duration = Field(
        timedelta(0), description="For `lifetime`: when the rules end.", examples=["30s"]
    )
    purge: bool = Field(
        default=True,
        description="For `lifetime`: delete the replicas at once, also at an RSE that is not"
        " greedy; without it they stay there until the space is needed.",
        examples=[False],
    )

    @model_validator(mode="after")
    def _fits_together(self) -> "DeleteBody":
        if self.by == "erase" and self.at:
            raise ValueError("`erase` ends the dataset everywhere; `at` goes with `rule`")
        if self.by != "lifetime" and (self.after or not self.purge):
            raise ValueError("`after` and `purge` go with `by: lifetime`")
        return self

    def roles(self) -> tuple[str, ...]:
        return (self.at,) if self.at else ()


class Delete:
    """One request a rule, or one for the dataset."""

    name: ClassVar[str] = "delete"
    title: ClassVar[str] = "Have Rucio let go of the run's files: by erasure, lifetime or rule"
    checks: ClassVar[bool] = False
    Body = DeleteBody

    def footprint(self, body: DeleteBody, payload: Payload) -> Mapping[str, Footprint]:  # noqa: ARG002
        """Nothing beyond what `upload` and `replicate` count: who writes also deletes."""
        return {}

    def begin(self, ctx: Context, body: DeleteBody) -> Outcome:
        rules = _rules(ctx, body)
        if body.by == "erase":
            ctx.lake.catalogue.expire(ctx.dataset)
            return Done(evidence=_evidence(ctx, body, rules))
        if body.by == "rule":
            for rule_id in rules:
                ctx.lake.catalogue.delete_rule(rule_id)
            return Waiting({"asked_at": ctx.now.isoformat()}, READ_AFTER)
        for rule_id in rules:
            ctx.lake.catalogue.set_rule_lifetime(rule_id, body.after, purge=body.purge)
        return Done(
            measured={"after_seconds": body.after.total_seconds()},
            evidence=_evidence(ctx, body, rules),
        )

    def look(self, ctx: Context, body: DeleteBody, handle: Handle) -> Outcome:
        """Of rules that were deleted: do they end in one hour, no sooner and no later?"""
        if "asked_at" not in handle:
            return self.begin(ctx, body)
        asked_at = datetime.fromisoformat(str(handle["asked_at"]))
        ids = _rules(ctx, body)
        rules = [ctx.lake.catalogue.rule(rule_id) for rule_id in ids]
        if any(_is_unheard(rule, asked_at) for rule in rules):
            return Waiting(handle, READ_AFTER, Progress(note="rules without their new end"))
        return Done(
            measured={"expires_in_seconds": _expires_in(rules, asked_at)},
            evidence=_evidence(ctx, body, ids),
            troubles=tuple(_ends_too_soon(rule) for rule in rules if _is_early(rule, asked_at)),
        )

    def overdue(self, ctx: Context, body: DeleteBody, handle: Handle) -> Done:  # noqa: ARG002
        message = "Rucio took the deletion of a rule, and the rule does not end in one hour"
        unheard = Trouble(code="expiry-wrong", message=message, blame=RUCIO)
        return Done(evidence=_evidence(ctx, body, _rules(ctx, body)), troubles=(unheard,))


def _rules(ctx: Context, body: DeleteBody) -> list[str]:
    return earlier.rules_made(ctx, ctx.targets[body.at] if body.at else None)


def _evidence(ctx: Context, body: DeleteBody, rules: list[str]) -> dict[str, JsonValue]:
    return {"dataset": ctx.dataset, "by": body.by, "ended_rules": [*rules]}


def _is_early(rule: Rule, asked_at: datetime) -> bool:
    """Gone, or going sooner than it may; one whose lifetime was shorter keeps it."""
    if rule.state is RuleState.GONE or rule.expires_at is None:
        return True
    return rule.expires_at < asked_at + SOFT - SKEW


def _is_unheard(rule: Rule, asked_at: datetime) -> bool:
    """It still has the end that it had."""
    if rule.state is RuleState.GONE:
        return False
    return rule.expires_at is None or rule.expires_at > asked_at + SOFT + SKEW


def _expires_in(rules: list[Rule], asked_at: datetime) -> float:
    ends = [rule.expires_at for rule in rules if rule.expires_at]
    return round((min(ends) - asked_at).total_seconds(), 3) if ends else 0.0


def _ends_too_soon(rule: Rule) -> Trouble:
    when = f"at {rule.expires_at:%H:%M:%S}" if rule.expires_at else "already"
    message = f"rule {rule.id} was deleted, and ends {when} instead of in one hour"
    return Trouble(code="expiry-wrong", message=message, blame=RUCIO)


DELETE = Delete()
