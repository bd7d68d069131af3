"""What the steps before have done, read from their records.

Not from a listing of the catalogue, which may be older than the last step.
"""

from datetime import datetime, timedelta

from dltest.steps.step import Context


def run_began_at(ctx: Context) -> datetime:
    return min((one.began_at for one in ctx.earlier if one.began_at), default=ctx.began_at)


def ended_at(ctx: Context, *steps: str) -> datetime:
    """When the last of these steps was done; without one, when this step began."""
    return max(
        (one.ended_at for one in ctx.earlier if one.name in steps and one.ended_at),
        default=ctx.began_at,
    )


def rules_made(ctx: Context, rse: str | None = None) -> list[str]:
    """The rules that were made for files at the RSE, or everywhere; the last comes last."""
    made = [one.evidence for one in ctx.earlier if "rule_id" in one.evidence]
    return [str(one["rule_id"]) for one in made if rse in (None, one["rse"])]


def source_of_rule(ctx: Context, rule_id: str) -> str | None:
    """The RSE that the rule's files were to be copied from, where it was said."""
    told = [one.evidence for one in ctx.earlier if one.evidence.get("rule_id") == rule_id]
    return str(told[-1]["source"]) if told and told[-1].get("source") else None


def uploaded_to(ctx: Context) -> str | None:
    """The RSE of the last upload."""
    rses = [one.evidence.get("rse") for one in ctx.earlier if one.name == "upload"]
    return str(rses[-1]) if rses else None


def rules_asked_to_end(ctx: Context) -> list[str]:
    """By `delete` and `release`; each once, in the order in which they were asked."""
    lists = [one.evidence.get("ended_rules", []) for one in ctx.earlier]
    ids = [str(rule_id) for ids in lists if isinstance(ids, list) for rule_id in ids]
    return list(dict.fromkeys(ids))


def data_due_at(ctx: Context) -> datetime:
    """The moment at which the last request wanted data to end; without one, this step's begin."""
    due = [
        one.ended_at + timedelta(seconds=one.measured.get("after_seconds", 0))
        for one in ctx.earlier
        if one.name in {"delete", "release"} and one.ended_at
    ]
    return due[-1] if due else ctx.began_at


def lifetime_ends_at(ctx: Context) -> datetime | None:
    """No rule may end before: when the last lifetime given by `delete` is over, if it lasts."""
    later = [
        one.began_at + timedelta(seconds=one.measured["after_seconds"])
        for one in ctx.earlier
        if one.name == "delete" and one.began_at and one.measured.get("after_seconds")
    ]
    return later[-1] if later else None
