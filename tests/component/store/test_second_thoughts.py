"""Annulled and rejudged runs: what was said first stays, and the status counts what holds now."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from dltest.model import (
    SCENARIO,
    Annulment,
    Campaign,
    Finding,
    Judgement,
    JudgementChange,
    Run,
    RunPhase,
    Steadiness,
    Verdict,
)
from dltest.store import Store

MakeRun = Callable[..., Run]
P, F, U = Verdict.PASSED, Verdict.FAILED, Verdict.INCONCLUSIVE


def judged(verdict: Verdict) -> Judgement:
    finding = Finding(code="overdue", title="late", blame=SCENARIO, verdict=verdict)
    return Judgement(verdict=verdict, findings=() if verdict is P else (finding,))


@pytest.fixture
def end(store: Store, campaign: Campaign, planned: MakeRun, now: datetime) -> Callable[..., None]:
    """Plans runs r0, r1, ... and ends them so, a minute apart."""

    def ended(*verdicts: Verdict) -> None:
        store.create_campaign(campaign, [planned(f"r{n}") for n in range(len(verdicts))])
        for n, verdict in enumerate(verdicts):
            with store.claim(f"r{n}") as claim:
                assert claim is not None
                changes = {
                    "phase": RunPhase.ENDED,
                    "judgement": judged(verdict),
                    "finished_at": now + timedelta(minutes=n),
                }
                claim.save(claim.run.model_copy(update=changes))

    return ended


End = Callable[..., None]


def annulment(now: datetime) -> Annulment:
    return Annulment(at=now, by="ops", why="the test was wrong")


def change(now: datetime, run_id: str, before: Verdict, after: Verdict) -> JudgementChange:
    return JudgementChange(
        run_id=run_id,
        at=now,
        by="ops",
        why="a better judge",
        before=judged(before),
        after=judged(after),
    )


def totals(store: Store) -> dict[Verdict, tuple[int, int]]:
    return {total.verdict: (total.runs, total.annulled) for total in store.snapshot().runs}


def test_a_status_lags_behind_its_verdicts(store: Store, end: End, now: datetime) -> None:
    end(P, F, U, P, F)
    (case,) = store.cases()
    assert (case.verdict, case.status) == (F, F)
    assert case.status_since == now + timedelta(minutes=4)
    assert case.recent == ()


def test_a_flicker_shows_in_the_verdict_alone(store: Store, end: End, now: datetime) -> None:
    end(P, F)
    (case,) = store.cases()
    assert (case.verdict, case.status, case.status_since) == (F, P, now)
    assert case.recent == (F,)


def test_an_installation_may_want_the_raw_verdict(
    database_url: str, campaign: Campaign, planned: MakeRun, now: datetime
) -> None:
    with Store.open(database_url, steadiness=Steadiness(after=1, of=1)) as nervous:
        nervous.create_campaign(campaign, [planned("a"), planned("b")])
        for run_id, verdict in (("a", P), ("b", F)):
            with nervous.claim(run_id) as claim:
                assert claim is not None
                changes = {
                    "phase": RunPhase.ENDED,
                    "judgement": judged(verdict),
                    "finished_at": now,
                }
                claim.save(claim.run.model_copy(update=changes))
        assert nervous.cases()[0].status is F


def test_an_annulled_run_keeps_its_verdict_and_no_longer_counts(
    store: Store, end: End, now: datetime
) -> None:
    end(P, F, F)
    assert store.cases()[0].status is F
    assert store.annul("r2", annulment(now))
    run = store.run("r2")
    assert run is not None
    assert run.judgement == judged(F)
    assert run.annulment == annulment(now)
    (case,) = store.cases()
    assert (case.status, case.status_since) == (P, now)
    assert case.verdict is F
    assert totals(store) == {P: (1, 0), F: (2, 1)}


def test_annulling_twice_counts_once_and_open_runs_are_left_alone(
    store: Store, end: End, planned: MakeRun, campaign: Campaign, now: datetime
) -> None:
    end(F)
    assert store.annul("r0", annulment(now))
    assert not store.annul("r0", annulment(now))
    assert totals(store) == {F: (1, 1)}
    assert store.cases()[0].status is None
    other = campaign.model_copy(update={"id": "c2"})
    store.create_campaign(other, [planned("open", campaign_id="c2")])
    assert not store.annul("open", annulment(now))
    assert not store.annul("nobody", annulment(now))


def test_a_run_judged_again_keeps_what_was_said_before(
    store: Store, end: End, now: datetime
) -> None:
    end(P, F, F)
    told = change(now, "r2", F, P)
    assert store.rejudge(told)
    run = store.run("r2")
    assert run is not None
    assert run.judgement == judged(P)
    assert store.judgement_changes("r2") == [told]
    (case,) = store.cases()
    assert (case.verdict, case.status) == (P, P)
    assert totals(store) == {P: (1, 0), F: (2, 0)}


def test_of_two_who_judge_at_once_the_second_is_refused(
    store: Store, end: End, now: datetime
) -> None:
    end(F)
    assert store.rejudge(change(now, "r0", F, P))
    assert not store.rejudge(change(now, "r0", F, U))
    assert len(store.judgement_changes("r0")) == 1


def test_a_run_judged_again_and_then_annulled_is_counted_where_it_was_counted_first(
    store: Store, end: End, now: datetime
) -> None:
    end(F)
    store.rejudge(change(now, "r0", F, P))
    store.annul("r0", annulment(now))
    assert totals(store) == {F: (1, 1)}


def test_runs_of_a_time_are_found(store: Store, end: End, now: datetime) -> None:
    end(P, F, F, P)
    minute = timedelta(minutes=1)
    assert store.finished_runs("lab", now + minute, now + 3 * minute) == ["r1", "r2"]
    assert store.finished_runs("other", now, now + 9 * minute) == []


def test_counters_and_statuses_survive_pruning(store: Store, end: End, now: datetime) -> None:
    end(P, F, F)
    store.annul("r1", annulment(now))
    store.rejudge(change(now, "r2", F, P))
    before = store.snapshot()
    assert store.prune(now + timedelta(days=1)) == 3
    assert store.judgement_changes("r2") == []
    assert store.snapshot() == before
