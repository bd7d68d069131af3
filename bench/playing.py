"""One game of chaos from its planned runs to what the audit finds."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path

from bench import audit
from bench.crew import Crew, running
from bench.killing import Killer, Order, Story
from bench.servers import await_
from dltest.errors import LakeError, StoreError
from dltest.lab.status import status
from dltest.lake.adapter import open_lake, open_movers
from dltest.lake.ports import LakePorts
from dltest.lake.simulated.client import open_catalogue
from dltest.model import Campaign, Case, Driver, Run, StepRecord, Verdict
from dltest.planning import plan
from dltest.scenario import Scenario, load, parse
from dltest.settings import LakeSettings
from dltest.store import Store
from dltest.worker.dispatch import wake

CORE = Path(__file__).resolve().parents[1] / "scenarios" / "core"

# Time enough that no step is overdue for want of a living worker.
SCENARIO = """\
dltest: 1
name: chaos
title: The whole way of two small files
owner: bench
targets:
  source: {rses: "dltest=True"}
  destination: {rses: "dltest=True", other-than: [source]}
payload: {files: 2, size: 1 KiB}
limits: {duration: 2h}
steps:
  - upload: {to: source, within: 30m}
  - replicate: {to: destination, from: source, within: 30m}
  - verify: {at: destination, within: 30m}
  - delete: {within: 30m}
  - absent: {at: destination, within: 30m}
"""
SETTINGS = {"DLTEST_TICK_SECONDS": "5", "DLTEST_CLEANUP_LIMIT": "PT30M"}

LOOK_SECONDS = 0.5
SAMPLE_SECONDS = 5.0
PEACE_SECONDS = 60.0

# Rules are made by the first two steps of a core scenario.
STEPS_WITH_RULES = 2


@dataclass
class Outcome:
    """What the audit found. `swept` entries were left when the runs ended, and swept then."""

    story: Story
    runs: list[Run]
    lost: int
    doubled: list[str]
    swept: int
    unsettled: list[str]
    litter: list[str]
    written_again: int = 0

    @property
    def not_passed(self) -> list[Run]:
        verdicts = {run.id: run.judgement.verdict for run in self.runs if run.judgement}
        return [run for run in self.runs if verdicts.get(run.id) is not Verdict.PASSED]


def play(order: Order) -> Outcome:
    """The runs on a simulated lake."""
    with _home(order) as home, _simulated_lake(home, order.file_seconds) as lake_file:
        game = Game(order, home, lake_file)
        game.play([parse(SCENARIO, "chaos.yaml")])
        lines = (home / "journal").read_text().splitlines()
        changes = [audit.Change.read(json.loads(line)) for line in lines]
        outcome = game.outcome(audit.doubled(changes, game.runs))
        outcome.litter += audit.litter(changes)
        outcome.written_again = audit.written_again(changes)
        return outcome


def play_on_lab(lab: Path, order: Order) -> Outcome:
    """The core scenarios on a real lake, whose own service is not touched."""
    with _home(order) as home:
        game = Game(order, home, lab / "lake.yaml")
        rules = RuleWatch(game.lake)
        game.play(load([CORE]), rules.look)
        outcome = game.outcome(rules.doubled())
        outcome.litter += _bytes_on(lab, game.runs)
        return outcome


class RuleWatch:
    """Looks at the lake's rules from time to time: one tag must never get a second rule."""

    def __init__(self, lake: LakePorts) -> None:
        self._lake = lake
        self._rules: dict[str, set[str]] = {}

    def look(self, runs: list[Run]) -> None:
        tags = [f"dltest.{run.id}.{step}" for run in runs for step in range(STEPS_WITH_RULES)]
        try:
            for tag in tags:
                ids = {rule.id for rule in self._lake.catalogue.rules(tag)}
                self._rules.setdefault(tag, set()).update(ids)
        except LakeError as error:
            print(f"chaos: cannot look at the rules: {error}", file=sys.stderr)

    def doubled(self) -> list[str]:
        return [f"{len(ids)} rules of {tag}" for tag, ids in self._rules.items() if len(ids) > 1]


