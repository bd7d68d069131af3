"""`absent`: rules, replicas and bytes of the files are gone, and how long each of them took."""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

from pydantic import Field, model_validator

from dltest.lake.ports import (
    FileOutcome,
    JobKind,
    JobStatus,
    Replica,
    ReplicaState,
    Rule,
    RuleState,
)
from dltest.model import RUCIO, Blame, Footprint, Payload, Progress, Trouble
from dltest.steps import bytes as storage_bytes
from dltest.steps import earlier, pace
from dltest.steps.some_files import SomeFilesBody, names, numbers, refs
from dltest.steps.step import Context, Done, Handle, Outcome, Waiting
from dltest.units import Duration


class AbsentBody(SomeFilesBody):
    for_: Duration = Field(
        timedelta(0),
        alias="for",
        description="How long they must stay away: a copy that was under way may end later.",
        examples=["10s"],
    )

    @model_validator(mode="after")
    def _has_time(self) -> "AbsentBody":
        if self.for_ >= self.within:
            raise ValueError("`for` must be shorter than `within`, in which they must go first")
        return self


class Absent:
    """Rules until all are gone, then replicas, then the storage until no file is there.

    Times count from the moment for which the deletion was asked for, if this run asked for one;
    their error is one poll (`poll_seconds`).
    """

    name: ClassVar[str] = "absent"
    title: ClassVar[str] = "Wait until the run's files are gone from catalogue and storage"
    checks: ClassVar[bool] = True
    Body = AbsentBody

    def footprint(self, body: AbsentBody, payload: Payload) -> Mapping[str, Footprint]:
        numbers(body, payload)
        return {}

    def begin(self, ctx: Context, body: AbsentBody) -> Outcome:
        return self.look(ctx, body, {"polls": 0})

    def look(self, ctx: Context, body: AbsentBody, handle: Handle) -> Outcome:
        if "rules_gone" not in handle:
            if rules := _rules_left(ctx):
                note = Progress(note=f"{len(rules)} rules still exist")
                return Waiting(handle, _pause(ctx), note, rules[0].watch())
            handle = {**handle, "rules_gone": _seconds(ctx)}
        if "gone_from_catalogue" not in handle:
            if left := _still_listed(ctx, body):
                done = len(numbers(body, ctx.payload)) - len(left)
                note = Progress(files_done=done, note=left[0].state.value)
                return Waiting(handle, _pause(ctx), note, left[0].watch())
            handle = {**handle, "gone_from_catalogue": _seconds(ctx)}
        return self._look_at_storage(ctx, body, handle)

    def _look_at_storage(self, ctx: Context, body: AbsentBody, handle: Handle) -> Outcome:
        if "job" not in handle:
            return self._ask_storage(ctx, body, handle)
        rse = ctx.targets[body.at]
        status = storage_bytes.result(ctx, rse, handle)
        if not isinstance(status, JobStatus):
            return status
        if troubles := storage_bytes.troubles_of(rse, status):
            return Done(evidence={"rse": rse}, troubles=troubles)
        again = {key: value for key, value in handle.items() if key != "job"}
        if present := _present(status):
            return self._still_there(ctx, rse, again, present)
        return self._gone(ctx, body, {"gone_from_storage": _seconds(ctx), **again})

    def _ask_storage(self, ctx: Context, body: AbsentBody, handle: Handle) -> Outcome:
        rse = ctx.targets[body.at]
        polls = int(str(handle["polls"])) + 1
        asked = {**handle, "polls": polls, "looks": 0}
        return storage_bytes.begin(ctx, JobKind.STAT, rse, refs(ctx, body), f"stat{polls}", **asked)

    def _still_there(
        self, ctx: Context, rse: str, handle: Handle, present: list[FileOutcome]
    ) -> Outcome:
        if "gone_from_storage" not in handle:
            note = f"{len(present)} files still on the storage"
            return Waiting(handle, _pause(ctx), Progress(note=note))
        message = f"{len(present)} files were gone from {rse} and are back: {present[0].url}"
        back = Trouble(code="dark-file", message=message, blame=RUCIO)
        return Done(evidence={"rse": rse}, troubles=(back,))

    def _gone(self, ctx: Context, body: AbsentBody, handle: Handle) -> Outcome:
        away = _seconds(ctx) - float(str(handle["gone_from_storage"]))
        if away < body.for_.total_seconds():
            pause = timedelta(seconds=body.for_.total_seconds() - away)
            return Waiting(handle, pause, Progress(note="gone; do they stay away?"))
        asked = earlier.rules_asked_to_end(ctx)
        rules = {"rules_gone_seconds": handle["rules_gone"]} if asked else {}
        times = {
            **rules,
            "gone_from_catalogue_seconds": handle["gone_from_catalogue"],
            "gone_from_storage_seconds": handle["gone_from_storage"],
        }
        return Done(
            measured={
                "files": len(numbers(body, ctx.payload)),
                **{name: float(str(time)) for name, time in times.items()},
                "poll_seconds": _pause(ctx).total_seconds(),
            },
            evidence={"rse": ctx.targets[body.at]},
        )

    def overdue(self, ctx: Context, body: AbsentBody, handle: Handle) -> Done:
        rse = ctx.targets[body.at]
        if "gone_from_catalogue" not in handle:
            return Done(evidence={"rse": rse}, troubles=(_not_deleted(ctx, body),))
        message = (
            f"the catalogue has forgotten the files, and the storage of {rse} still holds them"
        )
        dark = Trouble(code="dark-file", message=message, blame=RUCIO)
        return Done(evidence={"rse": rse}, troubles=(dark,))


