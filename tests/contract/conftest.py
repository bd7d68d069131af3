"""Every port's contract, kept by the lake in memory and by a real one alike."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from trial import Trial, until

from dltest.lake.adapter import open_lake, open_movers
from dltest.lake.simulated import SimulatedLake
from dltest.settings import LakeSettings


@pytest.fixture(scope="module")
def ended() -> Iterator[list[Trial]]:
    """Trials on the lab that asked for their end; other tests count what is on it."""
    trials: list[Trial] = []
    yield trials
    for trial in trials:
        until(partial(trial.ports.catalogue.dids, trial.dataset), lambda names: names == [])


@pytest.fixture(params=["simulated", "shared", pytest.param("lab", marks=pytest.mark.lab)])
def trial(request: pytest.FixtureRequest, tmp_path: Path, ended: list[Trial]) -> Iterator[Trial]:
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
            ended.append(trial)
            yield trial
            trial.clean()
