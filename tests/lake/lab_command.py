"""The lab's command line as people use it, and what the kernel says of its processes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from dltest.lab.census import lab_processes

LAB = (sys.executable, "-m", "dltest.cli.lab")


def run_lab(*arguments: str | Path, timeout: float = 240) -> subprocess.CompletedProcess[str]:
    command = [*LAB, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)


def processes_of(folder: Path) -> set[int]:
    return lab_processes(Path(os.path.realpath(folder)))


def until(reached: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, f"not reached after {seconds} s"
        time.sleep(0.05)
