"""What a storage did with tokens, against what it must do.

A rule is broken by a yes where a no was due and the other way round, by an answer that is
neither, by a refusal that changed something, and by a yes to a change that changed nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from dltest.lake.token_rules.at_rucio import SIGN_INS
from dltest.lake.token_rules.catalogue import RULES, Action, Must
from dltest.model import SCENARIO, Blame, Finding, StepRecord, Verdict

EVIDENCE = "token_rules"
NOT_TRIED = "not-tried"
_CHANGES = {Action.CREATE, Action.OVERWRITE, Action.DELETE, Action.MOVE}


def findings(record: StepRecord) -> Iterator[Finding]:
    """One for each rule that is broken and not tolerated, in the catalogue's order."""
    told = record.evidence.get(EVIDENCE)
    tried = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    if tried and all(one["outcome"] == NOT_TRIED for one in tried):
        yield finding(record, "not-supported", str(tried[0]["reason"]), Verdict.SKIPPED)
    listed = record.evidence.get("tolerated")
    tolerated = listed if isinstance(listed, list) else []
    for one in tried:
        if one["outcome"] == NOT_TRIED or one["rule"] in tolerated:
            continue
        if code := broken(one):
            yield finding(record, code, _sentence(one, code), Verdict.FAILED)


def broken(told: Mapping[str, Any]) -> str | None:
    """The finding code of a rule that was broken; None: it was kept."""
    must, outcome, unchanged = told["must"], told["outcome"], told["unchanged"]
    if must == Must.REFUSED and outcome == Must.ACCEPTED:
        return "token-not-refused"
    if must == Must.REFUSED and not unchanged:
        return "refused-and-changed"
    if must == Must.ACCEPTED and outcome == Must.REFUSED:
        return "token-not-accepted"
    if outcome != must:
        return "token-answer-unclear"
    if must == Must.ACCEPTED and _should_change(told) and unchanged:
        return "accepted-and-unchanged"
    return None


def _should_change(told: Mapping[str, Any]) -> bool:
    rule = RULES.get(str(told["rule"]))
    return rule is not None and rule.does in _CHANGES


_WORDS = {
    "token-not-refused": "went through",
    "refused-and-changed": "was refused, and yet the storage is not as it was",
    "token-not-accepted": "was refused",
    "token-answer-unclear": "was neither done nor refused",
    "accepted-and-unchanged": "was answered with yes, and nothing was done",
}


def _sentence(told: Mapping[str, Any], code: str) -> str:
    name = str(told["rule"])
    rule = RULES.get(name) or SIGN_INS.get(name)
    demanded = f", by which {rule.says}" if rule else ""
    return (
        f"token rule {name}{demanded}: {told['request']} {_WORDS[code]}; the answer was"
        f" {told['reason']}"
    )


def finding(record: StepRecord, code: str, title: str, verdict: Verdict) -> Finding:
    """Of the RSE or service that was asked; what could not be tried is nobody's failing."""
    rse, place = record.evidence.get("rse"), record.evidence.get("place")
    party = Blame.parse(str(place)) if place else Blame.site(str(rse))
    blame = SCENARIO if verdict is Verdict.SKIPPED else party
    title = f"{rse or place}: {title}"
    return Finding(code=code, title=title, blame=blame, verdict=verdict, step=record.name)
