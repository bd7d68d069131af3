"""Carries a drill out: breaks, runs, heals, and pays every fault the healthy run it is owed."""

import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dltest.drill.judging import Outcome, Seen, is_red, judged
from dltest.drill.schedule import Wave, waves
from dltest.drill.trial import Cases, Trial, bystanders
from dltest.engine import House, LocalDriver, Rules, reopen_unclean
from dltest.errors import LabError
from dltest.lab import control
from dltest.lab.faults import Fault
from dltest.lake.adapter import open_lake
from dltest.lake.storage import MoverPool
from dltest.model import Case, Driver, Plan, Run, StepCall, Trigger
from dltest.planning import plan
from dltest.scenario import Scenario
from dltest.scheduling import campaign_of
from dltest.settings import LakeSettings
from dltest.store import Store

BY = "drill"
CORE = "core"
# So many cases that share nothing with the faults run beside them, besides those that are owed.
BYSTANDERS = 3
LAKE_PATIENCE = timedelta(seconds=5)
# What a broken lake does not let go of is removed once it is healed.
BROKEN_CLEANUP = timedelta(seconds=1)
# Bystanders can be cleaned up, unless what deletes is broken.
BESIDE_CLEANUP = timedelta(seconds=6)
HEALTHY_CLEANUP = timedelta(minutes=2)
# Longest first guess of a wave, until waves have been seen.
FIRST_GUESS_SECONDS = 25.0


@dataclass(frozen=True, slots=True)
class Ground:
    """Where it is held: a lab, seen as any client sees it, and rows of the drill's own."""

    lab: Path
    lake: LakeSettings
    store: Store
    movers: MoverPool
    data_lifetime: timedelta

    def house(self, cleanup_limit: timedelta) -> House:
        """With a session of its own, that knows nothing of what was before."""
        ports = open_lake(self.lake, storage=self.movers)
        rules = Rules(LAKE_PATIENCE, cleanup_limit)
        return House(self.store, ports, rules, self.data_lifetime)


@dataclass(slots=True)
class _Tried:
    """A trial with what was seen of it so far; `after` fills up as healthy runs are paid."""

    trial: Trial
    during: dict[str, Run]
    beside: list[Run]
    after: dict[str, Run] = field(default_factory=dict)

    def owes(self) -> list[Case]:
        return [case for case in self.trial.cases if case.id not in self.after]

    def outcome(self) -> Outcome:
        return judged(self.trial, self.during, self.beside, self.after)


