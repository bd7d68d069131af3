"""`replicate`: ask Rucio for a copy by a rule, and wait until every file of it has a good lock."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, JsonValue

from dltest.lake.ports import Rule, RuleState
from dltest.model import RUCIO, Footprint, LedgerEntry, LedgerKind, Payload, Progress, Trouble
from dltest.steps import earlier, pace, stuck
from dltest.steps.phases import phases_of
from dltest.steps.step import Context, Done, Handle, Outcome, StepBody, Waiting

SAMPLE = 20
STATES_KEPT = 20

FINAL_TROUBLE = {RuleState.STUCK, RuleState.SUSPENDED, RuleState.WAITING_APPROVAL}


class ReplicateBody(StepBody):
    to: str = Field(
        description="Target role of the RSE that shall get a copy.", examples=["destination"]
    )
    from_: str | None = Field(
        None,
        alias="from",
        description="Target role of the only RSE that may be read.",
        examples=["source"],
    )
    until: Literal["done", "submitted"] = Field(
        "done",
        description="`submitted`: done as soon as Rucio has handed the first transfers over, so"
        " that the next step meets them under way.",
        examples=["submitted"],
    )

    def roles(self) -> tuple[str, ...]:
        return (self.from_, self.to) if self.from_ else (self.to,)


class Replicate:
    """One rule for the run's dataset; done when all its locks are OK."""

    name: ClassVar[str] = "replicate"
    title: ClassVar[str] = "Have Rucio copy the run's files to an RSE by a rule"
    checks: ClassVar[bool] = True
    Body = ReplicateBody

    def footprint(self, body: ReplicateBody, payload: Payload) -> Mapping[str, Footprint]:
        written = Footprint(
            files_written=payload.files,
            bytes_written=payload.total_bytes,
            files_deleted=payload.files,
        )
        read = {body.from_: Footprint(bytes_read=payload.total_bytes)} if body.from_ else {}
        return {body.to: written, **read}

    def begin(self, ctx: Context, body: ReplicateBody) -> Outcome:
        if former := self._former_rules(ctx):
            for rule in former:
                ctx.lake.catalogue.end_rule(rule.id)
            return Waiting({}, pace.SOONEST, Progress(note="the former attempt's rule ends"))
        rse = ctx.targets[body.to]
        ctx.ledger.intend(
            LedgerEntry(
                kind=LedgerKind.REPLICAS, name=ctx.dataset, rse=rse, count=ctx.payload.files
            ),
            LedgerEntry(kind=LedgerKind.RULE, name=ctx.rule_tag),
        )
        rule_id = ctx.lake.catalogue.add_rule(
            ctx.dataset,
            rse,
            tag=ctx.rule_tag,
            lifetime=ctx.data_lifetime,
            source=ctx.targets[body.from_] if body.from_ else None,
        )
        return Waiting({"rule_id": rule_id}, pace.SOONEST)

    def look(self, ctx: Context, body: ReplicateBody, handle: Handle) -> Outcome:
        if "rule_id" not in handle:
            return self._await_former(ctx, body)
        rule = ctx.lake.catalogue.rule(str(handle["rule_id"]))
        handle = with_state(handle, rule)
        if rule.state is RuleState.OK and rule.locks_ok == ctx.payload.files:
            return self._arrived(ctx, body, rule, handle)
        if body.until == "submitted" and self._is_submitted(ctx, body):
            return Done(evidence=self._evidence(ctx, body, rule, handle))
        if rule.state in FINAL_TROUBLE:
            return self._refused(ctx, body, rule, handle)
        if rule.state is RuleState.GONE:
            gone = Trouble(code="rule-gone", message=f"rule {rule.id} is gone", blame=RUCIO)
            return Done(evidence=self._evidence(ctx, body, rule, handle), troubles=(gone,))
        pause = pace.pause(ctx.now - ctx.began_at)
        return Waiting(handle, pause, self._progress(ctx, rule), rule.watch())

    def overdue(self, ctx: Context, body: ReplicateBody, handle: Handle) -> Done:
        if "rule_id" not in handle:
            message = "the rule of the attempt before was ended, and Rucio's judge-cleaner keeps it"
            kept = Trouble(code="rule-not-removed", message=message, blame=RUCIO)
            return Done(evidence={"rse": ctx.targets[body.to]}, troubles=(kept,))
        rule = ctx.lake.catalogue.rule(str(handle["rule_id"]))
        return self._refused(ctx, body, rule, with_state(handle, rule))

    def _former_rules(self, ctx: Context) -> list[Rule]:
        """Of earlier attempts, unless this one has made its own since: that took their end."""
        rules = ctx.lake.catalogue.rules
        return [] if ctx.attempt == 0 or rules(ctx.rule_tag) else rules(ctx.step_tag)

    def _await_former(self, ctx: Context, body: ReplicateBody) -> Outcome:
        """Rucio refuses a second rule for the same files and place as long as there is one."""
        if former := ctx.lake.catalogue.rules(ctx.step_tag):
            note = Progress(note="the former attempt's rule ends")
            return Waiting({}, pace.pause(ctx.now - ctx.began_at), note, former[0].watch())
        return self.begin(ctx, body)

    def _is_submitted(self, ctx: Context, body: ReplicateBody) -> bool:
        sampled = _sample(ctx.file_names())
        requests = ctx.lake.catalogue.requests(sampled, ctx.targets[body.to])
        return any(request.state == "SUBMITTED" for request in requests)

    def _arrived(self, ctx: Context, body: ReplicateBody, rule: Rule, handle: Handle) -> Done:
        sampled = _sample(ctx.file_names())
        requests = ctx.lake.catalogue.requests(sampled, ctx.targets[body.to])
        jobs: list[JsonValue] = [
            f"{request.transfer_host}/jobs/{request.transfer_id}"
            for request in requests[:5]
            if request.transfer_id
        ]
        return Done(
            measured={
                "files": ctx.payload.files,
                "bytes": ctx.payload.total_bytes,
                **phases_of(rule, requests, ctx.payload),
                "poll_seconds": pace.pause(ctx.now - ctx.began_at).total_seconds(),
            },
            evidence={**self._evidence(ctx, body, rule, handle), "transfer_jobs": jobs},
        )

    def _refused(self, ctx: Context, body: ReplicateBody, rule: Rule, handle: Handle) -> Done:
        route = stuck.Route(
            source=self._source(ctx, body),
            destination=ctx.targets[body.to],
        )
        seen = stuck.look_into(ctx, rule, route)
        evidence = {**self._evidence(ctx, body, rule, handle), "why": seen.evidence}
        return Done(evidence=evidence, troubles=(seen.trouble,))

    def _source(self, ctx: Context, body: ReplicateBody) -> str | None:
        """The RSE that is read: the one asked for, else the one that the run uploaded to."""
        if body.from_:
            return ctx.targets[body.from_]
        return earlier.uploaded_to(ctx)

    def _evidence(
        self, ctx: Context, body: ReplicateBody, rule: Rule, handle: Handle
    ) -> dict[str, JsonValue]:
        return {
            "rse": ctx.targets[body.to],
            "source": self._source(ctx, body),
            "states": handle["states"],
            "rule_id": rule.id,
            "rule_state": rule.state.value,
            "rule_error": rule.error,
            "locks": f"{rule.locks_ok}/{rule.locks_replicating}/{rule.locks_stuck}",
        }

    def _progress(self, ctx: Context, rule: Rule) -> Progress:
        return Progress(
            files_done=rule.locks_ok,
            bytes_done=rule.locks_ok * ctx.payload.size_bytes,
            note=rule.state.value,
        )


def with_state(handle: Handle, rule: Rule) -> Handle:
    """The handle, which remembers through which states the rule was seen to go."""
    known = handle.get("states")
    states = known if isinstance(known, list) else []
    if states[-1:] == [rule.state.value]:
        return handle
    return {**handle, "states": [*states, rule.state.value][-STATES_KEPT:]}


def _sample(names: list[str]) -> list[str]:
    """A few, evenly spaced: each costs Rucio a call."""
    return names[:: -(-len(names) // SAMPLE)]


REPLICATE = Replicate()
