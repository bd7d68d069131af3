"""The engine as a service that is hurt in every way at once: several runs, many workers, one lake.

Messages are doubled, lost and reordered; workers die between any two effects, and hold leases when
they do; clocks jump; the lake falls ill and recovers; people cancel. At the end all is healed and
swept: every planned run has exactly one verdict, nothing is left behind, and runs that nothing but
crashes happened to have the record that they would have had without.

`DLTEST_TEST_EXAMPLES=2000` plays for hours; the default for some seconds.
"""

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dltest.engine import House, Rules, advance, poll, reopen_unclean
from dltest.errors import LakeError, StoreError
from dltest.lake.ports import JobState, JobStatus, StorageJob
from dltest.lake.simulated import (
    REAPER_DOWN,
    RUCIO_DOWN,
    SUBMITTER_DOWN,
    TRANSFERS_DOWN,
    SimulatedLake,
    silent_corruption,
    storage_down,
    storage_hung,
)
from dltest.lake.simulated.storage import SimulatedStorage
from dltest.model import Campaign, Case, Driver, Judgement, Run, StepState, Verdict
from dltest.planning import plan
from dltest.scenario import parse
from dltest.store import Store
from dltest.store.moves import MAX_ATTEMPTS

EXAMPLES = int(os.environ.get("DLTEST_TEST_EXAMPLES", "25"))
STEPS = 50
LEASE = timedelta(seconds=30)
RULES = Rules(
    patience=timedelta(seconds=15),
    cleanup_limit=timedelta(seconds=60),
    poll_every=timedelta(seconds=1),
)

SCENARIO = """\
dltest: 1
name: {name}
title: The whole way of a file
owner: tests
targets:
  source: {{rses: XRD1}}
  destination: {{rses: XRD2}}
payload: {{files: 2, size: 100 B}}
limits: {{duration: {limit}}}
steps:
  - upload: {{to: source, within: {within}, retries: {retries}}}
  - replicate: {{to: destination, from: source, within: {within}, retries: {retries}}}
  - verify: {{at: destination, within: {within}}}
  - delete: {{within: {within}}}
  - absent: {{at: destination, within: {within}, retries: {retries}}}
"""
# Of the first kind no clock makes anything overdue: its runs tell what crashes alone do.
KINDS = (
    {"name": "patient", "limit": "40d", "within": "30d", "retries": 0},
    {"name": "hasty", "limit": "1h", "within": "1m", "retries": 2},
)
AILMENTS = (
    RUCIO_DOWN,
    SUBMITTER_DOWN,
    REAPER_DOWN,
    TRANSFERS_DOWN,
    storage_down("XRD1"),
    storage_down("XRD2"),
    storage_hung("XRD2"),
    silent_corruption("XRD2"),
)
_numbers = count(1)


class CrashError(BaseException):
    """The process dies here; not an `Exception`, which the engine would catch."""


@cache
def home() -> Path:
    return Path(tempfile.mkdtemp(prefix="dltest-engine-", dir="/dev/shm"))


@cache
def store() -> Store:
    """One for all examples, each of which is a lake of its own."""
    opened = Store.open(f"sqlite:///{home() / 'store.sqlite3'}")
    opened.migrate()
    return opened


@cache
def cases() -> dict[str, Case]:
    facts = SimulatedLake().catalogue.inventory()
    scenarios = [parse(SCENARIO.format(**kind), "any.yaml") for kind in KINDS]
    return {case.scenario: case for case in plan(scenarios, facts).cases}


class LeasedStorage:
    """Jobs in the store, as the service has them; a mover takes one when it is told to."""

    def __init__(self, lake: SimulatedLake, inner: SimulatedStorage, hook: Callable[..., None]):
        self._lake, self._inner, self._hook = lake, inner, hook
        self.queue: list[str] = []

    def start(self, job: StorageJob) -> None:
        self._hook("storage.start", "before")
        if store().queue_move(job, self._lake.name):
            self.queue.append(job.id)
        self._hook("storage.start", "after")

    def look(self, job_id: str) -> JobStatus:
        self._hook("storage.look", "before")
        unknown = JobStatus(state=JobState.LOST, detail="dltest has no record of it")
        return store().move(job_id, self._lake.clock.now()) or unknown

    def cancel(self, job_id: str) -> None:
        self._hook("storage.cancel", "before")
        store().cancel_move(job_id)

    def move(self, job_id: str, owner: str) -> None:
        """One mover's work; it may die before and after the bytes, and hold its lease then."""
        now = self._lake.clock.now()
        job = store().lease_move(job_id, owner, now + LEASE, now, self._lake.name)
        if job is None:
            return
        self._hook("mover", "before")
        status = self._inner._done(job)
        self._hook("mover", "after")
        if store().finish_move(job_id, owner, status):
            self._hook("mover", "told")
            store().wake_for_job(job.seed)

    def stranded(self) -> list[str]:
        now = self._lake.clock.now()
        anytime = now + timedelta(days=99_000)
        return [job for job, _ in store().stranded_moves(now, anytime, lake=self._lake.name)]