def _pause(ctx: Context) -> timedelta:
    return pace.pause(ctx.now - ctx.began_at)


def _seconds(ctx: Context) -> float:
    """Since data was to end."""
    return round((ctx.now - earlier.data_due_at(ctx)).total_seconds(), 3)


def _rules_left(ctx: Context) -> list[Rule]:
    rules = (ctx.lake.catalogue.rule(rule_id) for rule_id in earlier.rules_asked_to_end(ctx))
    return [rule for rule in rules if rule.state is not RuleState.GONE]


def _still_listed(ctx: Context, body: AbsentBody) -> list[Replica]:
    replicas = ctx.lake.catalogue.replicas(names(ctx, body), ctx.targets[body.at])
    return [replica for replica in replicas if replica.state is not ReplicaState.MISSING]


def _present(status: JobStatus) -> list[FileOutcome]:
    return [outcome for outcome in status.outcomes if outcome.present]


def _not_deleted(ctx: Context, body: AbsentBody) -> Trouble:
    """Rules still there: the judge's cleaner or the undertaker; rules gone: the reaper."""
    rse, left = ctx.targets[body.at], _still_listed(ctx, body)
    states = "/".join(sorted({replica.state.value for replica in left})) or "gone"
    asked = earlier.rules_asked_to_end(ctx)
    if _rules_left(ctx) or (not asked and ctx.lake.catalogue.rules(ctx.dataset)):
        message = (
            f"{len(left)} replicas at {rse} are {states} and their rules still exist: Rucio's"
            " undertaker or judge-cleaner does not run"
        )
        return Trouble(code="rule-not-removed", message=message, blame=RUCIO)
    if left and all(replica.state is ReplicaState.BEING_DELETED for replica in left):
        # The reaper takes a replica in hand only when it is about to delete the file.
        message = (
            f"Rucio's reaper has {len(left)} replicas at {rse} in hand, and the storage does not"
            " let it delete them"
        )
        return Trouble(code="replica-not-deleted", message=message, blame=Blame.site(rse))
    message = (
        f"the rules are gone, and {len(left)} replicas at {rse} are still {states}: Rucio's"
        " reaper does not run, or the RSE is blocked for deletion"
    )
    return Trouble(code="replica-not-deleted", message=message, blame=RUCIO)


ABSENT = Absent()
