"""`keep` and `release`: give files another reason to stay, and take it away again.

The reasons are those that users rely on when somebody else deletes: another dataset that shares
the files, a rule of their own on a file, a rule that is locked.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, JsonValue, model_validator

from dltest.lake.ports import RuleState
from dltest.model import RUCIO, Footprint, LedgerEntry, LedgerKind, Payload, Progress, Trouble
from dltest.steps import earlier, pace
from dltest.steps.some_files import SomeFilesBody, names, numbers
from dltest.steps.step import Context, Done, Handle, Outcome, StepBody, Waiting


class KeepBody(SomeFilesBody):
    by: Literal["dataset", "rule", "lock"] = Field(
        description="`dataset`: a second dataset holds the files, with a rule of its own. `rule`:"
        " a rule on each file. `lock`: the run's rules at the RSE are locked, which is for all"
        " files.",
        examples=["dataset"],
    )

    @model_validator(mode="after")
    def _is_whole(self) -> "KeepBody":
        if self.by == "lock" and self.files is not None:
            raise ValueError("`lock` is for all files of a rule; leave `files` out")
        return self


class Keep:
    """Made once; done when the new rules are OK."""

    name: ClassVar[str] = "keep"
    title: ClassVar[str] = "Give files another reason to stay: a dataset, a rule or a lock"
    checks: ClassVar[bool] = False
    Body = KeepBody

    def footprint(self, body: KeepBody, payload: Payload) -> Mapping[str, Footprint]:
        """Files that are there already are kept; nothing is copied."""
        numbers(body, payload)
        return {}

    def begin(self, ctx: Context, body: KeepBody) -> Outcome:
        ctx.ledger.intend(*_entries(ctx, body))
        if body.by == "lock":
            return Done(evidence=_evidence(ctx, body, _lock(ctx, body)))
        rules = _second_dataset(ctx, body) if body.by == "dataset" else _rules_on_files(ctx, body)
        return Waiting({"rules": [*rules]}, pace.SOONEST)

    def look(self, ctx: Context, body: KeepBody, handle: Handle) -> Outcome:
        if not isinstance(rules := handle.get("rules"), list):
            return self.begin(ctx, body)
        ids = [str(rule_id) for rule_id in rules]
        states = [ctx.lake.catalogue.rule(rule_id) for rule_id in ids]
        if waiting := [rule for rule in states if rule.state is not RuleState.OK]:
            pause, note = pace.pause(ctx.now - ctx.began_at), Progress(note=waiting[0].state.value)
            return Waiting(handle, pause, note, waiting[0].watch())
        return Done(evidence=_evidence(ctx, body, ids))

    def overdue(self, ctx: Context, body: KeepBody, handle: Handle) -> Done:  # noqa: ARG002
        message = f"a second rule for files that are at {ctx.targets[body.at]} does not become OK"
        stuck = Trouble(code="rule-not-ok", message=message, blame=RUCIO)
        return Done(evidence={"rse": ctx.targets[body.at]}, troubles=(stuck,))


class ReleaseBody(StepBody):
    """Everything that the run's `keep` steps made."""


class Release:
    """Unlock, end the rules, erase the second dataset: what was to be deleted is free to go."""

    name: ClassVar[str] = "release"
    title: ClassVar[str] = "Take away what `keep` gave"
    checks: ClassVar[bool] = False
    Body = ReleaseBody

    def footprint(self, body: ReleaseBody, payload: Payload) -> Mapping[str, Footprint]:  # noqa: ARG002
        return {}

    def begin(self, ctx: Context, body: ReleaseBody) -> Outcome:  # noqa: ARG002
        kept = [record.evidence for record in ctx.earlier if record.name == "keep"]
        ended: list[JsonValue] = []
        for evidence in kept:
            rules = evidence["kept_by"]
            ended += rules if isinstance(rules, list) else []
            _let_go(ctx, evidence)
        return Done(evidence={"ended_rules": ended})

    def look(self, ctx: Context, body: ReleaseBody, handle: Handle) -> Outcome:  # noqa: ARG002
        return self.begin(ctx, body)

    def overdue(self, ctx: Context, body: ReleaseBody, handle: Handle) -> Done:  # noqa: ARG002
        return Done()


def _let_go(ctx: Context, evidence: Mapping[str, JsonValue]) -> None:
    rules = evidence["kept_by"]
    if dataset := evidence.get("dataset"):
        ctx.lake.catalogue.expire(str(dataset))
        return
    for rule_id in rules if isinstance(rules, list) else []:
        if evidence["by"] == "lock":
            ctx.lake.catalogue.lock_rule(str(rule_id), locked=False)
        else:
            ctx.lake.catalogue.end_rule(str(rule_id))


def _entries(ctx: Context, body: KeepBody) -> list[LedgerEntry]:
    hold = LedgerEntry(kind=LedgerKind.HOLD, name=ctx.step_tag, rse=ctx.targets[body.at])
    if body.by == "dataset":
        count = len(numbers(body, ctx.payload))
        return [hold, LedgerEntry(kind=LedgerKind.DATASET, name=_dataset(ctx), count=count)]
    return [hold]


def _dataset(ctx: Context) -> str:
    return f"{ctx.step_tag}.kept"


def _lock(ctx: Context, body: KeepBody) -> list[str]:
    rules = earlier.rules_made(ctx, ctx.targets[body.at])
    for rule_id in rules:
        ctx.lake.catalogue.lock_rule(rule_id, locked=True)
    return rules


def _second_dataset(ctx: Context, body: KeepBody) -> list[str]:
    dataset = _dataset(ctx)
    ctx.lake.catalogue.add_dataset(dataset, names(ctx, body), ctx.data_lifetime)
    return [_add_rule(ctx, body, dataset, ctx.rule_tag)]


def _rules_on_files(ctx: Context, body: KeepBody) -> list[str]:
    return [
        _add_rule(ctx, body, name, f"{ctx.rule_tag}.{number}")
        for number, name in zip(numbers(body, ctx.payload), names(ctx, body), strict=True)
    ]


def _add_rule(ctx: Context, body: KeepBody, did: str, tag: str) -> str:
    return ctx.lake.catalogue.add_rule(
        did, ctx.targets[body.at], tag=tag, lifetime=ctx.data_lifetime
    )


def _evidence(ctx: Context, body: KeepBody, rules: list[str]) -> dict[str, JsonValue]:
    dataset = {"dataset": _dataset(ctx)} if body.by == "dataset" else {}
    return {"rse": ctx.targets[body.at], "by": body.by, "kept_by": [*rules], **dataset}


KEEP = Keep()
RELEASE = Release()
