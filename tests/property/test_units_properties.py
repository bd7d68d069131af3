"""What is printed is what is read."""

from contextlib import suppress
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from dltest.units import format_duration, format_size, parse_duration, parse_size

UNITS = ["B", "kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"]


@given(st.integers(0, 2**63 - 1))
def test_every_size_survives_printing(size: int) -> None:
    assert parse_size(format_size(size)) == size


@given(st.integers(0, 9999), st.sampled_from(UNITS))
def test_every_written_size_survives_reading_and_printing(number: int, unit: str) -> None:
    size = parse_size(f"{number} {unit}")
    assert parse_size(format_size(size)) == size


@given(st.integers(0, 3650 * 86_400_000))
def test_every_duration_survives_printing(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(duration)) == duration


@given(st.text(max_size=30) | st.from_regex(r"[0-9.dhms]{1,60}", fullmatch=True))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (parse_size, parse_duration):
        with suppress(ValueError):
            assert read(text) is not None
