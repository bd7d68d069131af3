"""A run may be crashed at any call of the lake, cancelled at any time, and swept: nothing is left.

Played on the simulated lake, whose `on_call` hook raises where a process would die.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dltest.engine import House, LocalDriver, Rules, advance, reopen_unclean
from dltest.lake.ports import RuleState
from dltest.lake.simulated import (
    REAPER_DOWN,
    RUCIO_DOWN,
    SLOW,
    SUBMITTER_DOWN,
    TRANSFERS_DOWN,
    Ailment,
    SimulatedLake,
    silent_corruption,
    silent_truncation,
    storage_down,
    storage_hung,
)
from dltest.model import Campaign, Driver, LedgerKind, Run, StepState, Verdict
from dltest.planning import plan
from dltest.scenario import parse
from dltest.steps.stuck import Route, reasons
from dltest.store import Store

SCENARIO = """\
dltest: 1
name: whole
title: The whole way of a file
owner: tests
targets:
  source: {rses: XRD1}
  destination: {rses: XRD2}
payload: {files: 2, size: 100 B}
limits: {duration: 2h}
steps:
  - upload: {to: source, within: 1m}
  - replicate: {to: destination, from: source, within: 1h}
  - verify: {at: destination, within: 1m}
  - download: {from: destination, within: 1m}
  - delete: {within: 1m}
  - absent: {at: source, within: 1m}
  - absent: {at: destination, within: 1m}
