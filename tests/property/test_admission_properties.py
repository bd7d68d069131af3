"""Who may begin: within every limit, whoever waits longest first, and nobody for ever."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from dltest.model import HoldReason, Pace
from dltest.scheduling.admission import Limits, decide
from dltest.store import Crowd, Group, Waiter

NOW = datetime(2026, 11, 24, tzinfo=UTC)
RSES = ("A", "B", "C", "D")
SCENARIOS = ("upload", "replicate", "mesh")

limit = st.none() | st.integers(1, 4)
limits = st.builds(Limits, per_rse=limit, per_link=limit, runs=limit)
paces = st.dictionaries(
    st.sampled_from(SCENARIOS), st.builds(Pace, per_rse=limit, per_link=limit), max_size=3
)
places = st.tuples(
    st.sampled_from(SCENARIOS),
    st.lists(st.sampled_from(RSES), min_size=1, max_size=3, unique=True).map(tuple),
)
crowds = st.lists(places, min_size=1, max_size=25)


def waiters(found: list[tuple[str, tuple[str, ...]]]) -> tuple[Waiter, ...]:
    return tuple(
        Waiter(f"r{n:03}", scenario, targets, ignores_downtime=False, held=None)
        for n, (scenario, targets) in enumerate(found)
    )


def crowd(waiting: tuple[Waiter, ...], at_it: list[Waiter], pace: dict[str, Pace]) -> Crowd:
    counted = Counter((waiter.scenario, waiter.targets) for waiter in at_it)
    groups = tuple(Group(scenario, targets, n) for (scenario, targets), n in counted.items())
    return Crowd(waiting, groups, pace, {}, 0)


def most(at_it: list[Waiter], limits: Limits, pace: dict[str, Pace]) -> bool:
    """Whether all limits are kept."""
    rses = Counter(rse for waiter in at_it for rse in waiter.targets)
    links = Counter(waiter.targets for waiter in at_it if len(waiter.targets) > 1)
    kept = (
        max(rses.values(), default=0) <= (limits.per_rse or 99)
        and max(links.values(), default=0) <= (limits.per_link or 99)
        and len(at_it) <= (limits.runs or 99)
    )
    for scenario, own in pace.items():
        mine = [waiter for waiter in at_it if waiter.scenario == scenario]
        inner = Limits(per_rse=own.per_rse, per_link=own.per_link)
        kept = kept and most(mine, inner, {})
    return kept


@given(crowds, limits, paces, st.randoms(use_true_random=False))
def test_every_run_begins_in_the_end_and_no_limit_is_ever_broken(
    found: list[tuple[str, tuple[str, ...]]], allowed: Limits, pace: dict[str, Pace], chance: Random
) -> None:
    """Whatever ends, and in which order: as many rounds as there are runs are enough."""
    waiting, at_it = waiters(found), []
    for _ in range(2 * len(found) + 1):
        admission = decide(crowd(waiting, at_it, pace), allowed, {}, NOW)
        assert set(admission.admitted) | set(admission.held) == {w.run_id for w in waiting}
        at_it += [waiter for waiter in waiting if waiter.run_id in admission.admitted]
        assert most(at_it, allowed, pace)
        waiting = tuple(w for w in waiting if w.run_id not in admission.admitted)
        assert at_it or not waiting
        if at_it:
            at_it.remove(chance.choice(at_it))
    assert waiting == ()


@given(crowds, limits, paces)
def test_the_same_place_is_given_in_order(
    found: list[tuple[str, tuple[str, ...]]], allowed: Limits, pace: dict[str, Pace]
) -> None:
    waiting = waiters(found)
    admitted = set(decide(crowd(waiting, [], pace), allowed, {}, NOW).admitted)
    for place in set(found):
        began = [w.run_id in admitted for w in waiting if (w.scenario, w.targets) == place]
        assert began == sorted(began, reverse=True)


def test_younger_runs_do_not_starve_an_old_one_that_needs_two_full_rses() -> None:
    """A and B are each refilled by a run of their own; the link needs both at once."""
    allowed = Limits(per_rse=1)
    link = Waiter("old", "mesh", ("A", "B"), ignores_downtime=False, held=None)
    at_it = [
        Waiter(f"busy-{rse}", "upload", (rse,), ignores_downtime=False, held=None) for rse in "AB"
    ]
    for turn in range(4):
        young = [
            Waiter(f"{turn}{rse}", "upload", (rse,), ignores_downtime=False, held=None)
            for rse in "AB"
        ]
        admission = decide(crowd((link, *young), at_it, {}), allowed, {}, NOW)
        if "old" in admission.admitted:
            return
        at_it = [w for w in (*at_it, *young) if w.run_id in {*admission.admitted, "busy-B"}]
        if turn == 1:
            at_it = [w for w in at_it if w.run_id != "busy-B"]
    raise AssertionError("the old run never began")


def test_a_full_rse_holds_no_run_elsewhere() -> None:
    at_it = [Waiter("x", "upload", ("A",), ignores_downtime=False, held=None)]
    found = waiters([("mesh", ("A", "B"))] + [("mesh", ("A", "C"))] * 5 + [("upload", ("C",))] * 2)
    admission = decide(crowd(found, at_it, {}), Limits(per_rse=1), {}, NOW)
    assert admission.admitted == ("r006",)
    assert admission.held["r000"].startswith("parallel-per-rse: ")
    assert "on A" in admission.held["r001"]


def test_bandwidth_spaces_the_beginnings() -> None:
    found = waiters([("mesh", ("A", "B")), ("mesh", ("A", "C")), ("upload", ("A",))])
    pace = {"mesh": Pace(bandwidth=1e6)}
    free = Crowd(found, (), pace, {"mesh": NOW}, 0)
    assert decide(free, Limits(), {}, NOW).admitted == ("r000", "r002")
    resting = Crowd(found, (), pace, {"mesh": NOW + timedelta(seconds=1)}, 0)
    admission = decide(resting, Limits(), {}, NOW)
    assert admission.admitted == ("r002",)
    assert {why.partition(":")[0] for why in admission.held.values()} == {
        HoldReason.PACE_BANDWIDTH.value
    }


def test_nothing_begins_while_the_lake_has_enough_to_do() -> None:
    found = waiters([("upload", ("A",))])
    busy = Crowd(found, (), {}, {}, 200)
    assert decide(busy, Limits(waiting_rules=201), {}, NOW).admitted == ("r000",)
    held = decide(busy, Limits(waiting_rules=200), {}, NOW).held
    assert held["r000"].startswith("waiting-rules: 200 ")


def test_a_run_in_downtime_is_not_held_and_takes_no_seat() -> None:
    found = waiters([("upload", ("A",)), ("mesh", ("B", "A")), ("upload", ("B",))])
    stubborn = Waiter("mine", "upload", ("A",), ignores_downtime=True, held=None)
    closed = {"A": "A is in downtime: disks (me)"}
    admission = decide(crowd((*found, stubborn), [], {}), Limits(runs=2), closed, NOW)
    assert admission.closed == {"r000": closed["A"], "r001": closed["A"]}
    assert admission.admitted == ("r002", "mine")
