"""Runs that nobody looked at for hours, that are cancelled, or judged again: on a simulated lake."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from dltest.engine import House, Rules, advance, judged_again
from dltest.judge import not_supported, skipped
from dltest.lake.simulated import SUBMITTER_DOWN, SimulatedLake
from dltest.model import Driver, Run, RunPhase, StepState, Trigger, Verdict
from dltest.planning import plan
from dltest.scenario import parse
from dltest.scheduling import admit, campaign_of
from dltest.settings import LakeSettings, Settings
from dltest.store import Store

SCENARIO = """\
dltest: 1
name: replicate
title: A file can be replicated
owner: tests
targets:
  source: {rses: XRD1}
  destination: {rses: XRD2}
limits: {duration: 1h}
steps:
  - upload: {to: source, within: 1m}
  - replicate: {to: destination, from: source, within: 30m}
  - verify: {at: destination, within: 1m}
"""
RULES = Rules(patience=timedelta(seconds=15), cleanup_limit=timedelta(seconds=60))
SETTINGS = LakeSettings.model_validate(
    {"name": "simulated", "rucio": {"url": "http://127.0.0.1:1", "account": "a", "scope": "s"}}
)


@pytest.fixture
def lake() -> SimulatedLake:
    return SimulatedLake(ailments=[SUBMITTER_DOWN])


@pytest.fixture
def house(store: Store, lake: SimulatedLake) -> House:
    return House(store, lake, RULES, timedelta(hours=1), lake.clock.now)


@pytest.fixture
def waiting(store: Store, lake: SimulatedLake, house: House) -> str:
    """A run of the service whose replication waits for a submitter that is down."""
    laid_out = plan([parse(SCENARIO, "x.yaml")], lake.catalogue.inventory())
    campaign, [run] = campaign_of(laid_out, Trigger.SCHEDULE, Driver.SERVICE, lake.clock.now())
    store.create_campaign(campaign, [run])
    assert store.due(lake.clock.now()) == []
    assert admit(store, Settings.model_validate({}), SETTINGS, lake.clock.now()) == (run.id,)
    play(lake, house, run.id, lambda seen: seen.records[1].state is StepState.WAITING)
    return run.id


def play(lake: SimulatedLake, house: House, run_id: str, until: Callable[[Run], bool]) -> Run:
    """Wake the run whenever it is due, as the tick does."""
    for _ in range(500):
        advance(run_id, house)
        run = house.runs.run(run_id)
        assert run is not None
        if until(run):
            return run
        lake.clock.move(timedelta(seconds=1))
    raise AssertionError("it never came to that")


def test_a_run_that_nobody_looked_at_past_its_deadline_ends_with_a_verdict_and_clean(
    store: Store, lake: SimulatedLake, house: House, waiting: str
) -> None:
    lake.clock.move(timedelta(hours=10))
    assert store.due(lake.clock.now()) == [waiting]
    run = play(lake, house, waiting, lambda seen: seen.is_ended)
    assert run.judgement is not None
    assert run.judgement.verdict is Verdict.FAILED
    assert run.records[1].state is StepState.OVERDUE
    assert run.judgement.findings[0].code == "not-submitted"
    assert lake.litter() == []
    assert run.leftovers == 0


def test_a_cancelled_run_is_cleaned_up_at_once_and_is_no_verdict_on_the_lake(
    store: Store, lake: SimulatedLake, house: House, waiting: str
) -> None:
    assert lake.litter()
    assert store.cancel(waiting)
    assert store.due(lake.clock.now()) == [waiting]
    run = play(lake, house, waiting, lambda seen: seen.is_ended)
    assert run.judgement is not None
    assert run.judgement.verdict is Verdict.SKIPPED
    assert lake.litter() == []
    assert store.cases()[0].status is None
    assert not store.cancel(waiting)


def test_an_ended_run_is_judged_again_to_the_same(
    store: Store, lake: SimulatedLake, house: House, waiting: str
) -> None:
    lake.clock.move(timedelta(hours=10))
    run = play(lake, house, waiting, lambda seen: seen.is_ended)
    change = judged_again(run, by="ops", why="a look", now=lake.clock.now())
    assert change is not None
    assert change.after == change.before == run.judgement


def test_what_has_not_ended_or_did_nothing_is_not_judged_again(
    store: Store, lake: SimulatedLake, waiting: str
) -> None:
    run = store.run(waiting)
    assert run is not None
    now = lake.clock.now()
    assert judged_again(run, by="ops", why="a look", now=now) is None
    closed = skipped(run, not_supported("lab"), now)
    assert closed.phase is RunPhase.ENDED
    assert judged_again(closed, by="ops", why="a look", now=now) is None
