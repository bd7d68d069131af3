"""What is said of a token issuer, from what its nodes and its token showed."""

from typing import Any

import pytest

from dltest.judge.token_issuer import EVIDENCE, findings
from dltest.model import IDENTITY, StepRecord, StepState, Verdict

ONE = {"node": "https://one/", "key_ids": ["a", "b"], "clock_seconds": 0.0}
TWO = {"node": "https://two/", "key_ids": ["b", "a"], "clock_seconds": 0.0}
ASKED = {"scope": "storage.read:/ storage.modify:/", "aud": ["se"]}
CLAIMS = {"scope": ASKED["scope"], "aud": "se", "nbf": 1000, "exp": 4600}


def said(seconds: float = 0.1, **evidence: Any) -> list[tuple[str, Verdict]]:
    facts = {"allowed_seconds": 2.0, EVIDENCE: [ONE, TWO], "asked": ASKED, "claims": CLAIMS}
    record = StepRecord(
        name="token-issuer",
        state=StepState.DONE,
        measured={"token_seconds": seconds},
        evidence={**facts, **evidence},
    )
    found = list(findings(record))
    assert {finding.blame for finding in found} <= {IDENTITY}
    return [(finding.code, finding.verdict) for finding in found]


def test_of_an_issuer_in_good_health_nothing_is_said() -> None:
    assert said() == []
    assert said(claims={**CLAIMS, "aud": ["other", "se"]}) == []


@pytest.mark.parametrize(
    ("evidence", "code", "verdict"),
    [
        ({"seconds": 2.5}, "issuer-slow", Verdict.DEGRADED),
        ({EVIDENCE: [ONE, {**TWO, "key_ids": ["c"]}]}, "issuer-keys-differ", Verdict.FAILED),
        ({EVIDENCE: [{**ONE, "clock_seconds": 61.0}]}, "issuer-clock-wrong", Verdict.FAILED),
        (
            {EVIDENCE: [{"node": "https://one/", "code": "issuer-unreachable", "trouble": "no"}]},
            "issuer-node-down",
            Verdict.DEGRADED,
        ),
        (
            {"claims": {**CLAIMS, "scope": "storage.read:/"}},
            "token-lacks-rights",
            Verdict.FAILED,
        ),
        ({"claims": {**CLAIMS, "aud": "elsewhere"}}, "token-for-others", Verdict.FAILED),
        ({"claims": {**CLAIMS, "exp": 1001}}, "token-short-lived", Verdict.FAILED),
    ],
)
def test_each_failing_is_named(evidence: dict[str, Any], code: str, verdict: Verdict) -> None:
    assert said(**evidence) == [(code, verdict)]
