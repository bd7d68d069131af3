"""Asks the lake for all that is known of a rule, each question on its own.

A question that is not answered is noted and leaves a gap: half of an answer is better than none
to whoever is woken at night. Only when Rucio says nothing of the requests it is left at that.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from dltest.errors import LakeError
from dltest.lake.ports import Catalogue, Replica, Rule, RuleState, TransferRequest
from dltest.steps.step import Context
from dltest.steps.stuck.facts import Candidate, Facts, Job
from dltest.steps.stuck.reasons import Route
from dltest.steps.stuck.tokens import trouble_with_tokens

T = TypeVar("T")

# Each file costs Rucio a call or two; they seldom differ.
SAMPLE = 20
ENDED = 3
CANDIDATES = 10
# States in which a transfer is at the transfer service.
AT_FTS = "SUBMITTED"


def collect(ctx: Context, rule: Rule, route: Route) -> Facts:
    """The facts, now.

    Raises:
        LakeError: Rucio does not say what became of the transfers.
    """
    names = ctx.file_names()[:SAMPLE]
    rucio, to = ctx.lake.catalogue, route.destination
    known = Facts(
        now=ctx.now,
        rule=rule,
        route=route,
        files=ctx.payload.files,
        requests=tuple(rucio.requests(names, to)),
    )
    ask = _Asker()
    source = route.source
    found = {
        "attempts": ask.all("former attempts", partial(rucio.ended_attempts, names[:ENDED], to)),
        "tries": _tries(rucio, rule, ask),
        "arrived": ask.all("replicas", partial(rucio.replicas, names, to)),
        "source": ask.one(f"state of {source}", partial(rucio.rse, source)) if source else None,
        "destination": ask.one(f"state of {to}", partial(rucio.rse, to)),
        "usage": ask.one(f"usage of {to}", partial(rucio.usage, to)),
        "heartbeats": ask.one("heartbeats", lambda: tuple(rucio.heartbeats())),
        "candidates": _candidates(rucio, _unhappy(known, names), to, ask),
        "job": _job(ctx, known.pending),
        "tokens": ask.one("tokens", partial(trouble_with_tokens, ctx, route)),
    }
    return known.model_copy(update={**found, "unanswered": tuple(ask.unanswered)})


class _Asker:
    """Takes a refusal or silence for an answer, and remembers the question."""

    def __init__(self) -> None:
        self.unanswered: list[str] = []

    def one(self, what: str, question: Callable[[], T]) -> T | None:
        try:
            return question()
        except LakeError as error:
            self.unanswered.append(f"{what} ({error.code})")
            return None

    def all(self, what: str, question: Callable[[], Sequence[T]]) -> tuple[T, ...]:
        return tuple(self.one(what, question) or ())


def _tries(rucio: Catalogue, rule: Rule, ask: _Asker) -> int:
    """Rucio tells it of STUCK rules only."""
    if rule.state is not RuleState.STUCK:
        return 0
    return ask.one("tries", partial(rucio.tries, rule.id)) or 0


def _unhappy(known: Facts, names: list[str]) -> str:
    """The file that is looked into: one that waits, else the first."""
    return known.pending.name if known.pending else names[0]


def _candidates(rucio: Catalogue, name: str, to: str, ask: _Asker) -> tuple[Candidate, ...]:
    places = [place for place in ask.all("places", partial(rucio.places, name)) if place.rse != to]
    return tuple(_candidate(rucio, place, to, ask) for place in places[:CANDIDATES])


def _candidate(rucio: Catalogue, place: Replica, to: str, ask: _Asker) -> Candidate:
    rse = ask.one(f"state of {place.rse}", partial(rucio.rse, place.rse))
    way = ask.one(f"distance from {place.rse}", partial(rucio.distance, place.rse, to))
    return Candidate(replica=place, readable=rse.readable if rse else None, distance=way)


def _job(ctx: Context, request: TransferRequest | None) -> Job | None:
    if request is None or request.state != AT_FTS:
        return None
    host, job_id = request.transfer_host, request.transfer_id
    if host is None or job_id is None:
        return None
    url = f"{host}/jobs/{job_id}"
    try:
        return Job(url=url, files=tuple(ctx.lake.transfers.files(host, job_id)))
    except LakeError as error:
        return Job(url=url, silence=error.as_trouble())
