"""The JSON Schema of scenario files, for editors; draft-07, which they all read."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core.core_schema import WithDefaultSchema

from dltest.scenario.scenario import MAX_STEPS, Heading
from dltest.steps import Step

Json = dict[str, Any]

DRAFT = "http://json-schema.org/draft-07/schema#"


@cache
def schema_of(model: type[BaseModel]) -> Json:
    """The JSON Schema of one model as files write it."""
    return model.model_json_schema(by_alias=True, schema_generator=_AsWritten)


class _AsWritten(GenerateJsonSchema):
    """Defaults as a file would write them, `30m` and not `PT30M`, and nothing that is null."""

    def default_schema(self, schema: WithDefaultSchema) -> Json:
        shown = super().default_schema(schema)
        write = _serializer(schema["schema"])
        if write and shown.get("default") is not None:
            shown["default"] = write(schema["default"])
        if isinstance(shown.get("default"), dict):
            shown["default"] = _without_nulls(shown["default"])
        return shown


def _without_nulls(part: Json) -> Json:
    return {
        key: _without_nulls(inner) if isinstance(inner, dict) else inner
        for key, inner in part.items()
        if inner is not None
    }


def _serializer(schema: Mapping[str, Any]) -> Callable[[Any], Any] | None:
    """The function that writes the value, wherever validators wrap it."""
    serialization = schema.get("serialization", {})
    if serialization.get("type") == "function-plain":
        write: Callable[[Any], Any] = serialization["function"]
        return write
    return _serializer(schema["schema"]) if isinstance(schema.get("schema"), Mapping) else None


def json_schema(steps: Mapping[str, Step[Any]]) -> Json:
    """The schema of a whole file; it depends only on the step types given."""
    heading = schema_of(Heading)
    definitions = dict(heading.get("$defs", {}))
    calls = {name: _call(step, definitions) for name, step in sorted(steps.items())}
    properties = {**heading["properties"], "steps": _steps(calls)}
    schema = {
        "$schema": DRAFT,
        "title": "dltest scenario",
        "description": "A declared test of a data lake. `dltest check` says what is wrong with it.",
        "type": "object",
        "additionalProperties": False,
        "required": [*heading["required"], "steps"],
        "properties": properties,
        "$defs": dict(sorted(definitions.items())),
    }
    return {key: _without_siblings_of_references(part) for key, part in schema.items()}


def _steps(calls: Json) -> Json:
    return {
        "description": "What is done and checked, in order; each step is one key with its own.",
        "examples": [[{"upload": {"to": "source"}}, {"verify": {"at": "source"}}]],
        "type": "array",
        "minItems": 1,
        "maxItems": MAX_STEPS,
        "items": {
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
            "properties": calls,
        },
    }


def _call(step: Step[Any], definitions: Json) -> Json:
    """One step's key; its body goes into the definitions, and may be left out if all of it may."""
    model: type[BaseModel] = step.Body
    body = dict(schema_of(model))
    definitions.update(body.pop("$defs", {}))
    definitions[f"step-{step.name}"] = {**body, "title": step.name, "description": step.title}
    reference = {"$ref": f"#/$defs/step-{step.name}"}
    shapes = [reference] if body.get("required") else [reference, {"type": "null"}]
    return {
        "description": step.title,
        "examples": [example_of(body)],
        **({"allOf": shapes} if len(shapes) == 1 else {"anyOf": shapes}),
    }


def example_of(body: Json) -> Json:
    """The least that the body must hold, filled with the examples of its keys."""
    fields = body.get("properties", {})
    return {key: _first_example(fields[key], key) for key in body.get("required", [])}


def _first_example(field: Json, key: str) -> Any:
    examples = field.get("examples", [])
    return examples[0] if examples else key


def _without_siblings_of_references(part: Any) -> Any:
    """Draft-07 ignores what stands beside a `$ref`, so the reference is wrapped."""
    if isinstance(part, list):
        return [_without_siblings_of_references(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    clean = {key: _without_siblings_of_references(inner) for key, inner in part.items()}
    if "$ref" in clean and len(clean) > 1:
        return {"allOf": [{"$ref": clean.pop("$ref")}], **clean}
    return clean
