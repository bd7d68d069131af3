"""The actions and checks that scenarios are made of, one file a step type.

Built-in steps register like anybody's: under the entry-point group `dltest.steps`.
"""

from dltest.steps.registry import registry
from dltest.steps.step import (
    Context,
    Done,
    Expect,
    Handle,
    Outcome,
    Step,
    StepBody,
    Waiting,
    breaking_keys,
    breaks,
    disturbs,
    needs_faults,
)

__all__ = [
    "Context",
    "Done",
    "Expect",
    "Handle",
    "Outcome",
    "Step",
    "StepBody",
    "Waiting",
    "breaking_keys",
    "breaks",
    "disturbs",
    "needs_faults",
    "registry",
]
