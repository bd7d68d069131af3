"""Sizes, rates and durations as people write them."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from dltest.units import (
    format_duration,
    format_size,
    human_seconds,
    human_size,
    parse_duration,
    parse_rate,
    parse_size,
)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0 B", 0),
        ("1 kB", 1000),
        ("1 KiB", 1024),
        ("10 MiB", 10 * 2**20),
        ("1.5 GB", 1_500_000_000),
        ("0.000001 MB", 1),
        ("9223372036854775807 B", 2**63 - 1),
        ("8388607 TiB", 8_388_607 * 2**40),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("90s", timedelta(seconds=90)),
        ("1h30m", timedelta(minutes=90)),
        ("2d", timedelta(days=2)),
        ("1.5h", timedelta(minutes=90)),
        ("0.001s", timedelta(milliseconds=1)),
        ("3650d", timedelta(days=3650)),
    ],
)
def test_durations(text: str, time: timedelta) -> None:
    assert parse_duration(text) == time


def test_rates() -> None:
    assert parse_rate("5 MB/s") == 5_000_000


BAD = [
    (parse_size, 10),
    (parse_size, "10"),
    (parse_size, "10 mb"),
    (parse_size, "-1 B"),
    (parse_size, "1 MiB\n"),
    (parse_size, "\u0661 B"),
    (parse_size, "8388608 TiB"),
    (parse_size, True),
    (parse_rate, "5 MB"),
    (parse_rate, "5 MB/h"),
    (parse_duration, 90),
    (parse_duration, "90"),
    (parse_duration, ""),
    (parse_duration, "1 h"),
    (parse_duration, "90s\n"),
    (parse_duration, "3651d"),
    (parse_duration, "999999999d" * 9),
    (parse_duration, None),
]


@pytest.mark.parametrize(("read", "value"), BAD)
def test_what_is_none_is_refused_with_a_sentence(
    read: Callable[[object], object], value: object
) -> None:
    with pytest.raises(ValueError, match=r"like|write|is more than"):
        read(value)


def test_they_are_printed_as_they_are_read() -> None:
    assert format_size(10 * 2**20) == "10 MiB"
    assert format_size(5_000_000_000) == "5 GB"
    assert format_size(1023) == "1023 B"
    assert format_size(0) == "0 B"
    assert format_duration(timedelta(hours=1, minutes=30)) == "1h30m"
    assert format_duration(timedelta(seconds=1.25)) == "1.25s"
    assert format_duration(timedelta()) == "0s"


def test_people_get_them_rounded() -> None:
    assert human_size(1_234_567_890) == "1.23 GB"
    assert human_size(12) == "12 B"
    assert human_size(999_600_000) == "1,000 MB"
    assert human_size(1_234_000_000_000_000) == "1,234 TB"
    assert human_seconds(0.44) == "0.4 s"
    assert human_seconds(75) == "75 s"
    assert human_seconds(12_000) == "3 h 20 m"
