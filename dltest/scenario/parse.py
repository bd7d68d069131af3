"""Text to `Scenario`: every mistake of a file at once, each with its line and column."""

from collections.abc import Mapping
from typing import Any

from dltest.errors import Problem, ScenarioError
from dltest.model import StepCall
from dltest.scenario import coherence
from dltest.scenario.document import Loc, Node, Scalar, Series, as_json, read
from dltest.scenario.document import Mapping as MappingNode
from dltest.scenario.explain import shorter, shown, suggestion
from dltest.scenario.scenario import FORMAT, MAX_STEPS, Heading, Scenario
from dltest.scenario.schema import schema_of
from dltest.scenario.sheet import Sheet
from dltest.steps import Step, registry

Registry = Mapping[str, Step[Any]]


def parse(text: str | bytes, path: str, steps: Registry | None = None) -> Scenario:
    """The scenario of one file; `path` is only shown in messages.

    Raises:
        ScenarioError: all mistakes of the file. Nothing else is raised, whatever the bytes are.
    """
    root, problems = read(text, path)
    if root is None:
        raise ScenarioError(tuple(problems))
    if not isinstance(root, MappingNode) or not _KEYS & set(root.entries):
        none = f"this is no scenario, which is {_SHAPE}"
        raise ScenarioError((Problem(path, root.place.line, root.place.column, none),))
    sheet = Sheet(root, path, problems)
    scenario = _scenario(sheet, registry() if steps is None else steps)
    if sheet.problems or scenario is None:
        raise ScenarioError(tuple(sheet.problems))
    return scenario


_SHAPE = f"a mapping of keys that starts with `dltest: {FORMAT}`"
_KEYS = frozenset(Scenario.model_fields)


def _scenario(sheet: Sheet, steps: Registry) -> Scenario | None:
    if not _is_our_format(sheet):
        return None
    heading = sheet.read(Heading, (), leave_out={"steps"}, schema=schema_of(Scenario))
    calls = _calls(sheet, steps)
    coherence.check(sheet, heading, calls)
    if heading is None:
        return None
    done = tuple(_as_model(call) for call in calls if call)
    return Scenario(**dict(heading), steps=done)


def _is_our_format(sheet: Sheet) -> bool:
    """Another version may mean anything by its keys, so nothing more is said of it."""
    node = sheet.find(("dltest",))
    version = node.value if isinstance(node, Scalar) else None
    if isinstance(version, bool):
        # Python, and so pydantic, takes true for 1.
        sheet.mistake(("dltest",), f"must be {FORMAT}, not {shown(version)}")
    elif isinstance(version, int) and version != FORMAT:
        message = f"this dltest reads scenario format {FORMAT}; the file is in {version}"
        sheet.mistake(("dltest",), message)
        return False
    return True


def _calls(sheet: Sheet, steps: Registry) -> list[coherence.Call | None]:
    """The steps in order, None in the place of one that could not be read."""
    node = sheet.find(("steps",))
    if node is None:
        sheet.mistake((), "key 'steps' is missing")
    elif not isinstance(node, Series):
        sheet.mistake(("steps",), f"must be a list of steps, not {shown(as_json(node))}")
    elif not node.items:
        sheet.mistake(("steps",), "there must be at least one step")
    elif len(node.items) > MAX_STEPS:
        sheet.mistake(("steps",), f"must hold at most {MAX_STEPS} steps")
    else:
        return [_call(sheet, index, item, steps) for index, item in enumerate(node.items)]
    return [None]


def _call(sheet: Sheet, index: int, item: Node, steps: Registry) -> coherence.Call | None:
    loc = ("steps", index)
    if not isinstance(item, MappingNode) or not item.entries:
        sheet.mistake(loc, "a step is a key with its own keys below, like `- upload: {to: source}`")
        return None
    name, *others = item.entries
    for other in others:
        indent = f"indent '{shorter(other)}' below '{shorter(name)}'"
        message = f"a step is a single key; {indent}, or begin it with '- '"
        sheet.mistake((*loc, other), message, key=True)
    if name not in steps:
        message = f"there is no step '{shorter(name)}'" + suggestion(name, steps)
        sheet.mistake((*loc, name), message, key=True)
        return None
    return None if others else _body(sheet, steps[name], (*loc, name))


def _body(sheet: Sheet, step: Step[Any], loc: Loc) -> coherence.Call | None:
    if body := sheet.read(step.Body, loc):
        return coherence.Call(step, body, loc)
    body = sheet.read_what_is_right(step.Body, loc)
    return coherence.Call(step, body, loc, is_whole=False) if body else None


def _as_model(call: coherence.Call) -> StepCall:
    return StepCall(type=call.step.name, body=call.body.model_dump(mode="json", by_alias=True))
