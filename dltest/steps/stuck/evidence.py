"""Explanation and facts as evidence of a record: a sentence and a short table, of bounded size."""

from collections import Counter
from collections.abc import Iterator

from pydantic import JsonValue

from dltest.model import RSE
from dltest.steps.stuck.explain import Explanation
from dltest.steps.stuck.facts import Candidate, Facts
from dltest.units import human_seconds, human_size

LONGEST = 300


def evidence_of(facts: Facts, explanation: Explanation) -> dict[str, JsonValue]:
    """`sentence`, `who` must act, and `facts` by name, each a line."""
    trouble = explanation.trouble
    table: dict[str, JsonValue] = {
        name: _shortened(told) for name, told in _table(facts, explanation) if told
    }
    sentence = _shortened(f"{trouble.message}; {trouble.blame} must act")
    return {"sentence": sentence, "who": str(trouble.blame), "facts": table}


def _shortened(told: str) -> str:
    line = " ".join(told.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 4]} ..."


def _table(facts: Facts, explanation: Explanation) -> Iterator[tuple[str, str]]:
    yield "rule", _rule(facts)
    yield "requests", _requests(facts)
    yield "tries", str(facts.tries) if facts.tries else ""
    yield "an attempt", _attempt(facts)
    yield "transfer job", _job(facts)
    yield "sources", ", ".join(map(_candidate, facts.candidates))
    yield "source", _rse(facts.source)
    yield "destination", _rse(facts.destination)
    yield "space", _space(facts)
    yield "daemon", _daemon(facts, explanation.daemon)
    yield "not answered", ", ".join(facts.unanswered)


def _rule(facts: Facts) -> str:
    rule = facts.rule
    locks = f"locks {rule.locks_ok} ok, {rule.locks_replicating} replicating, "
    told = f"{rule.id} {rule.state}, {locks}{rule.locks_stuck} stuck of {facts.files}"
    return f"{told}: {rule.error}" if rule.error else told


def _requests(facts: Facts) -> str:
    """As `2 QUEUED attempt 3 from XRD1`."""
    kinds = Counter(
        f"{request.state} attempt {request.attempt} from {request.source or 'nowhere yet'}"
        for request in facts.requests
    )
    return ", ".join(f"{many} {kind}" for kind, many in kinds.items()) or "none"


def _attempt(facts: Facts) -> str:
    if not facts.attempts:
        return ""
    one = facts.attempts[0]
    at = f" at {one.registered_at:%H:%M:%S} UTC" if one.registered_at else ""
    return f"number {one.attempt} was {one.state}{at}: {one.error or 'no reason given'}"


def _job(facts: Facts) -> str:
    job = facts.job
    if job is None:
        return ""
    if job.silence is not None:
        return f"{job.url}: {job.silence.message}"
    told = [f"{file.state} {file.reason or ''}".strip() for file in job.files[:3]]
    return f"{job.url}: {'; '.join(told) or 'not known there'}"


def _candidate(one: Candidate) -> str:
    readable = {True: "readable", False: "blocked for reading", None: "not asked"}[one.readable]
    way = "no distance" if one.distance is None else f"distance {one.distance}"
    return f"{one.rse} {one.replica.state} ({readable}, {way})"


def _rse(rse: RSE | None) -> str:
    if rse is None:
        return ""
    may = {"read": rse.readable, "write": rse.writable, "delete": rse.deletable}
    no = [what for what, allowed in may.items() if not allowed]
    return f"{rse.name} {'blocked for ' + ', '.join(no) if no else 'not blocked'}"


def _space(facts: Facts) -> str:
    usage = facts.usage
    if usage is None:
        return ""
    sizes = {"used": usage.used, "free": usage.free, "left of our quota": usage.left}
    return ", ".join(
        f"{human_size(size)} {what}" for what, size in sizes.items() if size is not None
    )


def _daemon(facts: Facts, name: str | None) -> str:
    if name is None:
        return ""
    if facts.heartbeats is None:
        return f"{name}; only Rucio's operators may see when it was alive last"
    seen = facts.last_seen(name)
    if seen is None:
        return f"{name}, which has no heartbeat"
    ago = human_seconds(max((facts.now - seen).total_seconds(), 0.0))
    return f"{name}, seen alive last {ago} ago ({seen:%H:%M:%S} UTC)"
