import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dltest.lab.census import end_processes, lab_processes, pss_bytes

STUBBORN = (
    "import signal, sys; signal.signal(15, signal.SIG_IGN); print(flush=True); signal.pause()"
)


@pytest.fixture
def orphan(tmp_path: Path) -> Iterator[int]:
    """A process of the lab in `tmp_path` that ignores SIGTERM."""
    child = subprocess.Popen(
        [sys.executable, "-c", STUBBORN],
        stdout=subprocess.PIPE,
        env=os.environ | {"DLTEST_LAB": str(tmp_path)},
    )
    with child:
        assert child.stdout is not None
        child.stdout.readline()
        yield child.pid
        child.kill()


def test_a_process_is_found_by_its_mark(orphan: int, tmp_path: Path) -> None:
    assert lab_processes(tmp_path) == {orphan}
    assert lab_processes(tmp_path / "other") == set()


def test_even_a_stubborn_process_is_ended(orphan: int, tmp_path: Path) -> None:
    assert end_processes(tmp_path, seconds=0.5) == 1
    assert lab_processes(tmp_path) == set()


def test_memory_is_that_of_the_process_and_its_children() -> None:
    own = pss_bytes({"me": os.getpid()})["me"]
    assert 2**20 < own < 2**32
