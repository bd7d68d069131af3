"""What can be written in a step, as rows: for `dltest steps` and the reference manual."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, JsonValue

from dltest.scenario.explain import Schema, at
from dltest.scenario.schema import example_of, schema_of
from dltest.steps import Step


@dataclass(frozen=True, slots=True)
class KeyReference:
    """One key; those inside another are written `expect.rate`. `kind` names what it holds."""

    key: str
    kind: str
    is_needed: bool
    default: JsonValue
    examples: tuple[JsonValue, ...]
    description: str


@dataclass(frozen=True, slots=True)
class StepReference:
    name: str
    title: str
    checks: bool
    example: dict[str, JsonValue]
    keys: tuple[KeyReference, ...]


def reference_of(step: Step[Any]) -> StepReference:
    """Everything a scenario's author may ask about a step type; needed keys first."""
    model: type[BaseModel] = step.Body
    schema = schema_of(model)
    keys = sorted(_keys(schema, ()), key=lambda key: not key.is_needed)
    example: dict[str, JsonValue] = {step.name: example_of(schema)}
    return StepReference(step.name, step.title, step.checks, example, tuple(keys))


def _keys(schema: Schema, loc: tuple[str, ...]) -> Iterator[KeyReference]:
    part = at(schema, loc)
    for name, field in part.get("properties", {}).items():
        inner = at(schema, (*loc, name))
        if "properties" in inner:
            yield from _keys(schema, (*loc, name))
            continue
        yield KeyReference(
            key=".".join((*loc, name)),
            kind=_kind(inner),
            is_needed=name in part.get("required", []),
            default=field.get("default"),
            examples=tuple(field.get("examples", inner.get("examples", []))),
            description=field.get("description", ""),
        )


# JSON Schema's words for people who write YAML
_KINDS = {"string": "text", "integer": "whole number", "boolean": "true or false", "array": "list"}


def _kind(part: Schema) -> str:
    kind = str(part.get("type", "text"))
    return str(part.get("format") or _KINDS.get(kind, kind))
