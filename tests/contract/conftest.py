"""Every port's contract, kept by the lake in memory and by a real one alike."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from trial import Trial

from dltest.lake.adapter import open_lake, open_movers
from dltest.lake.simulated import SimulatedLake
from dltest.settings import LakeSettings


@pytest.fixture(params=["simulated", "shared", pytest.param("lab", marks=pytest.mark.lab)])
def trial(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Trial]:
    if request.param == "simulated":
        lake = SimulatedLake(("XRD1", "XRD2"))
        yield Trial(lake, lake)
    elif request.param == "shared":
        server = request.getfixturevalue("shared_lake")
        settings = LakeSettings.model_validate({"name": "shared", "simulated": server.path})
        with open_movers(settings, tmp_path / "spool") as movers:
            yield Trial(open_lake(settings, storage=movers), server.lake)
    else:
        file = Path(request.getfixturevalue("lab").dir) / "lake.yaml"
        settings = LakeSettings.load(file)
        with open_movers(settings, tmp_path / "spool") as movers:
            trial = Trial(open_lake(settings, storage=movers))
            yield trial
            trial.clean()
