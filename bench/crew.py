"""dltest's service as real processes below one folder, each of which may be killed at any time."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.servers import (
    await_servers,
    database_url,
    free_port,
    postgresql_command,
    redis_command,
)

DLTEST = (sys.executable, "-m", "dltest.cli.main")
START_SECONDS = 30
# Whoever ends by itself, as a worker without its database does, is started again no sooner.
REST_SECONDS = 0.5


@dataclass
class Part:
    """One process: how it is started, and how it is killed."""

    name: str
    command: list[str]
    log: Path
    environment: Mapping[str, str]
    kill_signal: int = signal.SIGKILL
    process: subprocess.Popen[bytes] | None = None
    starts_at: float = 0.0

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env=dict(self.environment), cwd="/",
            )  # fmt: skip

    def kill(self, down_seconds: float) -> None:
        """End it at once; it may start again after so long."""
        if self.process is not None:
            self.process.send_signal(self.kill_signal)
            self.process.wait(START_SECONDS)
        self.starts_at = time.monotonic() + down_seconds

    def tend(self) -> None:
        """Start it when it is dead and its time has come."""
        if self.process is not None and self.process.poll() is None:
            return
        if time.monotonic() >= self.starts_at:
            self.starts_at = time.monotonic() + REST_SECONDS
            self.start()


@dataclass
class Crew:
    """PostgreSQL, Redis, workers and beat of one lake.

    `settings` are DLTEST_* variables, `program` is what stands for the command `dltest`.
    """

    folder: Path
    lake_file: Path
    settings: Mapping[str, str]
    workers: int = 3
    program: tuple[str, ...] = DLTEST
    parts: dict[str, Part] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._port = free_port()
        self.database = database_url(self.folder)
        self.broker = f"redis://127.0.0.1:{self._port}/0"
        plain = {key: value for key, value in os.environ.items() if not key.startswith("DLTEST_")}
        self.environment = {
            **plain,
            "DLTEST_LAKE": str(self.lake_file),
            "DLTEST_DATABASE": self.database,
            "DLTEST_BROKER": self.broker,
            "DLTEST_STATE_DIR": str(self.folder / "state"),
            **self.settings,
        }

    def start(self) -> None:
        """Start the servers, and once they answer, everybody else."""
        # Only the machine's own crash could tell fsync; it is the processes that die here.
        self._add("postgresql", postgresql_command(self.folder, "--fsync=off"), signal.SIGQUIT)
        self._add("redis", redis_command(self.folder, self._port))
        await_servers(self.folder, self._port)
        for number in range(1, self.workers + 1):
            self._add(f"worker-{number}", [*self.program, "worker"])
        self._add("beat", [*self.program, "beat"])

    def tend(self) -> None:
        for part in self.parts.values():
            part.tend()

    def lose_redis_data(self) -> None:
        """To be called while Redis is dead."""
        shutil.rmtree(self.folder / "redis")
        (self.folder / "redis").mkdir()

    def dltest(self, *words: str) -> None:
        """Run one of dltest's commands to its end, whatever that is."""
        command = [*self.program, *words]
        subprocess.run(command, env=dict(self.environment), stdout=sys.stderr, check=False)

    def end(self) -> None:
        """Leave no process."""
        for part in reversed(self.parts.values()):
            if part.process is not None and part.process.poll() is None:
                part.process.send_signal(part.kill_signal)
                part.process.wait(START_SECONDS)

    def _add(self, name: str, command: list[str], kill_signal: int = signal.SIGKILL) -> None:
        log = self.folder / f"{name}.log"
        part = Part(name, command, log, self.environment, kill_signal)
        self.parts[name] = part
        part.start()


@contextmanager
def running(crew: Crew) -> Iterator[Crew]:
    """The crew at work, and gone afterwards."""
    try:
        crew.start()
        yield crew
    finally:
        crew.end()
