"""Until when a storage accepted tokens, against their end and the grace that it may give."""

from collections.abc import Iterator, Mapping
from typing import Any

from dltest.judge.token_rules import NOT_TRIED, finding
from dltest.lake.token_rules.catalogue import Must
from dltest.model import Finding, StepRecord, Verdict

EVIDENCE = "token_expiry"
# How exactly the moment of the refusal is known: two polls, under load.
SLACK_SECONDS = 5.0


def findings(record: StepRecord) -> Iterator[Finding]:
    """One for each use of a token that did not end as it must."""
    told = record.evidence.get(EVIDENCE)
    uses = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    if uses and all(one["outcome"] == NOT_TRIED for one in uses):
        yield finding(record, "not-supported", str(uses[0]["reason"]), Verdict.SKIPPED)
    for one in uses:
        if one["outcome"] != NOT_TRIED and (wrong := _wrong(one, record)):
            code, said = wrong
            title = f"a token to {one['use']}: {one['request']} {said}"
            yield finding(record, code, title, Verdict.FAILED)


def _wrong(told: Mapping[str, Any], record: StepRecord) -> tuple[str, str] | None:
    """The finding code and what happened; None: all was well."""
    if "whole" in told:
        return _wrong_transfer(told)
    if told["outcome"] != Must.ACCEPTED:
        return "token-not-accepted", f"before the token's end was answered {told['before']}"
    allowed = record.evidence.get("allowed_seconds", told["documented_seconds"])
    grace = told["grace_seconds"]
    if grace is None or grace > float(str(allowed)) + SLACK_SECONDS:
        until = "never refused" if grace is None else f"refused {grace:g} s after the token's end"
        return "token-outlived", f"was {until}; {allowed:g} s are allowed"
    if told["after_outcome"] != Must.REFUSED:
        return "token-answer-unclear", f"after the token's end was answered {told['after']}"
    if not told["unchanged"]:
        return "refused-and-changed", f"was answered {told['after']}, and yet something changed"
    return None


def _wrong_transfer(told: Mapping[str, Any]) -> tuple[str, str] | None:
    """One that outlasted its token must come to its end, or be refused and leave nothing."""
    if told["outcome"] in {Must.ACCEPTED, Must.REFUSED} and told["whole"]:
        return None
    lay = "" if told["whole"] else ", and what lies there is neither the file nor nothing"
    return "token-broke-transfer", f"outlasted its token, and ended with {told['answer']}{lay}"
