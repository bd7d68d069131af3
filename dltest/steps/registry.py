"""All step types that are installed, dltest's own and those of other packages."""

from functools import cache
from importlib.metadata import entry_points
from typing import Any

from dltest.steps.step import Step

GROUP = "dltest.steps"


@cache
def registry() -> dict[str, Step[Any]]:
    """Step types by name, sorted; read once a process."""
    steps = (point.load() for point in entry_points(group=GROUP))
    return dict(sorted((step.name, step) for step in steps))
