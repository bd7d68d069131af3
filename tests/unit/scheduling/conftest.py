"""Scenario files to keep schedules of."""

from collections.abc import Callable
from pathlib import Path

import pytest

SCENARIO = """\
dltest: 1
name: {name}
title: A file can be written
owner: data-ops
targets:
  at: {{rses: "*"}}
steps:
  - upload: {{to: at}}
  - verify: {{at: at}}
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a scenario file, or any text, and gives its path."""

    def written(name: str, text: str | None = None) -> Path:
        path = tmp_path / f"{name}.yaml"
        path.write_text(text or SCENARIO.format(name=name))
        return path

    return written