"""

RULES = Rules(patience=timedelta(seconds=15), cleanup_limit=timedelta(seconds=60))
AILMENTS = (
    RUCIO_DOWN,
    SUBMITTER_DOWN,
    REAPER_DOWN,
    TRANSFERS_DOWN,
    storage_down("XRD1"),
    storage_down("XRD2"),
    storage_hung("XRD2"),
    silent_truncation("XRD2"),
    silent_corruption("XRD2"),
)


class CrashError(BaseException):
    """The process dies here; not an `Exception`, which the engine would catch."""


class Trial:
    """One run on a lake of its own, with a process that may die at its n-th call of the lake."""

    def __init__(
        self,
        store: Store,
        ailments: tuple[Ailment, ...] = (),
        scenario: str = SCENARIO,
        driver: Driver = Driver.SERVICE,
    ) -> None:
        self.store = store
        self.scenario = scenario
        self.driver = driver
        self.calls = 0
        self.crash_at: int | None = None
        self.lake = SimulatedLake(ailments=ailments, on_call=self._on_call)
        self.house = House(store, self.lake, RULES, timedelta(hours=1), self.lake.clock.now)
        self.run_id = self._planned()

    def _on_call(self, _what: str, _when: str) -> None:
        self.calls += 1
        if self.calls == self.crash_at:
            raise CrashError

    def _planned(self) -> str:
        number = len(self.store.campaigns(10_000))
        now = self.lake.clock.now()
        facts = SimulatedLake().catalogue.inventory()
        (case,) = plan([parse(self.scenario, "whole.yaml")], facts).cases
        run = Run(
            id=f"run{number}", campaign_id=f"c{number}", lake="simulated", case=case, planned_at=now
        )
        campaign = Campaign(
            id=f"c{number}", lake="simulated", driver=self.driver, title="t", created_at=now
        )
        self.store.create_campaign(campaign, [run])
        return run.id

    def play(self, each_time: Callable[[], None] = lambda: None, *, dies: bool = False) -> Run:
        """Advance until the run has ended; a crashed process is followed by another, or not."""
        for _ in range(2_000):
            each_time()
            try:
                again = advance(self.run_id, self.house)
            except CrashError:
                if dies:
                    raise
                continue
            run = self.run
            if run.is_ended:
                return run
            if again is not None:
                wait = max(again - self.lake.clock.now(), timedelta(milliseconds=1))
                self.lake.clock.move(wait)
        raise AssertionError(f"the run never ended: {self.run}")

    @property
    def run(self) -> Run:
        run = self.store.run(self.run_id)
        assert run is not None
        return run


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory):
    path: Path = tmp_path_factory.mktemp("engine") / "store.sqlite3"
    opened = Store.open(f"sqlite:///{path}")
    opened.migrate()
    yield opened
    opened.close()


def test_a_healthy_run_passes_and_leaves_nothing(store):
    trial = Trial(store)
    ended = trial.play()
    assert ended.judgement.verdict is Verdict.PASSED
    assert trial.lake.litter() == []
    assert ended.leftovers == 0


def test_a_crash_at_any_call_changes_neither_verdict_nor_effects(store):
    whole = Trial(store)
    states = [record.state for record in whole.play().records]
    for crash_at in range(1, whole.calls + 1):
        trial = Trial(store)
        trial.crash_at = crash_at
        ended = trial.play()
        assert ended.judgement.verdict is Verdict.PASSED, f"crash at call {crash_at}"
        assert [record.state for record in ended.records] == states, f"crash at call {crash_at}"
        assert trial.lake.litter() == [], f"crash at call {crash_at}"


@pytest.mark.parametrize("ailment", AILMENTS, ids=str)
def test_an_ill_lake_is_never_called_well_and_once_healed_nothing_is_left(store, ailment):
    trial = Trial(store, (ailment,))
    ended = trial.play()
    assert ended.judgement.verdict in {Verdict.FAILED, Verdict.INCONCLUSIVE}
    assert ended.judgement.findings
    if trial.lake.litter():
        assert ended.leftovers
    trial.lake.heal(ailment)
    trial.lake.clock.move(timedelta(minutes=10))
    if trial.run_id in reopen_unclean(trial.house):
        swept = trial.play()
        assert swept.judgement == ended.judgement
        assert swept.leftovers == 0
    assert trial.lake.litter() == []


def test_a_slow_lake_is_waited_for(store):
    assert Trial(store, (SLOW,)).play().judgement.verdict is Verdict.PASSED


def test_a_run_whose_process_was_killed_is_swept(store):
    trial = Trial(store, driver=Driver.IN_PROCESS)
    trial.crash_at = 25
    with pytest.raises(CrashError):
        trial.play(dies=True)
    assert trial.lake.litter()
    assert trial.run_id not in reopen_unclean(trial.house), "it may still be at work"
    trial.lake.clock.move(timedelta(minutes=11))
    assert trial.run_id in reopen_unclean(trial.house)
    swept = trial.play()
    assert swept.judgement.verdict is Verdict.SKIPPED
    assert swept.leftovers == 0
    assert trial.lake.litter() == []


def test_a_step_is_tried_again_and_both_attempts_are_cleaned_up(store):
    trial = Trial(store, (TRANSFERS_DOWN,), scenario=SCENARIO.replace("1h}", "1h, retries: 3}"))

    def heal_after_the_first_attempt() -> None:
        if any(record.attempts for record in trial.run.records):
            trial.lake.heal(TRANSFERS_DOWN)

    ended = trial.play(heal_after_the_first_attempt)
    replicate = ended.records[1]
    assert [attempt.state for attempt in replicate.attempts] == [StepState.REFUSED]
    assert replicate.attempts[0].troubles[0].code == "submission-failed"
    assert {record.state for record in ended.records} == {StepState.DONE}
    tags = [e.name for e in store.ledger(ended.id).entries() if e.kind is LedgerKind.RULE]
    assert tags == [f"dltest.{ended.id}.{tag}" for tag in ("0", "1", "1.1")]
    assert trial.lake.litter() == []


def test_a_repeated_upload_writes_all_anew(store):
    trial = Trial(store, (storage_down("XRD1"),), SCENARIO.replace("1m}", "1m, retries: 1}", 1))

    def heal_after_the_first_attempt() -> None:
        if trial.run.records and trial.run.records[0].attempts:
            trial.lake.heal(storage_down("XRD1"))

    ended = trial.play(heal_after_the_first_attempt)
    (first,) = ended.records[0].attempts
    assert first.troubles[0].code == "storage-unreachable"
    assert {record.state for record in ended.records} == {StepState.DONE}
    assert trial.lake.litter() == []


def test_a_step_that_ended_while_dltest_was_down_is_not_overdue(store):
    trial = Trial(store)
    slept = []

    def sleep_through_the_deadline_once_it_is_done() -> None:
        run = trial.run
        if run.step_index == 1 and run.handle is not None:
            rule = trial.lake.catalogue.rule(str(run.handle["rule_id"]))
            if rule.state is RuleState.OK and not slept:
                slept.append(run)
                trial.lake.clock.move(timedelta(minutes=90))

    ended = trial.play(sleep_through_the_deadline_once_it_is_done)
    assert slept
    assert ended.records[1].state is StepState.DONE


class HeldOnce:
    """The store, but that every other claim finds the row held by somebody else."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._claims = 0
        self.ledger, self.run = store.ledger, store.run

    def claim(self, run_id: str, **how: object):
        self._claims += 1
        return nullcontext(None) if self._claims % 2 else self._store.claim(run_id, **how)


