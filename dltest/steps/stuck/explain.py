"""From facts to one sentence: what is wrong, and who should act. Pure.

A rule alone cannot tell a dead daemon from a slow link: all say REPLICATING. The order of
questions follows the way of a transfer (rucio/core/request.py, FTS3 job states): the rule itself,
the errors on record, the request, then the job at the transfer service. Every situation that was
seen on a real Rucio is a row of tests/unit/steps/test_stuck_explain.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from dltest.lake.ports import ReplicaState, RuleState, TransferRequest
from dltest.model import FTS, RUCIO, Blame, Trouble
from dltest.steps.stuck.facts import Candidate, Facts, Job
from dltest.steps.stuck.reasons import from_error
from dltest.steps.stuck.tokens import CODES as OF_TOKENS

# Rucio's cleaner goes round every minute or so on most installations.
CLEANER_LATE = timedelta(minutes=2)
FINAL_AT_FTS = {"FINISHED", "FAILED", "CANCELED", "NOT_USED"}
# A request in one of these waits for a daemon that only some installations run.
WAITS_FOR = {"WAITING": "conveyor-throttler", "PREPARING": "conveyor-preparer"}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What stands in the way. `daemon` is Rucio's that should have acted, where it is one."""

    trouble: Trouble
    daemon: str | None = None


def explain(facts: Facts) -> Explanation:
    """The first that fits, from the most to the least telling."""
    return next(found for found in _chain(facts) if found is not None)


def _chain(facts: Facts) -> Iterator[Explanation | None]:
    yield _from_rule(facts)
    said = _from_errors(facts) or _from_request(facts)
    yield _from_tokens(facts, said)
    yield said
    yield _without_request(facts)


def _from_rule(facts: Facts) -> Explanation | None:
    rule = facts.rule
    if rule.expires_at is not None and facts.now - rule.expires_at > CLEANER_LATE:
        message = f"rule {rule.id} expired at {rule.expires_at:%H:%M:%S} UTC and is still there"
        return _daemon("judge-cleaner", "rule-not-removed", message)
    match rule.state:
        case RuleState.GONE:
            found = _gone(facts)
        case RuleState.INJECT:
            message = f"rule {rule.id} waits to be injected"
            found = _daemon("judge-injector", "rule-not-injected", message)
        case RuleState.SUSPENDED:
            message = f"rule {rule.id} is SUSPENDED: {rule.error or 'no reason given'}"
            found = _rucio("rule-suspended", message)
        case RuleState.WAITING_APPROVAL:
            found = _rucio("approval-needed", f"rule {rule.id} waits for somebody's approval")
        case RuleState.OK if rule.locks_ok < facts.files:
            message = f"rule {rule.id} is OK with {rule.locks_ok} of {facts.files} files"
            found = _daemon("judge-evaluator", "locks-missing", message)
        case _:
            return None
    return found


def _gone(facts: Facts) -> Explanation:
    left = [r for r in facts.arrived if r.state is not ReplicaState.MISSING]
    if not left:
        return _rucio("rule-gone", f"rule {facts.rule.id} is gone")
    message = f"rule {facts.rule.id} is gone, and {len(left)} replicas at {left[0].rse} are not"
    return _daemon("reaper", "replica-not-deleted", message)


def _from_errors(facts: Facts) -> Explanation | None:
    # What was wrong before a repair stays on record while Rucio tries again.
    of_rule = facts.rule.error if facts.rule.state is RuleState.STUCK else None
    for text in filter(None, [of_rule, *map(_error, facts.requests)]):
        if "NO_SOURCES" in text:
            return _without_source(facts)
        if trouble := from_error(text, facts.route):
            return Explanation(trouble)
    return _from_attempts(facts)


def _from_tokens(facts: Facts, said: Explanation | None) -> Explanation | None:
    """Who is shown a token that is worth nothing refuses, and is right."""
    may_be = said is not None and said.trouble.code in OF_TOKENS
    return Explanation(facts.tokens) if facts.tokens is not None and may_be else None


def _error(request: TransferRequest) -> str:
    return request.error or request.state


def _from_attempts(facts: Facts) -> Explanation | None:
    """What went wrong before Rucio tried again, and tells only in its history."""
    pending = facts.pending
    tried_again = pending is not None and pending.attempt > 1
    if not (tried_again or facts.rule.state is RuleState.STUCK):
        return None
    for attempt in facts.attempts:
        if attempt.state == "LOST":
            message = f"the transfer service lost a job: {attempt.error or attempt.transfer_id}"
            return Explanation(Trouble(code="job-lost", message=message, blame=FTS))
        if "NO_SOURCES" in attempt.state:
            return _without_source(facts)
        if trouble := from_error(attempt.error or attempt.state, facts.route):
            return Explanation(trouble)
    return None


