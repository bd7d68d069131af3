"""What the lake tests share beside the lab itself."""

import subprocess
import sys
from pathlib import Path

import pytest

LAB = (sys.executable, "-m", "dltest.cli.lab")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.lab)


def run_lab(*arguments: str | Path, timeout: float = 200) -> subprocess.CompletedProcess[str]:
    """The command line as people use it."""
    return subprocess.run(
        [*LAB, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, check=False
    )
