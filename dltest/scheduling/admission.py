"""Which planned runs may begin: in their order, within every limit, and nobody waits for ever.

Pure. A run needs a seat at each of its RSEs, one on its link and one in all, within the pace of
its scenario and the installation's limits. The first run that a full limit holds keeps its seats
everywhere else: younger runs do not take them, so it begins as soon as the full limit has room.
Those behind it at the same limit keep none, so that one full RSE does not idle all others.

A run that breaks something begins when nobody needs it, and nobody who needs it begins meanwhile.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dltest.model import LAKE, HoldReason, Pace
from dltest.planning import Company
from dltest.store import Admission, Crowd, Waiter


@dataclass(frozen=True, slots=True)
class Limits:
    """The installation's own limits; None is none."""

    per_rse: int | None = None
    per_link: int | None = None
    runs: int | None = None
    waiting_rules: int | None = None


@dataclass(frozen=True, slots=True)
class _Seat:
    """One place of a limit: at what, whose limit, how many there are."""

    reason: HoldReason
    where: str
    scenario: str
    limit: int

    @property
    def key(self) -> tuple[HoldReason, str, str]:
        return (self.reason, self.where, self.scenario)

    def sentence(self) -> str:
        owner = f"the pace of {self.scenario}" if self.scenario else "this installation"
        place = self.where or "the lake"
        return f"{self.reason}: {owner} allows {self.limit} open at once on {place}"


def decide(crowd: Crowd, limits: Limits, closed: Mapping[str, str], now: datetime) -> Admission:
    """Who begins now, who is held and why, and who will not begin, for a downtime.

    `closed` maps an RSE in downtime to the sentence that says so.
    """
    shut = {w.run_id: why for w in crowd.waiters if (why := _downtime(w, closed)) is not None}
    waiters = [waiter for waiter in crowd.waiters if waiter.run_id not in shut]
    if limits.waiting_rules is not None and crowd.waiting_rules >= limits.waiting_rules:
        why = _lake_is_busy(limits.waiting_rules)
        return Admission(held={waiter.run_id: why for waiter in waiters}, closed=shut)
    admitted, held = _Table(crowd, limits, now).seat(waiters)
    return Admission(admitted=tuple(admitted), held=held, closed=shut)


def _downtime(waiter: Waiter, closed: Mapping[str, str]) -> str | None:
    if waiter.ignores_downtime:
        return None
    return next((closed[rse] for rse in waiter.targets if rse in closed), None)


def _lake_is_busy(limit: int) -> str:
    return (
        f"{HoldReason.WAITING_RULES}: {limit} replications or more already wait for the lake,"
        " as many as this installation allows"
    )


class _Table:
    """The seats that are taken, while the waiters are gone through once."""

    def __init__(self, crowd: Crowd, limits: Limits, now: datetime) -> None:
        self._paces = crowd.paces
        self._limits = limits
        self._taken: Counter[tuple[HoldReason, str, str]] = Counter()
        self._has_a_first: set[tuple[HoldReason, str, str]] = set()
        self._resting = {name: at for name, at in crowd.free_from.items() if at > now}
        self._now = now
        self._company = Company()
        if crowd.disturbed:
            self._company.enter((), crowd.disturbed)
        for group in crowd.open:
            self._company.enter(group.targets, (), group.runs)
            for seat in self._seats(group.scenario, group.targets):
                self._taken[seat.key] += group.runs

    def seat(self, waiters: Sequence[Waiter]) -> tuple[list[str], dict[str, str]]:
        admitted: list[str] = []
        held: dict[str, str] = {}
        for waiter in waiters:
            why = self._held(waiter)
            if why is None:
                admitted.append(waiter.run_id)
            else:
                held[waiter.run_id] = why
        return admitted, held

    def _held(self, waiter: Waiter) -> str | None:
        """Why not, or None when it took its seats."""
        if (rests_until := self._resting.get(waiter.scenario)) is not None:
            return _bandwidth(waiter.scenario, rests_until)
        if not self._company.bears(waiter.targets, waiter.disturbs):
            if waiter.disturbs:
                # Younger runs do not come between, or it would never find the lake free.
                self._company.enter(waiter.targets, waiter.disturbs)
            return _apart(waiter)
        seats = list(self._seats(waiter.scenario, waiter.targets))
        full = [seat for seat in seats if self._taken[seat.key] >= seat.limit]
        if not full:
            self._take(seats)
            self._company.enter(waiter.targets, waiter.disturbs)
            if self._pace(waiter.scenario).bandwidth is not None:
                self._resting[waiter.scenario] = self._now
            return None
        if full[0].key not in self._has_a_first:
            self._has_a_first.add(full[0].key)
            self._take([seat for seat in seats if seat not in full])
        return full[0].sentence()

    def _take(self, seats: Sequence[_Seat]) -> None:
        for seat in seats:
            self._taken[seat.key] += 1

    def _pace(self, scenario: str) -> Pace:
        return self._paces.get(scenario, Pace())

    def _seats(self, scenario: str, targets: tuple[str, ...]) -> Iterator[_Seat]:
        pace, limits = self._pace(scenario), self._limits
        link = "->".join(targets) if len(targets) > 1 else None
        for rse in dict.fromkeys(targets):
            yield from _limited(HoldReason.PACE_RSE, rse, scenario, pace.per_rse)
            yield from _limited(HoldReason.PARALLEL_RSE, rse, "", limits.per_rse)
        if link is not None:
            yield from _limited(HoldReason.PACE_LINK, link, scenario, pace.per_link)
            yield from _limited(HoldReason.PARALLEL_LINK, link, "", limits.per_link)
        yield from _limited(HoldReason.PARALLEL_RUNS, "", "", limits.runs)


def _limited(reason: HoldReason, where: str, scenario: str, limit: int | None) -> Iterator[_Seat]:
    if limit is not None:
        yield _Seat(reason, where, scenario, limit)


def _apart(waiter: Waiter) -> str:
    if not waiter.disturbs:
        return f"{HoldReason.APART}: another run breaks what this one needs, and heals it again"
    what = "the lake" if LAKE in waiter.disturbs else ", ".join(waiter.disturbs)
    return f"{HoldReason.APART}: it breaks {what}, so others have to end before"


def _bandwidth(scenario: str, until: datetime) -> str:
    return (
        f"{HoldReason.PACE_BANDWIDTH}: the bandwidth of {scenario} allows the next run"
        f" from {until:%H:%M:%S} UTC on"
    )
