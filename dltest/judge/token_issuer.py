"""What the nodes of a token issuer said, while the issuer as a whole gives tokens."""

from collections.abc import Iterator, Mapping
from typing import Any

from dltest.model import IDENTITY, Finding, StepRecord, Verdict

EVIDENCE = "issuer_nodes"
# Verifiers forgive a minute at most: what is further ahead gives tokens that are not valid yet.
MOST_CLOCK_SECONDS = 30.0


def findings(record: StepRecord) -> Iterator[Finding]:
    """Nodes that do not do their part, clocks that are wrong, and keys that are not shared."""
    told = record.evidence.get(EVIDENCE)
    listed = told if isinstance(told, list) else []
    nodes: list[dict[str, Any]] = [one for one in listed if isinstance(one, dict)]
    for node in nodes:
        yield from _of_node(record, node)
    took = record.measured.get("token_seconds", 0.0)
    allowed = float(str(record.evidence.get("allowed_seconds", took)))
    if took > allowed:
        title = f"the issuer took {took:g} s for a token, longer than the {allowed:g} s expected"
        yield _finding(record, "issuer-slow", title, Verdict.DEGRADED)
    known = {tuple(sorted(node["key_ids"])) for node in nodes if node.get("key_ids")}
    if len(known) > 1:
        title = "the nodes of the token issuer publish different keys"
        yield _finding(record, "issuer-keys-differ", title, Verdict.FAILED)


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
