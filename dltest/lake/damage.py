"""What a damaged file holds: its payload altered in one way, to be made again anywhere.

As the payload itself, it follows from (seed, index, size), so whoever damaged a file can be
asked later, by anybody, whether what lies there is what was meant.
"""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from dltest.lake.payload import Content, adler32_text, chunks

BLOCK_BYTES = 4096
APPENDED_BYTES = 1024


class Damage(StrEnum):
    """Ways in which files go wrong in the field.

    SWAP_TWO_FILES: the content is the whole payload of another file, whose number is given.
    """

    FLIP_ONE_BIT = "flip-one-bit"
    FLIP_IN_MIDDLE_BLOCK = "flip-in-middle-block"
    TRUNCATE = "truncate"
    ZERO_LENGTH = "zero-length"
    APPEND = "append"
    SWAP_TWO_FILES = "swap-two-files"
    REMOVE = "remove"
    SAME_SIZE_GARBAGE = "same-size-garbage"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells contents apart; `adler32` is eight hex digits."""

    size_bytes: int
    adler32: str


def damaged(seed: str, index: int, size: int, damage: Damage) -> Iterator[Content]:
    """The content, in pieces that are each valid until the next is asked for."""
    match damage:
        case Damage.FLIP_ONE_BIT | Damage.FLIP_IN_MIDDLE_BLOCK:
            return _flipped(seed, index, size, damage)
        case Damage.SAME_SIZE_GARBAGE:
            return chunks(f"{seed}\0garbage", index, size)
        case _:
            return chunks(seed, index, _size(size, damage))


def fingerprint(content: Iterable[Content]) -> Fingerprint:
    adler, size = 1, 0
    for piece in content:
        adler = zlib.adler32(piece, adler)
        size += len(piece)
    return Fingerprint(size, adler32_text(adler))


def _size(size: int, damage: Damage) -> int:
    match damage:
        case Damage.TRUNCATE:
            return size // 2
        case Damage.APPEND:
            return size + APPENDED_BYTES
        case Damage.ZERO_LENGTH | Damage.REMOVE:
            return 0
        case _:
            return size


def _flipped(seed: str, index: int, size: int, damage: Damage) -> Iterator[Content]:
    """One bit anywhere, or all bits of a block in the middle."""
    where, mask = _block_in(size), 0xFF
    if damage is Damage.FLIP_ONE_BIT:
        where, mask = _byte_in(seed, index, size), 1
    offset = 0
    for piece in chunks(seed, index, size):
        for at in range(max(where.start, offset), min(where.stop, offset + len(piece))):
            piece[at - offset] ^= mask
        offset += len(piece)
        yield piece


def _block_in(size: int) -> range:
    begin = size // 2 // BLOCK_BYTES * BLOCK_BYTES
    return range(begin, begin + BLOCK_BYTES)


def _byte_in(seed: str, index: int, size: int) -> range:
    """Another one for each file; the same each time."""
    number = int.from_bytes(sha256(f"{seed}\0{index}\0bit".encode()).digest()[:8])
    at = number % max(size, 1)
    return range(at, at + 1)
