"""Where a parameter's value stands in a file, and how values of its kind are compared."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel

from dltest.scenario.document import Loc
from dltest.scenario.explain import Schema, at
from dltest.scenario.scenario import Heading
from dltest.scenario.schema import schema_of
from dltest.units import (
    DURATION_PATTERN,
    RATE_PATTERN,
    SIZE_PATTERN,
    parse_duration,
    parse_rate,
    parse_size,
)

Measure = Callable[[object], Any]
"""A value as something that can be compared; raises ValueError with a sentence."""

Bodies = Sequence[tuple[str, type[BaseModel]] | None]
"""Step by step, its name and the shape of its body; None for what is unknown."""

_SINGLE = {"string", "integer", "number", "boolean"}


def loc_of(sets: str) -> tuple[str | int, ...]:
    """The dotted path as keys; the second of a path into steps counts them."""
    first, second, *rest = sets.split(".")
    if first == "steps" and second.isdecimal() and len(second) < 5:
        return (first, int(second), *rest)
    return (first, second, *rest)


def kinds_at(loc: Loc, bodies: Bodies) -> list[Schema]:
    """What a single value at `loc` may be, as JSON Schema; empty when there is no such value."""
    part = _part_at(loc, bodies)
    return [kind for kind in (part, *part.get("anyOf", ())) if kind.get("type") in _SINGLE]


def _part_at(loc: Loc, bodies: Bodies) -> Schema:
    if loc[0] != "steps":
        return _known(schema_of(Heading), loc)
    _, index, *rest = loc
    body = bodies[index] if isinstance(index, int) and index < len(bodies) else None
    if body is None or len(rest) < 2 or rest[0] != body[0]:
        return {}
    return _known(schema_of(body[1]), rest[1:])


def _known(schema: Schema, loc: Loc) -> Schema:
    """The part at `loc` if every key on the way is one that there is."""
    for depth, key in enumerate(loc):
        owner = at(schema, loc[:depth])
        if key not in owner.get("properties", {}) and "patternProperties" not in owner:
            return {}
    return at(schema, loc)


def measure_of(kinds: Sequence[Schema]) -> Measure | None:
    """How to compare values of these kinds; None for words, of which none is more than another."""
    for kind in kinds:
        if kind["type"] == "integer":
            return _number
        if measure := _MEASURES.get(kind.get("pattern", "")):
            return measure
    return None


def _number(value: object) -> int:
    text = str(value)
    if not text.isdecimal() or len(text) > 18:
        raise ValueError(f"'{text[:40]}' is not a whole number")
    return int(text)


_MEASURES: dict[str, Measure] = {
    SIZE_PATTERN: parse_size,
    RATE_PATTERN: parse_rate,
    DURATION_PATTERN: parse_duration,
}
