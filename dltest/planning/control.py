"""The control of a case that breaks something: the same without the damage, which must pass.

A scenario that expects refusals may be right for a wrong reason; its control shows that the lake
refuses because of the damage, and nothing else.
"""

from collections.abc import Iterable

from pydantic import JsonValue

from dltest.model import Case, StepCall
from dltest.scenario import Registry
from dltest.steps import breaking_keys, breaks

VARIANT = "control"

OF_A_REFUSAL = {"outcome", "reason", "phase", "blame", "states"}


def with_controls(cases: Iterable[Case], steps: Registry) -> list[Case]:
    """Each case, followed by its control."""
    return [one for case in cases for one in (case, _control(case, steps))]


def _control(case: Case, steps: Registry) -> Case:
    calls = (_sound(call, steps) for call in case.steps if not breaks(steps[call.type]))
    return case.model_copy(
        update={
            "steps": tuple(_expected_to_be_done(call) for call in calls),
            "variant": f"{case.variant}, {VARIANT}" if case.variant else VARIANT,
            "control": True,
        }
    )


def _sound(call: StepCall, steps: Registry) -> StepCall:
    """The step without what it breaks beside its own work."""
    step = steps[call.type]
    keys = breaking_keys(step) & call.body.keys()
    mended = {key: step.Body.model_fields[key].default for key in keys}
    return call.model_copy(update={"body": {**call.body, **mended}})


def _expected_to_be_done(call: StepCall) -> StepCall:
    """Other expectations of the step, such as its rate, stay."""
    expect = call.body.get("expect")
    if not isinstance(expect, dict) or expect.get("outcome") not in {"refused", "overdue"}:
        return call
    others = {key: value for key, value in expect.items() if key not in OF_A_REFUSAL}
    done: dict[str, JsonValue] = {**others, "outcome": "done"}
    return call.model_copy(update={"body": {**call.body, "expect": done}})
