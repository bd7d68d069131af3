"""Sizes, durations and rates as people write them: `10 MiB`, `30m`, `5 MB/s`.

Decimal (kB, MB, GB, TB) and binary (KiB, MiB, GiB, TiB) prefixes mean what IEC 80000-13 says.
`parse_*` raise ValueError with a sentence; `format_*` print what `parse_*` reads back exactly.
"""

import re
from datetime import timedelta
from fractions import Fraction
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

SIZE_UNITS = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
DURATION_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

SIZE_PATTERN = r"^\d{1,19}(\.\d{1,6})? ?(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)$"
MAX_DURATION = timedelta(days=3650)
MAX_SIZE = 2**63 - 1  # what a catalogue's BIGINT column holds

RATE_PATTERN = SIZE_PATTERN[:-1] + "/s$"
DURATION_PATTERN = r"^(\d{1,9}(\.\d{1,3})?(s|m|h|d))+$"


def _fits(pattern: str, text: str) -> bool:
    """The whole text: `$` alone would let a line break follow."""
    return re.fullmatch(pattern[1:-1], text, re.ASCII) is not None


def parse_size(value: object) -> int:
    """Bytes of `10 MiB`; a bare number is refused, since nobody knows its unit."""
    text = value if isinstance(value, str) else str(value)
    match = re.fullmatch(r"([0-9.]+) ?([A-Za-z]+)", text)
    if not match or not _fits(SIZE_PATTERN, text):
        raise ValueError(f"'{text[:40]}' is not a size; write a number and a unit, like 10 MiB")
    number, unit = match.groups()
    size = round(Fraction(number) * SIZE_UNITS[unit])
    if size > MAX_SIZE:
        raise ValueError(f"{text} is more than 8 EiB, the largest size there is")
    return size


def parse_rate(value: object) -> int:
    """Bytes per second of `5 MB/s`."""
    text = value if isinstance(value, str) else str(value)
    if not _fits(RATE_PATTERN, text):
        raise ValueError(f"'{text[:40]}' is not a rate; write a size per second, like 5 MB/s")
    return parse_size(text.removesuffix("/s"))


def parse_duration(value: object) -> timedelta:
    """The time of `90s`, `30m`, `1h30m`, `2d`; a bare number is refused."""
    if isinstance(value, timedelta):
        return value
    text = value if isinstance(value, str) else str(value)
    if not _fits(DURATION_PATTERN, text):
        raise ValueError(f"'{text[:40]}' is not a duration; write 90s, 30m, 1h30m or 2d")
    parts = re.findall(r"([\d.]+)([smhd])", text)
    seconds = sum(Fraction(number) * DURATION_UNITS[unit] for number, unit in parts)
    if seconds > MAX_DURATION.total_seconds():
        raise ValueError(f"{text[:40]} is more than {MAX_DURATION.days} days")
    return timedelta(milliseconds=round(seconds * 1000))


def format_size(size_bytes: float) -> str:
    """`10 MiB`: the largest binary or decimal unit that divides it exactly, else bytes."""
    whole = round(size_bytes)
    exact = [u for u, factor in SIZE_UNITS.items() if whole >= factor and whole % factor == 0]
    unit = max(exact, key=SIZE_UNITS.__getitem__, default="B")
    return f"{whole // SIZE_UNITS[unit]} {unit}"


def format_duration(duration: timedelta) -> str:
    """`1h30m`; nothing is `0s`."""
    left = round(duration / timedelta(milliseconds=1))
    text = ""
    for unit, factor in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000)):
        count, left = divmod(left, factor)
        text += f"{count}{unit}" if count else ""
    return text + (f"{left / 1000:g}s" if left or not text else "")


def human_size(size_bytes: float) -> str:
    """Rounded for people: `1.2 GB`."""
    for unit in ("TB", "GB", "MB", "kB"):
        much = size_bytes / SIZE_UNITS[unit]
        if much >= 1:
            # Three digits, and none of those before the point left out.
            return f"{much:,.0f} {unit}" if much >= 100 else f"{much:.3g} {unit}"
    return f"{round(size_bytes)} B"


def human_seconds(seconds: float) -> str:
    """Rounded for people: `0.4 s`, `75 s`, `3 h 20 m`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} m" if minutes < 120 else f"{minutes // 60} h {minutes % 60} m"


def _schema(pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": list(examples)})


Size = Annotated[
    int,
    BeforeValidator(parse_size),
    PlainSerializer(format_size, return_type=str),
    _schema(SIZE_PATTERN, "10 MiB", "5 GB"),
]
Rate = Annotated[
    int,
    BeforeValidator(parse_rate),
    PlainSerializer(lambda rate: f"{format_size(rate)}/s", return_type=str),
    _schema(RATE_PATTERN, "5 MB/s"),
]
Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    _schema(DURATION_PATTERN, "90s", "30m", "1h30m"),
]
