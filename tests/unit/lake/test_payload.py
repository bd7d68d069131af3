"""The payload is a pure function of seed, index and size; all readings of it agree."""

import os
import zlib
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dltest.lake.payload import (
    PIECE_BYTES,
    Comparison,
    adler32_of,
    adler32_text,
    chunks,
    first_difference,
    write_payload,
)

SIZES = st.integers(0, 5000) | st.sampled_from([PIECE_BYTES - 1, PIECE_BYTES, 2 * PIECE_BYTES + 7])
SEEDS = st.text(max_size=20)
INDEXES = st.integers(0, 10**6)


def whole(seed: str, index: int, size: int, offset: int = 0) -> bytes:
    return b"".join(bytes(piece) for piece in chunks(seed, index, size, offset))


def test_the_payload_is_the_same_for_ever() -> None:
    assert whole("seed", 3, 8).hex() == "e184f6a0ac24979e"


@given(SEEDS, INDEXES, SIZES, st.data())
def test_any_byte_follows_from_its_offset(
    seed: str, index: int, size: int, data: st.DataObject
) -> None:
    offset = data.draw(st.integers(0, size))
    assert whole(seed, index, size, offset) == whole(seed, index, size)[offset:]


@given(SEEDS, INDEXES, st.integers(0, 5000), st.integers(0, 5000))
def test_a_shorter_payload_begins_a_longer_one(seed: str, index: int, one: int, two: int) -> None:
    assert whole(seed, index, max(one, two)).startswith(whole(seed, index, min(one, two)))


@given(SEEDS, INDEXES, INDEXES)
def test_files_of_one_seed_differ(seed: str, one: int, two: int) -> None:
    assert (whole(seed, one, 64) == whole(seed, two, 64)) == (one == two)


@given(SEEDS, INDEXES, SIZES)
def test_adler32_is_that_of_zlib(seed: str, index: int, size: int) -> None:
    assert adler32_of(seed, index, size) == f"{zlib.adler32(whole(seed, index, size)):08x}"


@given(st.integers(0, 2**32 - 1))
def test_adler32_keeps_its_leading_zeros(value: int) -> None:
    assert len(adler32_text(value)) == 8
    assert int(adler32_text(value), 16) == value


def test_written_bytes_are_the_payload(tmp_path: Path) -> None:
    size = 2 * PIECE_BYTES + 7
    path = tmp_path / "file"
    progress: list[int] = []
    target = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        adler = write_payload(target, "seed", 0, size, made=progress.append)
    finally:
        os.close(target)
    assert path.read_bytes() == whole("seed", 0, size)
    assert adler == adler32_of("seed", 0, size)
    assert progress == [PIECE_BYTES, 2 * PIECE_BYTES, size]


def pieces_of(content: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(content), *(cut for cut in cuts if cut <= len(content))})
    return [content[start:end] for start, end in pairwise(edges)]


CUTS = st.lists(st.integers(0, 3000), max_size=5)


@given(SEEDS, INDEXES, st.integers(0, 3000), CUTS)
def test_the_payload_does_not_differ_from_itself(
    seed: str, index: int, size: int, cuts: list[int]
) -> None:
    content = pieces_of(whole(seed, index, size), cuts)
    assert first_difference(seed, index, size, content) is None


@given(SEEDS, INDEXES, st.integers(1, 3000), CUTS, st.data())
def test_the_first_changed_byte_is_found(
    seed: str, index: int, size: int, cuts: list[int], data: st.DataObject
) -> None:
    content = bytearray(whole(seed, index, size))
    wrong = data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=4, unique=True))
    for position in wrong:
        content[position] ^= 0x10
    found = first_difference(seed, index, size, pieces_of(bytes(content), cuts))
    assert found == min(wrong)


@given(SEEDS, INDEXES, st.integers(0, 3000), st.integers(0, 3000))
def test_a_wrong_length_differs_at_the_shorter_end(
    seed: str, index: int, size: int, length: int
) -> None:
    content = whole(seed, index, length)
    expected = None if length == size else min(length, size)
    assert first_difference(seed, index, size, [content]) == expected


def test_the_checksum_goes_on_past_the_first_difference() -> None:
    content = bytes(3 * PIECE_BYTES)
    comparison = Comparison("seed", 0, len(content))
    comparison.feed(content)
    assert comparison.finish() == 0
    assert comparison.received == len(content)
    assert comparison.adler32 == f"{zlib.adler32(content):08x}"


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17])
def test_small_sizes_have_that_size(size: int) -> None:
    assert len(whole("seed", 0, size)) == size