class Game:
    """Runs handed to the service of one lake, and a killer among its processes."""

    def __init__(self, order: Order, home: Path, lake_file: Path) -> None:
        settings = LakeSettings.load(lake_file)
        self._order = order
        self._crew = Crew(home, lake_file, SETTINGS, order.workers, order.program)
        self._name = settings.name
        self.lake = open_lake(settings, storage=open_movers(settings, home / "spool"))
        self._store = Store.open(self._crew.database)
        self._story = Story()
        self._planned = 0
        self._swept = 0
        self.runs: list[Run] = []
        self._lost = 0
        self._unsettled: list[str] = []

    def play(
        self, scenarios: list[Scenario], look: Callable[[list[Run]], None] = lambda _runs: None
    ) -> None:
        """Until all runs have ended, or the limit is reached; then peace, a sweep, an audit."""
        cases = plan(scenarios, self.lake.catalogue.inventory()).cases
        with running(self._crew), self._store as store:
            campaign, runs = _planned(self._name, list(islice(cycle(cases), self._order.runs)))
            store.migrate()
            store.create_campaign(campaign, runs)
            self._fight(runs, look)
            self._make_peace()
            self._sweep(store.runs_of(campaign.id))
            self.runs = store.runs_of(campaign.id)
            self._lost = audit.lost(store, self.runs, self._order.runs)
            self._unsettled = audit.unsettled(store, self.runs)

    def outcome(self, doubled: list[str]) -> Outcome:
        names = self.lake.catalogue.dids("dltest.")
        mine = {run.id for run in self.runs}
        litter = [name for name in names if name.split(".")[1] in mine]
        return Outcome(
            self._story, self.runs, self._lost, doubled, self._swept, self._unsettled, litter
        )

    def _fight(self, runs: list[Run], look: Callable[[list[Run]], None]) -> None:
        killer = Killer(self._crew, self._order, self._story)
        began = time.monotonic()
        wake(self._crew.broker, [run.id for run in runs])
        sampled_at = -SAMPLE_SECONDS
        while (seconds := time.monotonic() - began) < self._order.limit_seconds:
            killer.perhaps_kill()
            self._crew.tend()
            still_open = self._open_runs()
            self._story.seconds = seconds
            if still_open is not None and (
                not still_open or seconds - sampled_at >= SAMPLE_SECONDS
            ):
                self._story.ended.append((seconds, self._order.runs - still_open))
                sampled_at = seconds
                look(runs)
            if still_open == 0:
                return
            time.sleep(LOOK_SECONDS)

    def _make_peace(self) -> None:
        """Everybody comes back and stays."""
        limit = time.monotonic() + PEACE_SECONDS
        for part in self._crew.parts.values():
            part.starts_at = 0.0
        self._crew.tend()
        while self._open_runs() is None and time.monotonic() < limit:
            time.sleep(LOOK_SECONDS)

    def _sweep(self, runs: list[Run]) -> None:
        self._swept = len(audit.unsettled(self._store, runs))
        if self._swept:
            self._crew.dltest("sweep")

    def _open_runs(self) -> int | None:
        """None while the store is away."""
        try:
            return sum(self._store.open_runs().values())
        except StoreError:
            return None


def _planned(lake: str, cases: list[Case]) -> tuple[Campaign, list[Run]]:
    now = datetime.now(UTC)
    campaign = Campaign(
        id=uuid.uuid4().hex[:12], lake=lake, driver=Driver.SERVICE, title="chaos", created_at=now
    )
    runs = [
        Run(
            id=uuid.uuid4().hex[:12], campaign_id=campaign.id, lake=lake, case=case,
            records=tuple(StepRecord(name=call.type) for call in case.steps), planned_at=now,
        )
        for case in cases
    ]  # fmt: skip
    return campaign, runs


def _bytes_on(lab: Path, runs: list[Run]) -> list[str]:
    """Files of these runs in the folders of the lab's storages."""
    seen = status(lab)
    ids = tuple(run.id for run in runs)
    folders = [Path(rse["folder"]) for rse in seen["rses"]] if seen else []
    files = (file for folder in folders for file in folder.rglob("*") if file.is_file())
    return [str(file) for file in files if any(run_id in file.name for run_id in ids)]


@contextmanager
def _home(order: Order) -> Iterator[Path]:
    # Not deep: the path of a socket may have 107 characters. `nobody` must enter.
    home = order.keep or Path(tempfile.mkdtemp(prefix="dltest-chaos-", dir="/tmp"))
    home.mkdir(exist_ok=True)
    home.chmod(0o755)
    try:
        yield home
    finally:
        if order.keep is None:
            shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _simulated_lake(home: Path, file_seconds: float) -> Iterator[Path]:
    """The lake file of a simulated lake, which outlives all that is killed."""
    words = ["--socket", str(home / "lake"), "--journal", str(home / "journal")]
    words += ["--file-seconds", str(file_seconds)]
    ready = home / "lake.yaml"
    ready.write_text(f"name: simulated\nsimulated: {home / 'lake'}\n")
    command = [sys.executable, "-m", "dltest.lake.simulated", *words]
    with (home / "lake.log").open("wb") as log, subprocess.Popen(command, stderr=log) as server:
        try:
            await_(lambda: _answers(home / "lake"), "the simulated lake")
            yield ready
        finally:
            server.terminate()


def _answers(lake: Path) -> bool:
    try:
        return bool(open_catalogue(lake).ping())
    except LakeError:
        return False
