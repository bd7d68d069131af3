"""What the nodes of a token issuer said, while the issuer as a whole gives tokens."""

from collections.abc import Iterator, Mapping
from typing import Any

from dltest.model import IDENTITY, Finding, StepRecord, Verdict

EVIDENCE = "issuer_nodes"
# Verifiers forgive a minute at most: what is further ahead gives tokens that are not valid yet.
MOST_CLOCK_SECONDS = 30.0
# The WLCG profile has tokens live five minutes at least; what cannot be used at all is a failure.
LEAST_LIFETIME_SECONDS = 30.0


def findings(record: StepRecord) -> Iterator[Finding]:
    """Nodes that do not do their part, clocks that are wrong, and keys that are not shared."""
    told = record.evidence.get(EVIDENCE)
    listed = told if isinstance(told, list) else []
    nodes: list[dict[str, Any]] = [one for one in listed if isinstance(one, dict)]
    for node in nodes:
        yield from _of_node(record, node)
    yield from _of_token(record)
    took = record.measured.get("token_seconds", 0.0)
    allowed = float(str(record.evidence.get("allowed_seconds", took)))
    if took > allowed:
        title = f"the issuer took {took:g} s for a token, longer than the {allowed:g} s expected"
        yield _finding(record, "issuer-slow", title, Verdict.DEGRADED)
    if record.evidence.get("revocation") == "accepted":
        title = f"{record.evidence.get('issuer')} takes a refresh token that was revoked"
        yield _finding(record, "token-not-revoked", title, Verdict.FAILED)
    known = {tuple(sorted(node["key_ids"])) for node in nodes if node.get("key_ids")}
    if len(known) > 1:
        title = "the nodes of the token issuer publish different keys"
        yield _finding(record, "issuer-keys-differ", title, Verdict.FAILED)


def _of_token(record: StepRecord) -> Iterator[Finding]:
    """Whether the token is what was asked for: its rights, its audience, and time to use it."""
    asked, claims = record.evidence.get("asked"), record.evidence.get("claims")
    if not isinstance(asked, dict) or not isinstance(claims, dict):
        return
    granted = str(claims.get("scope", "")).split()
    if lacking := [one for one in str(asked["scope"]).split() if one not in granted]:
        title = f"the issuer gives a token without {', '.join(lacking)}"
        yield _finding(record, "token-lacks-rights", title, Verdict.FAILED)
    wanted, told = _listed(asked["aud"]), _listed(claims.get("aud"))
    if not set(wanted) <= set(told):
        title = (
            f"the issuer gives a token for {', '.join(told) or 'nobody'}, not {', '.join(wanted)}"
        )
        yield _finding(record, "token-for-others", title, Verdict.FAILED)
    lifetime = _number(claims, "exp") - _number(claims, "nbf")
    if 0 < lifetime < LEAST_LIFETIME_SECONDS:
        title = f"the issuer gives a token that lives {lifetime:.0f} s"
        yield _finding(record, "token-short-lived", title, Verdict.FAILED)


def _listed(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)] if value else []


def _number(claims: Mapping[str, object], name: str) -> float:
    value = claims.get(name)
    return float(value) if isinstance(value, int | float) else 0.0


def _of_node(record: StepRecord, node: Mapping[str, Any]) -> Iterator[Finding]:
    name = node["node"]
    if "code" in node:
        title = f"the issuer gives tokens, but not by its node {name}: {node['trouble']}"
        yield _finding(record, "issuer-node-down", title, Verdict.DEGRADED)
    ahead = float(node.get("clock_seconds", 0.0))
    if abs(ahead) > MOST_CLOCK_SECONDS:
        way = "ahead" if ahead > 0 else "behind"
        title = f"the clock of the issuer's node {name} is {abs(ahead):.0f} s {way} of ours"
        yield _finding(record, "issuer-clock-wrong", title, Verdict.FAILED)


def _finding(record: StepRecord, code: str, title: str, verdict: Verdict) -> Finding:
    return Finding(code=code, title=title, blame=IDENTITY, verdict=verdict, step=record.name)
