"""A byte that changes on a disk, behind the server's back, after a good transfer."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dltest.engine import House, LocalDriver, Rules
from dltest.lake.adapter import open_lake
from dltest.lake.storage import MoverPool
from dltest.model import Campaign, Driver, Run, StepState, Verdict
from dltest.planning import plan
from dltest.scenario import parse
from dltest.settings import LakeSettings
from dltest.store import Store

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

SCENARIO = """\
dltest: 1
name: rot
title: What was replicated is what lies on the disk
owner: tests
targets:
  source: {rses: XRD1}
  destination: {rses: XRD2}
steps:
  - upload: {to: source}
  - replicate: {to: destination, within: 2m}
  - verify: {at: destination, within: 1m}
"""


class Tampering:
    """The store, but that `once` is called when the second step of a run is saved as done."""

    def __init__(self, store: Store, once: Callable[[Run], None]) -> None:
        self._store = store
        self._once = once
        self.ledger = store.ledger
        self.unsettled = store.unsettled
        self.run = store.run

    @contextmanager
    def claim(self, run_id: str, **how: Any) -> Iterator[object]:
        with self._store.claim(run_id, **how) as claim:
            yield claim
        run = claim.saved if claim else None
        if run and run.step_index == 2 and run.records[2].state is StepState.PENDING:
            self._once(run)


def flip_one_byte(folder: Path, dataset: str) -> None:
    """Change one byte and put the modification time back, so that cached checksums still hold."""
    (path,) = [file for file in folder.rglob(f"{dataset}.*") if file.is_file()]
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(12_345)
        byte = file.read(1)[0]
        file.seek(12_345)
        file.write(bytes([byte ^ 0x01]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_verify_finds_it_and_names_both_checksums(lab, tmp_path):
    folder = Path(next(rse["folder"] for rse in lab.status()["rses"] if rse["name"] == "XRD2"))
    settings = LakeSettings.load(lab.dir / "lake.yaml")
    store = Store.open(f"sqlite:///{tmp_path}/store.sqlite3")
    store.migrate()
    with MoverPool(settings.storage, tmp_path / "spool") as movers:
        lake = open_lake(settings, storage=movers)
        (case,) = plan([parse(SCENARIO, "rot.yaml")], lake.catalogue.inventory()).cases
        now = datetime.now(UTC)
        run = Run(id="5117e47407", campaign_id="c", lake="lab", case=case, planned_at=now)
        campaign = Campaign(
            id="c", lake="lab", driver=Driver.IN_PROCESS, title="rot", created_at=now
        )
        store.create_campaign(campaign, [run])
        runs = Tampering(store, lambda seen: flip_one_byte(folder, f"dltest.{seen.id}"))
        rules = Rules(timedelta(seconds=15), timedelta(minutes=2))
        house = House(runs, lake, rules, timedelta(hours=1))
        LocalDriver(house, lambda _: None).drive([run.id])
    ended = store.run(run.id)
    store.close()
    assert ended.judgement.verdict is Verdict.FAILED
    (finding,) = ended.judgement.findings
    assert (finding.code, str(finding.blame), finding.step) == (
        "checksum-mismatch",
        "site XRD2",
        "verify",
    )
    read_back = ended.records[2].evidence["adler32_read_back"][0]
    written = ended.records[0].evidence["adler32"][0]
    assert read_back != written
    assert read_back in finding.title
    assert written in finding.title
    assert ended.leftovers == 0
