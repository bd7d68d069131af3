"""Payloads that can be made again anywhere from (seed, index): no file need be kept to check one.

The bytes are the keystream of AES-128 in counter mode, keyed by SHA-256 of seed and index, so any
byte follows from its offset alone. Incompressible, so no link or tape looks faster than it is.
"""

import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

# Larger pieces cost cache misses, smaller ones calls: about 1 GB/s into memory on one core.
PIECE_BYTES = 1 << 20
# That none of so many payloads begins with 0 happens to one file in 10^14.
TRIES = 500
_BLOCK_BYTES = 16
_ZEROS = bytes(PIECE_BYTES)
_ADLER_START = 1

Content = bytes | bytearray | memoryview


def chunks(seed: str, index: int, size: int, offset: int = 0) -> Iterator[memoryview]:
    """The payload of `size` bytes from `offset` to its end, in pieces of up to 1 MiB.

    Each piece is valid until the next one is asked for: they share one buffer.
    """
    keystream = _keystream(seed, index, offset)
    buffer = memoryview(bytearray(min(PIECE_BYTES, max(size - offset, 0))))
    for start in range(offset, size, PIECE_BYTES):
        piece = buffer[: min(PIECE_BYTES, size - start)]
        keystream(piece)
        yield piece


def write_payload(
    target: int, seed: str, index: int, size: int, *, made: Callable[[int], None] | None = None
) -> str:
    """Write the payload to a file descriptor, from where it stands; its Adler-32.

    `made` is called with the number of bytes written so far, after each piece.
    """
    adler, written = _ADLER_START, 0
    for piece in chunks(seed, index, size):
        adler = zlib.adler32(piece, adler)
        _write_all(target, piece)
        written += len(piece)
        if made is not None:
            made(written)
    return adler32_text(adler)


def adler32_of(seed: str, index: int, size: int) -> str:
    """The Adler-32 of the whole payload, without writing it anywhere."""
    adler = _ADLER_START
    for piece in chunks(seed, index, size):
        adler = zlib.adler32(piece, adler)
    return adler32_text(adler)


@lru_cache(maxsize=4096)
def leading_zero(seed: str, index: int, size: int) -> int:
    """The number of a payload whose Adler-32 begins with 0, another one for each `index`.

    One payload in sixteen has such a sum; very small ones all do. Up to `TRIES` are made.
    """
    for candidate in range(index * TRIES, (index + 1) * TRIES):
        if adler32_of(seed, candidate, size).startswith("0"):
            return candidate
    return index * TRIES


def adler32_text(value: int) -> str:
    """Eight hex digits with leading zeros, as Rucio and FTS compare them."""
    return f"{value:08x}"


def first_difference(seed: str, index: int, size: int, content: Iterable[Content]) -> int | None:
    """Offset of the first byte of `content` that is not the payload's; None when all are right.

    Content that ends early or goes on too long differs at the shorter one's end. Reads no
    further than the first difference.
    """
    comparison = Comparison(seed, index, size)
    for piece in content:
        comparison.feed(piece)
        if comparison.differs_at is not None:
            break
    return comparison.finish()


class Comparison:
    """A payload compared with content that comes in pieces of any size.

    Goes on past the first difference, so that `adler32` is that of all the content.
    """

    def __init__(self, seed: str, index: int, size: int) -> None:
        self._keystream = _keystream(seed, index, 0)
        self._size = size
        self._adler = _ADLER_START
        self.received = 0
        self.differs_at: int | None = None

    @property
    def adler32(self) -> str:
        return adler32_text(self._adler)

    def feed(self, content: Content) -> None:
        view = memoryview(content).cast("B")
        for start in range(0, len(view), PIECE_BYTES):
            self._feed_piece(view[start : start + PIECE_BYTES])

    def finish(self) -> int | None:
        """Where content and payload part; a shorter content parts at its end."""
        if self.differs_at is None and self.received < self._size:
            return self.received
        return self.differs_at

    def _feed_piece(self, piece: memoryview) -> None:
        self._adler = zlib.adler32(piece, self._adler)
        if self.differs_at is None:
            self.differs_at = self._compare(piece)
        self.received += len(piece)

    def _compare(self, piece: memoryview) -> int | None:
        known = min(len(piece), self._size - self.received)
        wanted = bytearray(known)
        self._keystream(memoryview(wanted))
        # Only bytes are compared as one block of memory; views are compared item by item.
        given = bytes(piece[:known])
        if given != bytes(wanted):
            return self.received + _first_unequal(given, bytes(wanted))
        return self._size if known < len(piece) else None


def _first_unequal(left: bytes, right: bytes) -> int:
    """Bisection, since comparing slices is quick and a loop over bytes is not."""
    low, high = 0, len(left)
    while high - low > 1:
        middle = (low + high) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle
    return low


def _keystream(seed: str, index: int, offset: int) -> Callable[[memoryview], None]:
    """Fills views with the bytes from `offset` on, each call where the last one ended."""
    key = sha256(f"{seed}\0{index}".encode()).digest()[:_BLOCK_BYTES]
    block, inside = divmod(offset, _BLOCK_BYTES)
    counter = block.to_bytes(_BLOCK_BYTES, "big")
    encryptor = Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor()
    encryptor.update(_ZEROS[:inside])

    def fill(view: memoryview) -> None:
        encryptor.update_into(memoryview(_ZEROS)[: len(view)], view)

    return fill


def _write_all(target: int, piece: memoryview) -> None:
    while piece:
        piece = piece[os.write(target, piece) :]