def _without_source(facts: Facts) -> Explanation:
    """The three errors are one; where the file lies, and whether it may be read, tells them."""
    good = [one for one in facts.candidates if one.replica.state is ReplicaState.AVAILABLE]
    if facts.candidates and not good:
        states = ", ".join(f"{one.rse} is {one.replica.state}" for one in facts.candidates)
        return _no_sources(facts, f"no replica is good: that at {states}")
    if good and all(one.readable is False for one in good):
        return _blocked(good[0].rse, "reading")
    if far := [one for one in good if one.readable and one.distance is None]:
        return _no_distance(far, facts.route.destination)
    if not facts.candidates and "places" not in " ".join(facts.unanswered):
        return _no_sources(facts, "Rucio knows no replica of the file")
    return _no_sources(facts, "Rucio finds no source to read from")


def _no_sources(facts: Facts, message: str) -> Explanation:
    source = facts.route.source
    blame = Blame.site(source) if source else RUCIO
    return Explanation(Trouble(code="no-sources", message=message, blame=blame))


def _no_distance(far: list[Candidate], destination: str) -> Explanation:
    places = ", ".join(one.rse for one in far)
    message = f"Rucio knows no distance from {places} to {destination}, so it copies nothing there"
    return _rucio("no-distance", message)


def _blocked(rse: str, what: str) -> Explanation:
    return _rucio("rse-blocked", f"{rse} is blocked for {what} in Rucio, by its availability")


def _from_request(facts: Facts) -> Explanation | None:
    request = facts.pending
    if request is None:
        return None
    if request.state in {"SUBMITTING", "SUBMITTED"}:
        return _from_job(facts, request)
    if request.state == "DONE":
        message = "the transfer is done, and Rucio has not noted it"
        return _daemon("conveyor-finisher", "not-finished", message)
    if daemon := WAITS_FOR.get(request.state):
        return _daemon(daemon, "not-submitted", f"the transfer request is {request.state}")
    if facts.destination is not None and not facts.destination.writable:
        return _blocked(facts.route.destination, "writing")
    message = f"the transfer request is {request.state}, attempt {request.attempt}"
    if request.source is None:
        message = f"the transfer request is {request.state} without a source"
    return _daemon("conveyor-submitter", "not-submitted", message)


def _from_job(facts: Facts, request: TransferRequest) -> Explanation:
    job = facts.job
    if request.state == "SUBMITTING":
        message = "Rucio is handing the transfer to the transfer service, and gets no answer"
        return Explanation(Trouble(code="submission-failed", message=message, blame=FTS))
    if job is None:
        return _rucio("not-submitted", "the request is SUBMITTED and names no transfer job")
    if job.silence is not None:
        return Explanation(job.silence)
    states = {file.state for file in job.files}
    if not states:
        message = f"{job.url} is not known there, and {request.name} waits for it"
        return Explanation(Trouble(code="job-lost", message=message, blame=FTS))
    told = f"{job.url} is {'/'.join(sorted(states))}"
    if states <= FINAL_AT_FTS:
        return _daemon("conveyor-poller", "not-polled", f"{told}, and Rucio has not noted it")
    return _under_way(facts, job, told)


def _under_way(facts: Facts, job: Job, told: str) -> Explanation:
    if any(file.state == "ACTIVE" for file in job.files):
        code, blame, phase = "transfer-slow", facts.route.link, "TRANSFER"
        return Explanation(Trouble(code=code, message=told, blame=blame, phase=phase))
    return Explanation(Trouble(code="transfer-queued", message=told, blame=FTS))


def _without_request(facts: Facts) -> Explanation:
    rule = facts.rule
    if facts.usage is not None and facts.usage.left is not None and facts.usage.left <= 0:
        message = f"our account's quota at {facts.route.destination} is used up"
        return _rucio("quota-exceeded", message)
    message = f"rule {rule.id} is {rule.state}, and Rucio has no transfer request for it"
    return _daemon("judge-evaluator", "no-request", message)


def _daemon(name: str, code: str, message: str) -> Explanation:
    told = f"{message}: Rucio's {name} does not run, or does not get to it"
    return Explanation(Trouble(code=code, message=told, blame=RUCIO), daemon=name)


def _rucio(code: str, message: str) -> Explanation:
    return Explanation(Trouble(code=code, message=message, blame=RUCIO))
