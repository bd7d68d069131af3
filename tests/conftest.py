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

LAKE = Path(__file__).parent / "lake"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files whose tests need the lab come first, since they take longest.

    Of several processes that run tests, each has a lab of its own, and takes file after file.
    """
    for item in items:
        if LAKE in item.path.parents:
            item.add_marker(pytest.mark.lab)
    slow = {item.path for item in items if item.get_closest_marker("lab")}
    items.sort(key=lambda item: (item.path not in slow, LAKE not in item.path.parents))


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