def test_a_row_that_somebody_holds_for_a_moment_does_not_stop_its_driver(store):
    trial = Trial(store)
    clock = trial.lake.clock

    def hurrying_clock():
        clock.move(timedelta(seconds=1))
        return clock.now()

    house = replace(trial.house, runs=HeldOnce(store), now=hurrying_clock)
    LocalDriver(house, lambda _: None).drive([trial.run_id])
    assert trial.run.is_ended
    assert trial.lake.litter() == []


@settings(max_examples=40, deadline=None)
@given(cancel_at=st.integers(1, 60), crash_at=st.integers(1, 200))
def test_a_cancelled_run_cleans_up_also_over_a_crash(store, cancel_at, crash_at):
    trial = Trial(store)
    trial.crash_at = crash_at
    turns = iter(range(1, 10_000))

    def perhaps_cancel() -> None:
        if next(turns) == cancel_at:
            store.cancel(trial.run_id)

    ended = trial.play(perhaps_cancel)
    assert ended.leftovers == 0
    assert trial.lake.litter() == []
    assert ended.judgement.verdict in {Verdict.SKIPPED, Verdict.PASSED}


@settings(max_examples=40, deadline=None)
@given(ill_at=st.integers(1, 60), ailment=st.sampled_from(AILMENTS), crash_at=st.integers(1, 200))
def test_a_lake_that_falls_ill_under_way_never_makes_a_run_endless_or_unclean(
    store, ill_at, ailment, crash_at
):
    trial = Trial(store)
    trial.crash_at = crash_at
    turns = iter(range(1, 10_000))

    def perhaps_fall_ill() -> None:
        if next(turns) == ill_at:
            trial.lake.fall_ill(ailment)

    ended = trial.play(perhaps_fall_ill)
    assert all(record.state is not StepState.WAITING for record in ended.records)
    trial.lake.heal(ailment)
    trial.lake.clock.move(timedelta(minutes=10))
    if trial.run_id in reopen_unclean(trial.house):
        assert trial.play().leftovers == 0
    assert trial.lake.litter() == []


BROKEN = SCENARIO.replace(
    "  - replicate:",
    "  - break: {fault: storage-down, at: destination, within: 1m}\n  - replicate:",
    1,
).replace("1h}", "1h, expect: {outcome: refused, blame: destination}}")
BROKEN = BROKEN.partition("  - verify")[0] + "  - heal: {fault: storage-down, at: destination}\n"


def test_a_fault_that_no_lake_has_keeps_nothing_from_its_clean_up(store):
    trial = Trial(store, scenario=BROKEN.replace("storage-down", "earthquake"))
    ended = trial.play()
    assert ended.judgement.verdict is Verdict.INCONCLUSIVE
    assert {finding.code for finding in ended.judgement.findings} == {"no-such-fault"}
    assert ended.leftovers == 0
    assert trial.lake.litter() == []


