"""Pydantic's errors as sentences for people who write scenarios."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic_core import ErrorDetails

Schema = Mapping[str, Any]


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'title'?`, or else what there is: `; known: name, title`."""
    choices = list(known)
    if near := get_close_matches(word.lower(), choices, n=1):
        return f"; did you mean '{near[0]}'?"
    return f"; known: {', '.join(choices)}" if choices else ""


def explain(error: ErrorDetails, schema: Schema) -> str:
    """One mistake as a sentence; `schema` is the JSON Schema of what was being read."""
    tell = _TELLERS.get(error["type"])
    if tell:
        return tell(error, schema)
    wanted = _WANTED.get(error["type"])
    if wanted:
        hint = _hint(error["type"], error["input"])
        return f"must be {wanted}, not {shown(error['input'])}{hint}"
    for bound, words in _BOUNDS.items():
        if bound in error.get("ctx", {}):
            return f"must {words} {error['ctx'][bound]}"
    return f"{shown(error['input'])}: {error['msg'].lower()}"


def _unknown_key(error: ErrorDetails, schema: Schema) -> str:
    key = str(error["loc"][-1])
    return f"unknown key '{shorter(key)}'" + suggestion(key, keys_at(schema, error["loc"][:-1]))


def _missing(error: ErrorDetails, schema: Schema) -> str:
    key = error["loc"][-1]
    example = next(iter(at(schema, error["loc"]).get("examples", [])), None)
    told = f", like `{key}: {example}`" if isinstance(example, str | int) else ""
    return f"key '{key}' is missing{told}"


def _not_one_of(error: ErrorDetails, schema: Schema) -> str:
    found = at(schema, error["loc"])
    choices = [str(choice) for choice in found.get("enum", [found.get("const")])]
    value = error["input"]
    is_word = isinstance(value, str) and value not in choices
    near = get_close_matches(str(value).lower(), choices, n=1) if is_word else []
    ask = f"; did you mean '{near[0]}'?" if near else ""
    *most, last = choices
    either = f"{', '.join(most)} or {last}" if most else last
    return f"must be {either}, not {shown(value)}{ask}"


def _own_words(error: ErrorDetails, schema: Schema) -> str:  # noqa: ARG001 - one of the tellers
    return printable(str(error["ctx"]["error"]))


def _pattern(error: ErrorDetails, schema: Schema) -> str:  # noqa: ARG001 - one of the tellers
    return f"{shown(error['input'])} does not fit the pattern {error['ctx']['pattern']}"


_TELLERS: dict[str, Callable[[ErrorDetails, Schema], str]] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing,
    "value_error": _own_words,
    "literal_error": _not_one_of,
    "enum": _not_one_of,
    "string_pattern_mismatch": _pattern,
}

_BOUNDS = {
    "ge": "be at least",
    "gt": "be more than",
    "le": "be at most",
    "lt": "be less than",
    "min_length": "hold at least",
    "max_length": "hold at most",
}

_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


def _hint(kind: str, value: object) -> str:
    is_scalar = isinstance(value, bool | int | float)
    return "; put it in quotes" if kind == "string_type" and is_scalar else ""


_CONSTANTS = {None: "nothing", True: "true", False: "false"}


def shown(value: object) -> str:
    """A value of the file as a person would point at it, cut short."""
    if isinstance(value, str):
        return f"'{shorter(value)}'"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, Sequence):
        return "a list"
    if value is None or isinstance(value, bool):
        return _CONSTANTS[value]
    return shorter(str(value))


def shorter(text: str) -> str:
    """At most 40 characters, and all of them visible."""
    text = printable(text)
    return text if len(text) <= 40 else text[:39] + "…"


def printable(text: str) -> str:
    """Line breaks and what else cannot be seen as Python would write it."""
    return text if text.isprintable() else repr(text)[1:-1]


def keys_at(schema: Schema, loc: Sequence[int | str]) -> list[str]:
    """The keys that a mapping at `loc` may hold."""
    return list(at(schema, loc).get("properties", {}))


def at(schema: Schema, loc: Sequence[int | str]) -> Schema:
    """The part of a JSON Schema that speaks of the value at `loc`; empty when none does."""
    part = _resolved(schema, schema)
    for segment in loc:
        if isinstance(segment, int):
            part = part.get("items", {})
        elif segment in part.get("properties", {}):
            part = part["properties"][segment]
        elif patterns := part.get("patternProperties"):
            part = next(iter(patterns.values()))
        elif isinstance(part.get("additionalProperties"), Mapping):
            part = part["additionalProperties"]
        part = _resolved(part, schema)
    return part


def _resolved(part: Schema, schema: Schema) -> Schema:
    """Past references, and past the `null` beside what an optional key holds."""
    for wrapper in ("allOf", "anyOf"):
        some = [inner for inner in part.get(wrapper, []) if inner.get("type") != "null"]
        if len(some) == 1:
            return _resolved(some[0], schema)
    if "$ref" in part:
        name = part["$ref"].removeprefix("#/$defs/")
        return _resolved(schema["$defs"][name], schema)
    return part
