"""Free ports, chosen once and kept for the lab's life."""

import socket
from collections.abc import Iterable, Iterator, Mapping
from zlib import crc32

# Below the kernel's range for outgoing connections (32768-60999), so that no client
# connection can take a port of ours while its server is being restarted.
FIRST, LAST = 20_000, 31_999


def is_free(port: int) -> bool:
    """Whether a server could listen there now, on all addresses."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 - XRootD listens on all addresses
            probe.listen(1)
        except OSError:
            return False
    return True


def assign(names: Iterable[str], before: Mapping[str, int], seed: str) -> dict[str, int]:
    """A free port for every name: the one it had before if that is free, else another.

    The seed spreads labs over the range, so that two that start at once do not collide.
    """
    kept = {name: before[name] for name in names if name in before and is_free(before[name])}
    fresh = _candidates(seed, taken=set(before.values()))
    return {name: kept[name] if name in kept else next(fresh) for name in names}


def _candidates(seed: str, taken: set[int]) -> Iterator[int]:
    size = LAST - FIRST + 1
    start = crc32(seed.encode()) % size
    for offset in range(size):
        port = FIRST + (start + offset) % size
        if port not in taken and is_free(port):
            yield port
