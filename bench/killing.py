"""Kills a random part of the service every few seconds, the same ones for the same seed."""

import random
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.crew import DLTEST, Crew

# How often each is the victim.
WEIGHTS = {"worker": 12, "beat": 3, "redis": 2, "redis-emptied": 2, "postgresql": 2}


@dataclass(frozen=True, slots=True)
class Order:
    """What to play. `pause` are the shortest and the longest seconds between two kills.

    After `kills` of them, if given, there is peace. A file's bytes take `file_seconds` on the
    simulated lake. `keep` is a folder for logs to stay.
    """

    runs: int
    seed: int
    pause: tuple[float, float] = (2.0, 8.0)
    down_seconds: float = 3.0
    workers: int = 3
    limit_seconds: float = 3600.0
    kills: int | None = None
    file_seconds: float = 0.05
    keep: Path | None = None
    program: tuple[str, ...] = DLTEST


@dataclass
class Story:
    """What happened, in seconds since the beginning: kills, and how many runs had ended."""

    seconds: float = 0.0
    kills: list[tuple[float, str]] = field(default_factory=list)
    ended: list[tuple[float, int]] = field(default_factory=list)


class Killer:
    """Kills a random part with SIGKILL (PostgreSQL: immediate shutdown) every few seconds."""

    def __init__(self, crew: Crew, order: Order, story: Story) -> None:
        self._crew = crew
        self._order = order
        self._story = story
        self._random = random.Random(order.seed)  # noqa: S311 - to be played again
        self._began = time.monotonic()
        self._next = self._began + self._random.uniform(*order.pause)

    def perhaps_kill(self) -> None:
        enough = self._order.kills is not None and len(self._story.kills) >= self._order.kills
        if enough or time.monotonic() < self._next:
            return
        what = self._random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        number = self._random.randint(1, self._order.workers)
        name = f"worker-{number}" if what == "worker" else what
        part = self._crew.parts["redis" if what == "redis-emptied" else name]
        part.kill(self._random.uniform(0, self._order.down_seconds))
        if what == "redis-emptied":
            self._crew.lose_redis_data()
        at = time.monotonic() - self._began
        print(f"chaos: {at:.1f} s, killed {name}", file=sys.stderr)
        self._story.kills.append((at, name))
        self._next = time.monotonic() + self._random.uniform(*self._order.pause)
