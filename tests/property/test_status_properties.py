"""A case's status is steady: it follows what lasts, and no flicker."""

from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from dltest.model import Status, Steadiness, Verdict
from dltest.model.status import COUNTED

counted = st.sampled_from([Verdict.PASSED, Verdict.DEGRADED, Verdict.FAILED])
silent = st.sampled_from([Verdict.SKIPPED, Verdict.INCONCLUSIVE])
steady = st.integers(2, 5).flatmap(
    lambda after: st.builds(Steadiness, after=st.just(after), of=st.integers(after, 8))
)
TWO_OF_THREE = Steadiness()
P, D, F = Verdict.PASSED, Verdict.DEGRADED, Verdict.FAILED


def statuses(verdicts: list[Verdict], steadiness: Steadiness) -> list[Verdict | None]:
    status, seen = Status(), []
    for verdict in verdicts:
        status = status.after(verdict, steadiness)
        seen.append(status.verdict)
    return seen


def changes(seen: list[Verdict | None]) -> int:
    return sum(before is not after for before, after in pairwise(seen))


@given(counted, counted, st.integers(2, 40), steady)
def test_verdicts_that_alternate_change_the_status_once_at_most(
    one: Verdict, other: Verdict, pairs: int, steadiness: Steadiness
) -> None:
    assert changes(statuses([one, other] * pairs, steadiness)) <= 1


@given(st.lists(counted, max_size=12), st.lists(silent, max_size=6), steady)
def test_a_run_that_found_nothing_out_changes_nothing(
    verdicts: list[Verdict], nothing: list[Verdict], steadiness: Steadiness
) -> None:
    before = Status()
    for verdict in verdicts:
        before = before.after(verdict, steadiness)
    after = before
    for verdict in nothing:
        after = after.after(verdict, steadiness)
    assert after == before


@given(st.lists(counted, min_size=1, max_size=30), counted, steady)
def test_one_verdict_alone_never_changes_a_status_that_has_settled(
    verdicts: list[Verdict], settled: Verdict, steadiness: Steadiness
) -> None:
    seen = statuses([settled] * steadiness.of * 2, steadiness)
    assert seen[-1] is settled
    for verdict in verdicts[:1]:
        assert statuses([settled] * steadiness.of * 2 + [verdict], steadiness)[-1] is settled


@given(st.lists(counted | silent, max_size=30), counted, steady)
def test_what_lasts_becomes_the_status(
    verdicts: list[Verdict], lasting: Verdict, steadiness: Steadiness
) -> None:
    assert statuses(verdicts + [lasting] * steadiness.of * 2, steadiness)[-1] is lasting


@given(st.lists(counted | silent, max_size=40), steady)
def test_at_least_so_many_runs_lie_between_two_changes(
    verdicts: list[Verdict], steadiness: Steadiness
) -> None:
    kept = [verdict for verdict in verdicts if verdict in COUNTED]
    seen = statuses(kept, steadiness)
    at = [n for n, (before, after) in enumerate(pairwise(seen)) if before is not after]
    assert all(later - earlier >= steadiness.after for earlier, later in pairwise(at))


@given(st.lists(counted, max_size=20))
def test_one_of_one_is_the_raw_verdict(verdicts: list[Verdict]) -> None:
    assume(verdicts)
    assert statuses(verdicts, Steadiness(after=1, of=1)) == verdicts


def test_two_of_three() -> None:
    assert statuses([P, F, P, F], TWO_OF_THREE) == [P, P, P, F]
    assert statuses([P, F, F, P, P], TWO_OF_THREE) == [P, P, F, F, P]
    assert statuses([P, D, F], TWO_OF_THREE) == [P, P, D]
    assert statuses([F, P, D, P, P], TWO_OF_THREE) == [F, F, D, D, P]
    assert statuses([Verdict.INCONCLUSIVE, Verdict.SKIPPED], TWO_OF_THREE) == [None, None]


@given(st.lists(counted, min_size=2, max_size=40), steady)
def test_the_status_moves_only_towards_the_newest_verdict(
    verdicts: list[Verdict], steadiness: Steadiness
) -> None:
    seen = statuses(verdicts, steadiness)
    for (before, after), newest in zip(pairwise(seen), verdicts[1:], strict=True):
        assert before
        assert after
        low, high = sorted((before.face.code, newest.face.code))
        assert low <= after.face.code <= high
