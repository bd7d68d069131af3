"""What another account could do with a run's data, against what it may."""

from collections.abc import Iterator, Mapping
from typing import Any

from dltest.lake.ports import Deed
from dltest.model import RUCIO, Finding, StepRecord, Verdict

EVIDENCE = "access"
# How Rucio says that somebody may not; anything else is a breakdown, and proves no rule.
REFUSALS = {"not-permitted", "quota-exceeded"}


def findings(record: StepRecord) -> Iterator[Finding]:
    """One for each deed that was done and must not be, or the other way round."""
    told = record.evidence.get(EVIDENCE)
    tried = told if isinstance(told, list) else []
    who = record.evidence.get("stranger")
    for one in tried:
        if isinstance(one, dict) and (wrong := _wrong(one)):
            code, said = wrong
            yield _finding(record, code, f"{one['deed']} by account {who} {said}")
    if record.evidence.get("rule_stands") is False:
        title = f"all that account {who} tried was answered, and our rule is not what it was"
        yield _finding(record, "refused-and-changed", title)


def _wrong(told: Mapping[str, Any]) -> tuple[str, str] | None:
    if told["deed"] == Deed.READ:
        return None if told["done"] else ("access-not-given", f"was refused: {told['words']}")
    if told["done"]:
        return "access-not-refused", "went through, and only the owner of the data may do that"
    if told["code"] not in REFUSALS:
        return "access-refused-otherwise", f"was not refused, but failed: {told['words']}"
    return None


def _finding(record: StepRecord, code: str, title: str) -> Finding:
    return Finding(code=code, title=title, blame=RUCIO, verdict=Verdict.FAILED, step=record.name)