def test_what_a_run_breaks_is_seen_and_healed(store):
    trial = Trial(store, scenario=BROKEN)
    ended = trial.play()
    assert ended.judgement.verdict is Verdict.PASSED, ended.judgement
    assert trial.lake.ailments == frozenset()
    assert trial.lake.litter() == []


@settings(max_examples=20, deadline=None)
@given(cancel_at=st.integers(1, 40), crash_at=st.integers(1, 80))
def test_what_a_run_broke_is_healed_also_over_a_crash(store, cancel_at, crash_at):
    trial = Trial(store, scenario=BROKEN)
    trial.crash_at = crash_at
    turns = iter(range(1, 10_000))

    def perhaps_cancel() -> None:
        if next(turns) == cancel_at:
            store.cancel(trial.run_id)

    ended = trial.play(perhaps_cancel)
    assert ended.leftovers == 0
    assert trial.lake.ailments == frozenset()
    assert trial.lake.litter() == []


@settings(max_examples=10, deadline=None)
@given(crash_at=st.integers(1, 60))
def test_what_a_dead_process_broke_is_healed_by_the_sweep(store, crash_at):
    trial = Trial(store, scenario=BROKEN, driver=Driver.IN_PROCESS)
    trial.crash_at = crash_at
    try:
        trial.play(dies=True)
    except CrashError:
        trial.lake.clock.move(timedelta(hours=1))
        reopen_unclean(trial.house)
        trial.play()
    assert trial.lake.ailments == frozenset()
    assert trial.lake.litter() == []


def test_on_a_lake_that_nobody_may_break_the_case_is_skipped(store):
    trial = Trial(store, scenario=BROKEN)
    trial.lake.faults = None
    ended = trial.play()
    assert ended.judgement.verdict is Verdict.SKIPPED
    assert [finding.code for finding in ended.judgement.findings] == ["not-supported"]
    assert trial.calls == 0


FAMILY = Path("scenarios/resilience")


@settings(max_examples=15, deadline=None)
@given(crash_at=st.integers(1, 100), cancel_at=st.integers(1, 40))
def test_what_a_run_blocked_is_allowed_again_also_over_a_crash(store, crash_at, cancel_at):
    text = (FAMILY / "source-blocked.yaml").read_text()
    steps = [line for line in text.splitlines() if "daemon-down" not in line]
    trial = Trial(store, scenario="\n".join(steps))
    trial.crash_at = crash_at
    turns = iter(range(1, 10_000))

    def perhaps_cancel() -> None:
        if next(turns) == cancel_at:
            store.cancel(trial.run_id)

    assert trial.play(perhaps_cancel).leftovers == 0
    trial.crash_at = None
    assert all(rse.readable for rse in trial.lake.catalogue.inventory().rses)
    assert trial.lake.litter() == []


@pytest.mark.parametrize("name", ["source-down", "destination-down", "source-blocked"])
def test_what_rucio_repairs_is_seen_from_breakdown_to_recovery(store, name):
    text = (FAMILY / f"{name}.yaml").read_text()
    # A restart of the submitter, which obeys a block late, is nothing that a simulated lake has.
    steps = [line for line in text.splitlines() if "daemon-down" not in line]
    ended = Trial(store, scenario="\n".join(steps)).play()
    assert ended.judgement.verdict is Verdict.PASSED, ended.judgement


@pytest.mark.parametrize("name", ["source-down", "destination-down"])
def test_a_blame_on_the_wrong_end_turns_the_scenario_red(store, name, monkeypatch):
    """The mistake that would send the wrong site's people out of their beds."""
    told = reasons._blame_of_phase

    def swapped(phase, route):
        return told(phase, Route(source=route.destination, destination=route.source))

    monkeypatch.setattr(reasons, "_blame_of_phase", swapped)
    ended = Trial(store, scenario=(FAMILY / f"{name}.yaml").read_text()).play()
    assert ended.judgement.verdict is Verdict.FAILED
    assert [finding.code for finding in ended.judgement.findings] == ["wrong-reason"]
