"""A scenario back as YAML: what `parse` reads to the same scenario."""

from io import StringIO

from pydantic import JsonValue
from ruamel.yaml import YAML

from dltest.scenario.scenario import Scenario


def dump(scenario: Scenario) -> str:
    """The scenario as a file in its canonical form, defaults written out."""
    return as_text(as_document(scenario))


def as_document(scenario: Scenario) -> dict[str, JsonValue]:
    """The scenario as the keys and values of its file."""
    body = scenario.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"steps"})
    body["steps"] = [{call.type: _without_nulls(call.body)} for call in scenario.steps]
    return body


def as_text(document: dict[str, JsonValue]) -> str:
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    text = StringIO()
    yaml.dump(document, text)
    return text.getvalue()


def _without_nulls(part: JsonValue) -> JsonValue:
    if isinstance(part, dict):
        return {key: _without_nulls(inner) for key, inner in part.items() if inner is not None}
    return part