class Service(RuleBasedStateMachine):
    """Whatever can happen to the service, in any order."""

    @initialize(gentle=st.booleans())
    def open(self, gentle: bool) -> None:
        # Every other time nothing but crashes, clocks and messages: those runs must be like new.
        self.gentle = gentle
        self.number = next(_numbers)
        self.calls = 0
        self.crash_at: int | None = None
        self.lake: Any = SimulatedLake(name=f"lake{self.number}", on_call=self._on_call)
        self.storage = LeasedStorage(self.lake, self.lake.storage, self._on_call)
        self.lake.storage = self.storage
        self.clock = self.lake.clock
        self.house = House(store(), self.lake, RULES, timedelta(days=50), self.clock.now)
        self.runs: list[str] = []
        self.messages: list[str] = []
        self.disturbed: set[str] = set()
        self.verdicts: dict[str, Judgement] = {}
        self.deaths: Counter[str] = Counter()

    def _on_call(self, _what: str, _when: str) -> None:
        self.calls += 1
        if self.calls == self.crash_at:
            self.crash_at = None
            raise CrashError

    # What people and clocks do

    @precondition(lambda self: len(self.runs) < 4)
    @rule(kind=st.sampled_from(["patient", "patient", "hasty"]))
    def plan(self, kind: str) -> None:
        run_id = f"run{self.number}x{len(self.runs)}"
        now = self.clock.now()
        name = self.lake.name
        campaign = Campaign(id=run_id, lake=name, driver=Driver.SERVICE, title="t", created_at=now)
        run = Run(
            id=run_id,
            campaign_id=run_id,
            lake=name,
            case=cases()[kind],
            planned_at=now,
            admitted_at=now,
        )
        store().create_campaign(campaign, [run])
        self.runs.append(run_id)
        self.messages.append(run_id)
        if kind != "patient" or self.lake._world.ailments:
            self.disturbed.add(run_id)

    @precondition(lambda self: self.runs and not self.gentle)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        run_id = data.draw(st.sampled_from(self.runs))
        if store().cancel(run_id):
            self.disturbed.add(run_id)
            self.messages.append(run_id)

    @rule(seconds=st.one_of(st.integers(1, 15), st.integers(-120, 7200)))
    def jump(self, seconds: int) -> None:
        self.clock.move(timedelta(seconds=seconds))

    # What happens to messages and workers

    @precondition(lambda self: self.messages)
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        """Any message, however late; time has passed for it."""
        place = data.draw(st.integers(0, len(self.messages) - 1))
        self._advance(self.messages.pop(place))

    @precondition(lambda self: self.messages)
    @rule(turns=st.integers(1, 30), chance=st.randoms(use_true_random=False))
    def go_on(self, turns: int, chance: Random) -> None:
        """What mostly happens: some job is done, and the clock moves to the oldest message."""
        for _ in range(turns):
            if self.storage.queue and chance.random() < 0.7:
                self._move(self.storage.queue.pop(chance.randrange(len(self.storage.queue))))
            if self.messages:
                self._advance(self.messages.pop(0), wait=True)

    @precondition(lambda self: self.messages)
    @rule(data=st.data())
    def double(self, data: st.DataObject) -> None:
        self.messages.append(data.draw(st.sampled_from(self.messages)))

    @precondition(lambda self: self.messages)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        self.messages.remove(data.draw(st.sampled_from(self.messages)))

    @rule(calls=st.integers(1, 12))
    def die_soon(self, calls: int) -> None:
        """Whoever makes the n-th call from now dies with it."""
        self.crash_at = self.calls + calls

    @precondition(lambda self: self.storage.queue)
    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(self.storage.queue) - 1))
        self._move(self.storage.queue.pop(place))

    @rule()
    def tick(self) -> None:
        self.messages += store().due(self.clock.now(), 100, self.lake.name)
        self.storage.queue += self.storage.stranded()

    @rule()
    def poll(self) -> None:
        try:
            self.messages += poll(self.house)
        except (CrashError, LakeError):
            return

    @rule()
    def sweep(self) -> None:
        self.messages += reopen_unclean(self.house)

    # What happens to the lake

    @precondition(lambda self: not self.gentle)
    @rule(ailment=st.sampled_from(AILMENTS))
    def fall_ill(self, ailment: Any) -> None:
        self.disturbed |= set(self.runs)
        self.lake.fall_ill(ailment)

    @rule()
    def heal(self) -> None:
        for ailment in AILMENTS:
            self.lake.heal(ailment)

    # What must hold

    @invariant()
    def a_verdict_stands(self) -> None:
        for run_id in getattr(self, "runs", []):
            run = store().run(run_id)
            assert run is not None
            if run.judgement is not None:
                assert self.verdicts.setdefault(run_id, run.judgement) == run.judgement
            assert run.judgement is not None or not run.is_ended

    def teardown(self) -> None:
        """Healed, woken and swept: whatever happened before, all of it must come to a good end."""
        if not hasattr(self, "runs"):
            return
        self.crash_at = None
        self.heal()
        for _ in range(400):
            self._round()
            if all(self._run(run_id).is_ended for run_id in self.runs) and not self._unclean():
                break
            self.clock.move(timedelta(seconds=20))
        assert all(self._run(run_id).is_ended for run_id in self.runs)
        assert self._unclean() == []
        assert self.lake.litter() == []
        self.a_verdict_stands()
        assert set(self.verdicts) == set(self.runs)
        for run_id in set(self.runs) - self.disturbed:
            assert shape(self._run(run_id)) == undisturbed()

    def _round(self) -> None:
        self.messages += reopen_unclean(self.house)
        self.tick()
        for run_id in dict.fromkeys(self.messages):
            self._advance(run_id)
        self.messages.clear()
        for job_id in dict.fromkeys(self.storage.queue):
            self._move(job_id)
        self.storage.queue.clear()

    def _unclean(self) -> list[Any]:
        return store().unsettled(self.lake.name)

    def _run(self, run_id: str) -> Run:
        run = store().run(run_id)
        assert run is not None
        return run

    def _advance(self, run_id: str, *, wait: bool = False) -> None:
        """The worker's task: see `dltest.worker.tasks.advance`."""
        run = self._run(run_id)
        if wait and run.wake_at is not None:
            self.clock.move(max(run.wake_at - self.clock.now(), timedelta(0)))
        if not store().is_due(run_id, self.clock.now(), self.lake.name):
            return
        try:
            again = advance(run_id, self.house)
        except (CrashError, StoreError):
            return
        if again is not None:
            self.messages.append(run_id)

    def _move(self, job_id: str) -> None:
        try:
            self.storage.move(job_id, f"mover{self.calls}")
        except CrashError:
            self._note_death(job_id)

    def _note_death(self, job_id: str) -> None:
        """One that killed its movers too often is given up, and its run is not the same."""
        self.deaths[job_id] += 1
        if self.deaths[job_id] >= MAX_ATTEMPTS:
            self.disturbed.add(job_id.partition(".")[0])


def shape(run: Run) -> tuple[Any, ...]:
    """What must not depend on crashes: all but times."""
    records = [
        (r.name, r.state, sorted(r.measured.keys() - {"rate_bytes_per_second"}), r.troubles)
        for r in run.records
    ]
    return run.judgement, run.leftovers, run.cleanup.state, records


@cache
def undisturbed() -> tuple[Any, ...]:
    """The record of a patient run to which nothing happens."""
    service = Service()
    service.open(gentle=True)
    service.plan("patient")
    for _ in range(200):
        service._round()
        if service._run(service.runs[0]).is_ended:
            break
        service.clock.move(timedelta(seconds=1))
    run = service._run(service.runs[0])
    assert run.judgement is not None
    assert run.judgement.verdict is Verdict.PASSED
    assert {record.state for record in run.records} == {StepState.DONE}
    return shape(run)


@pytest.fixture
def in_memory() -> Iterator[None]:
    """The folder in memory goes with the test."""
    yield
    store().close()
    shutil.rmtree(home())


@pytest.mark.usefixtures("in_memory")
def test_whatever_happens_to_the_service_every_run_is_judged_once_and_nothing_is_left() -> None:
    undisturbed()
    run_state_machine_as_test(
        Service,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
