"""Deletion on the simulated lake: what must go goes, what must stay stays, crashes or not."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from test_engine_properties import Trial, store

from dltest.lake.ports import JobKind, JobState, JobStatus, StorageJob
from dltest.lake.simulated.storage import SimulatedStorage
from dltest.lake.simulated.world import World
from dltest.model import Verdict

__all__ = ["store"]

# No RSE of the simulated lake keeps cached copies, and none is ever full.
NOT_SIMULATED = {"cached-copy", "purge-where-not-greedy", "delete-when-full"}
FILES = [
    file for file in Path("scenarios/deletion").glob("*.yaml") if file.stem not in NOT_SIMULATED
]


def scenario(name: str) -> str:
    """The family's own file, at one place and with one case."""
    text = Path(f"scenarios/deletion/{name}.yaml").read_text()
    text = re.sub(r"(storage|source): \{rses: [^}]*\}", r"\1: {rses: XRD1}", text)
    text = re.sub(r"(copy|destination): \{rses: [^}]*\}", r"\1: {rses: XRD2}", text)
    return re.sub(r"(links|control): .*\n", "", text).replace("MiB}", "B}").replace("KiB}", "B}")


@pytest.mark.parametrize("name", sorted(file.stem for file in FILES))
def test_a_healthy_lake_passes_and_nothing_is_left(store, name):
    trial = Trial(store, scenario=scenario(name))
    ended = trial.play()
    assert ended.judgement.verdict is Verdict.PASSED, ended.judgement
    assert ended.leftovers == 0
    assert trial.lake.litter() == []


@pytest.mark.parametrize("name", ["shared-files", "file-with-own-rule", "locked-rule"])
def test_a_lake_that_deletes_too_much_is_found_out(store, name, monkeypatch):
    monkeypatch.setattr(World, "_is_kept", lambda *_: False)
    monkeypatch.setattr(World, "is_locked", lambda *_: False)
    ended = Trial(store, scenario=scenario(name)).play()
    assert ended.judgement.verdict is Verdict.FAILED
    assert "deleted-what-must-stay" in {f.code for f in ended.judgement.findings}
    assert str(ended.judgement.blame) == "rucio"


def test_dltest_itself_deleting_too_much_is_found_out(store, monkeypatch):
    """The mutation: erasing the run's dataset erases the second one too."""
    trial = Trial(store, scenario=scenario("shared-files"))
    expire = trial.lake.catalogue.expire

    def expire_all(dataset: str) -> None:
        for name in trial.lake.catalogue.dids(dataset):
            expire(name)

    monkeypatch.setattr(trial.lake.catalogue, "expire", expire_all)
    ended = trial.play()
    assert ended.judgement.verdict is Verdict.FAILED
    assert ended.judgement.findings[0].code == "deleted-what-must-stay"


def test_bytes_that_vanish_behind_the_catalogue_are_the_sites(store):
    trial = Trial(store, scenario=scenario("delete-one-copy"))

    def lose() -> None:
        if trial.run.step_index == 4:
            trial.lake.stored.clear()

    ended = trial.play(lose)
    assert ended.judgement.findings[0].code == "deleted-what-must-stay"
    assert str(ended.judgement.blame) == "site XRD1"


def test_files_seen_gone_only_after_they_were_to_go_prove_nothing(store):
    trial = Trial(store, scenario=scenario("expire-by-lifetime"))
    slept = []

    def sleep_once() -> None:
        if trial.run.step_index == 2 and not slept:
            slept.append(True)
            trial.lake.clock.move(timedelta(seconds=trial.run.records[1].measured["after_seconds"]))

    ended = trial.play(sleep_once)
    assert slept
    assert ended.judgement.verdict is Verdict.INCONCLUSIVE, ended.judgement
    assert ended.judgement.findings[0].code == "out-of-time"


ALL_THAT_KEEPS = """\
dltest: 1
name: kept
title: Everything that outlives a dataset
owner: tests
targets:
  storage: {rses: XRD1}
payload: {files: 2, size: 100 B}
limits: {duration: 2h}
steps:
  - upload: {to: storage, within: 1m}
  - keep: {at: storage, by: dataset, files: [0], within: 1m}
  - keep: {at: storage, by: rule, files: [1], within: 1m}
  - keep: {at: storage, by: lock, within: 1m}
  - stray: {at: storage, count: 2, within: 1m}
  - kept: {at: storage, for: 1s, within: 1m}
"""


def test_what_keeps_files_is_taken_away_also_over_a_crash_at_any_call(store):
    whole = Trial(store, scenario=ALL_THAT_KEEPS)
    assert whole.play().judgement.verdict is Verdict.PASSED
    for crash_at in range(1, whole.calls + 1):
        trial = Trial(store, scenario=ALL_THAT_KEEPS)
        trial.crash_at = crash_at
        ended = trial.play()
        assert ended.judgement.verdict is Verdict.PASSED, f"crash at call {crash_at}"
        assert trial.lake.litter() == [], f"crash at call {crash_at}"


@pytest.mark.parametrize("cancel_at", range(1, 30))
def test_a_cancelled_run_takes_away_what_keeps_files(store, cancel_at):
    trial = Trial(store, scenario=ALL_THAT_KEEPS)
    turns = iter(range(1, 10_000))

    def perhaps_cancel() -> None:
        if next(turns) == cancel_at:
            store.cancel(trial.run_id)

    assert trial.play(perhaps_cancel).leftovers == 0
    assert trial.lake.litter() == []


class SlowWriters:
    """Movers that write for as long as nobody stops them: their bytes land when `land` is called."""

    def __init__(self, inner: SimulatedStorage) -> None:
        self._inner = inner
        self._writing: dict[str, StorageJob] = {}
        self._stopped: set[str] = set()

    def start(self, job: StorageJob) -> None:
        if job.kind is not JobKind.PUT:
            self._inner.start(job)
        elif job.id not in self._stopped:
            self._writing[job.id] = job

    def look(self, job_id: str) -> JobStatus:
        if job_id in self._writing:
            return JobStatus(state=JobState.RUNNING)
        return self._inner.look(job_id)

    def cancel(self, job_id: str) -> None:
        self._writing.pop(job_id, None)
        self._stopped.add(job_id)

    def land(self) -> None:
        for job in self._writing.values():
            self._inner.start(job)


def test_a_mover_that_still_writes_when_its_run_is_cancelled_leaves_no_bytes_behind(store):
    trial = Trial(store)
    writers = SlowWriters(trial.lake.storage)
    trial.lake.storage = writers
    trial.house = replace(trial.house, lake=trial.lake)

    def cancel_while_writing() -> None:
        if trial.run.handle is not None:
            store.cancel(trial.run_id)

    ended = trial.play(cancel_while_writing)
    writers.land()
    assert ended.judgement.verdict is Verdict.SKIPPED
    assert trial.lake.litter() == []
