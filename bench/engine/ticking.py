"""One tick over ten thousand schedules: the first, which reads their files, and all that follow."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench.figure import Figure
from dltest.scheduling import Folder, keep_schedules
from dltest.store import Store

SCHEDULES = 10_000
LAKE = "ticking"

# A day apart, so that a handful is due while the bench looks.
SCENARIO = """\
dltest: 1
name: scheduled-{number}
title: One of many
owner: bench
schedule: {{every: 1d, jitter: 10h}}
targets: {{target: {{rses: A}}}}
steps: [upload: {{to: target}}, verify: {{at: target}}]
"""


def measure(folder: Path, store: Store, samples: int) -> Iterator[Figure]:
    """Seconds that a tick takes to see that hardly anything is due."""
    scenarios = folder / "ten-thousand"
    scenarios.mkdir()
    for number in range(SCHEDULES):
        text = SCENARIO.format(number=number)
        (scenarios / f"{number}.yaml").write_text(text, encoding="utf-8")
    read = Folder(scenarios)
    first = _tick(store, read)
    yield Figure(*("engine-first-tick-of-10000", round(first, 3), "s", None, None, None), [])
    took = sorted(_tick(store, read) for _ in range(samples))
    yield Figure(
        *("engine-tick-of-10000", round(took[len(took) // 2], 3), "s", None, None, None),
        [{"value": round(one, 3)} for one in took],
    )


def _tick(store: Store, folder: Folder) -> float:
    began = time.perf_counter()
    keep_schedules(store, LAKE, folder.read(), datetime.now(UTC))
    return time.perf_counter() - began
