"""What single values of a scenario file may be: names, expressions, times, numbers of files.

Each is a type that pydantic reads, with the sentence that a wrong one gets and its JSON Schema.
"""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)

from dltest.scenario.cron import MAX_LENGTH, check_cron, check_time_zone
from dltest.scenario.explain import shown
from dltest.scenario.rse_expression import parse_expression
from dltest.units import Duration, Size

WORD_PATTERN = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
MAX_FILES = 100_000
MAX_FAMILY = 20


def _kebab(name: str) -> str:
    return name.replace("_", "-")


def _word(text: str) -> str:
    if not re.fullmatch(WORD_PATTERN[1:-1], text) or len(text) > 64:
        raise ValueError(
            f"'{text[:40]}' is not a name: write small letters, digits and single dashes, "
            "like upload-many, at most 64"
        )
    return text


def _rse_expression(text: str) -> str:
    parse_expression(text)
    return text


def _sentence(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


def _file_size(size: int) -> int:
    if size < 1:
        raise ValueError("must be at least 1 B")
    return size


def _interval(every: timedelta) -> timedelta:
    if every < timedelta(minutes=1):
        raise ValueError("must be at least 1m")
    return every


Word = Annotated[
    str,
    AfterValidator(_word),
    WithJsonSchema({"type": "string", "pattern": WORD_PATTERN, "maxLength": 64}),
]
Sentence = Annotated[
    str, AfterValidator(_sentence), WithJsonSchema({"type": "string", "pattern": r"\S"})
]
Interval = Annotated[Duration, AfterValidator(_interval)]
Cron = Annotated[
    str,
    AfterValidator(check_cron),
    WithJsonSchema(
        {"type": "string", "pattern": r"^\s*(\S+\s+){4}\S+\s*$", "maxLength": MAX_LENGTH}
    ),
]
TimeZone = Annotated[
    str, AfterValidator(check_time_zone), WithJsonSchema({"type": "string", "minLength": 1})
]
RSEExpression = Annotated[
    str, AfterValidator(_rse_expression), WithJsonSchema({"type": "string", "minLength": 1})
]


def _file_counts(value: object) -> int | tuple[int, ...]:
    """One sentence for what is neither a number nor a list of some."""
    if not isinstance(value, list | tuple):
        return _file_count(value)
    if not 1 <= len(value) <= MAX_FAMILY:
        raise ValueError(f"must hold 1 to {MAX_FAMILY} numbers of files")
    return tuple(_file_count(inner) for inner in value)


def _file_count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"must be a whole number, not {shown(value)}")  # noqa: TRY004 - pydantic's
    if not 1 <= value <= MAX_FILES:
        raise ValueError(f"must be at {'least 1' if value < 1 else f'most {MAX_FILES}'}")
    return value


def _as_written(files: int | tuple[int, ...]) -> int | list[int]:
    return files if isinstance(files, int) else list(files)


_COUNT = {"type": "integer", "minimum": 1, "maximum": MAX_FILES}
FileCounts = Annotated[
    int | tuple[int, ...],
    PlainValidator(_file_counts),
    PlainSerializer(_as_written),
    WithJsonSchema(
        {
            "anyOf": [
                _COUNT,
                {"type": "array", "items": _COUNT, "minItems": 1, "maxItems": MAX_FAMILY},
            ]
        }
    ),
]
FileSize = Annotated[Size, AfterValidator(_file_size)]


class Section(BaseModel):
    """A mapping of the file: frozen, kebab-case keys, unknown keys are mistakes."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=_kebab, populate_by_name=True
    )