class Conductor:
    """One drill. `tell` gets a sentence of progress."""

    def __init__(self, ground: Ground, *, patience: timedelta, tell: Callable[[str], None]) -> None:
        self._ground = ground
        self._patience = patience
        self._tell = tell
        self._tried: list[_Tried] = []
        self._driving: list[tuple[LocalDriver, list[str]]] = []
        self._began = datetime.now(UTC)

    def drill(self, faults: Sequence[Fault], scenarios: Sequence[Scenario]) -> list[Outcome]:
        """Try the faults; whatever happens, the lab is healed in the end.

        Raises:
            LabError: the lab cannot be broken or healed, or was not in good health before.
        """
        with self._healed():
            cases = self._cases(scenarios)
            planned = waves(faults, cases)
            self._tell(
                f"{sum(len(wave.trials) for wave in planned)} trials in {len(planned)} waves"
            )
            self._demand_health(planned)
            for number, wave in enumerate(planned):
                self._tell(self._progress(number, planned))
                self._play(wave, cases)
            self._tell("sweeping, and the last healthy runs")
            self._settle_all()
        return [one.outcome() for one in self._tried]

    @contextmanager
    def _healed(self) -> Iterator[None]:
        """Also of what a drill that was killed left broken."""
        self._heal()
        try:
            yield
        finally:
            with _undisturbed():
                self._heal()

    def _heal(self) -> None:
        control.heal(self._ground.lab, by=BY)

    def _cancel(self) -> None:
        for driver, ids in self._driving:
            for run_id in ids:
                self._ground.store.cancel(run_id)
            driver.wake(ids)

    def _cases(self, scenarios: Sequence[Scenario]) -> Cases:
        facts = self._ground.house(HEALTHY_CLEANUP).lake.catalogue.inventory()
        planned = [case for case in plan(scenarios, facts).cases if not case.control]
        return {(case.scenario, tuple(case.targets.values())): case for case in planned}

    def _demand_health(self, planned: Sequence[Wave]) -> None:
        """Without a fault, every case that shall notice one passes."""
        trials = [trial for wave in planned for trial in wave.trials]
        cases = {case.id: case for trial in trials for case in trial.cases}
        self._tell(f"{len(cases)} cases in good health first")
        sick = [run for run in self._run(list(cases.values())) if is_red(run)]
        if sick:
            told = "; ".join(f"{run.case.id}: {Seen.of(run).message}" for run in sick[:3])
            raise LabError(f"{len(sick)} cases fail without any fault ({told}); mend the lab first")

    def _play(self, wave: Wave, cases: Cases) -> None:
        """One wave: broken, noticed, healed."""
        self._driving = []
        own = [case for trial in wave.trials for case in trial.cases]
        beside = self._beside(wave, cases)
        self._each(lambda t: control.break_(self._ground.lab, t.fault.name, t.target, by=BY), wave)
        runs = self._run(beside, hurried=own)
        self._heal()
        during = {run.case.id: run for run in runs if run.case.id in {case.id for case in own}}
        others = [run for run in runs if run.case.id not in during]
        self._pay(others)
        self._tried += [
            _Tried(trial, {c.id: during[c.id] for c in trial.cases if c.id in during}, others)
            for trial in wave.trials
        ]
        for one in self._tried[-len(wave.trials) :]:
            for wrong in one.outcome().wrong_while_broken:
                self._tell(f"{one.trial.name}: {wrong}")

    def _each(self, do: Callable[[Trial], object], wave: Wave) -> None:
        with ThreadPoolExecutor(len(wave.trials)) as pool:
            list(pool.map(do, wave.trials))

    def _beside(self, wave: Wave, cases: Cases) -> list[Case]:
        """Bystanders of the core, and first all cases that healed faults are still owed."""
        standing = bystanders(cases.values(), wave.trials)
        owed = {case.id for one in self._tried for case in one.owes()}
        due = [case for case in standing if case.id in owed]
        turn = len(self._tried)
        others = [case for case in standing if case.id not in owed and CORE in case.tags]
        others = others[turn % (len(others) or 1) :] + others[: turn % (len(others) or 1)]
        return due + others[: max(0, BYSTANDERS - len(due))]

    def _pay(self, runs: Iterable[Run]) -> None:
        for run in runs:
            for one in self._tried:
                if run.case.id in {case.id for case in one.owes()}:
                    one.after[run.case.id] = run

    def _settle_all(self) -> None:
        """What the faults left behind is removed; then nothing is owed any more."""
        self._driving = []
        house = self._ground.house(HEALTHY_CLEANUP)
        left = reopen_unclean(house)
        owed = {case.id: case for one in self._tried for case in one.owes()}
        with ThreadPoolExecutor(1) as pool:
            swept = pool.submit(self._driver(house, left).drive, left)
            self._pay(self._run(list(owed.values())))
            swept.result()

    def _run(self, cases: Sequence[Case], hurried: Sequence[Case] = ()) -> list[Run]:
        """The cases as they are, and beside them others with little patience."""
        cleanup = BESIDE_CLEANUP if hurried else HEALTHY_CLEANUP
        patient = self._planned(cases)
        quick = self._planned([_hurried(case, self._patience) for case in hurried])
        with ThreadPoolExecutor(2) as pool:
            work = [
                pool.submit(self._driver(self._ground.house(limit), ids).drive, ids)
                for ids, limit in ((patient, cleanup), (quick, BROKEN_CLEANUP))
            ]
            try:
                for one in work:
                    one.result()
            except BaseException:
                # They clean up and end, or leaving the pool would wait for them.
                self._cancel()
                raise
        runs = [self._ground.store.run(run_id) for run_id in (*patient, *quick)]
        return [run for run in runs if run is not None]

    def _planned(self, cases: Sequence[Case]) -> list[str]:
        if not cases:
            return []
        whole = Plan(lake=self._ground.lake.name, cases=tuple(cases), footprints={})
        now = datetime.now(UTC)
        campaign, runs = campaign_of(whole, Trigger.MANUAL, Driver.IN_PROCESS, now, title=BY)
        self._ground.store.create_campaign(campaign, runs)
        return [run.id for run in runs]

    def _driver(self, house: House, ids: list[str]) -> LocalDriver:
        driver = LocalDriver(house, lambda _: None)
        self._driving.append((driver, ids))
        return driver

    def _progress(self, number: int, planned: Sequence[Wave]) -> str:
        left = len(planned) - number
        spent = (datetime.now(UTC) - self._began).total_seconds()
        each = spent / number if number else FIRST_GUESS_SECONDS
        names = ", ".join(trial.name for trial in planned[number].trials)
        minutes = max(1, round(left * each / 60))
        return f"wave {number + 1} of {len(planned)}, about {minutes} min to go: {names}"


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Whoever asks twice for the end gets it once the lab is healed."""
    asked = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(one, signal.SIG_IGN) for one in asked]
    try:
        yield
    finally:
        for one, handler in zip(asked, before, strict=True):
            signal.signal(one, handler)


def _hurried(case: Case, patience: timedelta) -> Case:
    """The case with steps that wait no longer than this: what is broken stays so."""
    within = f"{patience.total_seconds():.0f}s"
    steps = tuple(
        StepCall(type=call.type, body={**call.body, "within": within}) for call in case.steps
    )
    return case.model_copy(update={"steps": steps})
