"""All figures of the engine, on servers of the bench's own."""

from collections.abc import Iterator
from pathlib import Path

from bench.engine import growth, pace, ticking, waiting
from bench.figure import Figure
from bench.servers import running_servers
from dltest.store import Store


def measure(_lab: Path | None, samples: int) -> Iterator[Figure]:
    """Each as soon as it is known. No lab is needed: the lake is instant."""
    with running_servers() as servers, Store.open(servers.database) as store:
        store.migrate()
        yield from pace.measure(servers, store, samples)
        yield from waiting.measure(servers, store, samples)
        yield from ticking.measure(servers.folder, store, samples)
        yield from growth.measure(store)
