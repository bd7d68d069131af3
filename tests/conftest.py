"""Lakes that tests of several kinds use: the lab, one for the whole session, and a simulated one."""

import os
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dltest.lab import control
from dltest.lab.status import status
from dltest.lake.simulated.server import LakeServer

# A lab that is up already, so that one test can be run again in seconds; left as it is.
GIVEN = "DLTEST_TEST_LAB"

OF_THE_LAKE = {"test_core_scenarios", "test_corruption", "test_deletion", "test_resilience"}


LAKE = Path(__file__).parent / "lake"


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """What needs the lab shares one, and comes first since it takes longest.

    Of several processes that run tests, two have a lab: one for tests that break it from outside,
    and one for scenarios that are run on it as users do (`lab_of`).
    """
    for item in items:
        if LAKE in item.path.parents:
            item.add_marker(pytest.mark.lab)
        if item.get_closest_marker("lab"):
            item.add_marker(pytest.mark.xdist_group(lab_of(item)))
    yield
    items.sort(key=lambda item: item.get_closest_marker("lab") is None)


def lab_of(item: pytest.Item) -> str:
    """The name of the lab that the test needs."""
    return "lake" if item.path.stem in OF_THE_LAKE else "lab"


@dataclass(frozen=True)
class RunningLab:
    """A lab that is up; whoever breaks it heals it."""

    dir: Path

    @property
    def lake_file(self) -> Path:
        return Path(os.path.realpath(self.dir)) / "lake.yaml"

    def status(self) -> dict[str, Any]:
        seen = status(self.dir)
        assert seen is not None
        return seen

    def part(self, name: str) -> dict[str, Any]:
        return next(part for part in self.status()["parts"] if part["name"] == name)

    def rse(self, name: str) -> dict[str, Any]:
        return next(rse for rse in self.status()["rses"] if rse["name"] == name)

    def break_(self, fault: str, target: str | None = None) -> None:
        control.break_(self.dir, fault, target)

    def heal(self, fault: str | None = None, target: str | None = None) -> None:
        control.heal(self.dir, fault, target)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """A lab in good health, made once for the session and removed after it."""
    given = os.environ.get(GIVEN)
    if given:
        control.up(Path(given))
        yield RunningLab(Path(given))
        return
    folder = tmp_path_factory.mktemp("lake") / "lab"
    try:
        control.up(folder)
        yield RunningLab(folder)
    finally:
        control.down(folder, purge=True)


@pytest.fixture
def shared_lake() -> Iterator[LakeServer]:
    """A simulated lake that is reached over its socket."""
    # Not pytest's own folder: the path of a socket may have 107 characters.
    with (
        tempfile.TemporaryDirectory(prefix="dltest-lake-") as home,
        LakeServer(Path(home) / "socket", rses=2) as server,
    ):
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        yield server
        server.shutdown()
        serving.join()
