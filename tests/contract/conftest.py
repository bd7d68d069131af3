"""Every port's contract, kept by the lake in memory and by a real one alike."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from trial import Trial

from dltest.lake.adapter import open_lake
from dltest.lake.simulated import SimulatedLake
from dltest.lake.storage import MoverPool
from dltest.settings import LakeSettings


@pytest.fixture(params=["simulated", pytest.param("lab", marks=pytest.mark.lab)])
def trial(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Trial]:
    if request.param == "simulated":
        yield Trial(SimulatedLake(("XRD1", "XRD2")))
        return
    settings = LakeSettings.load(Path(request.getfixturevalue("lab").dir) / "lake.yaml")
    with MoverPool(settings.storage, tmp_path / "spool") as movers:
        trial = Trial(open_lake(settings, storage=movers))
        yield trial
        trial.clean()
