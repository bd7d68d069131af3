"""PostgreSQL and Redis of a bench's own, below a private folder, gone afterwards."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

POSTGRESQL_BIN = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path("/usr/bin"))
START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Servers:
    """Where they are, and a folder to work in."""

    database: str
    broker: str
    folder: Path


@contextmanager
def running_servers() -> Iterator[Servers]:
    """As they come from the distribution: what is written is written."""
    # Not deep: the path of a socket may have 107 characters, and `nobody` must enter.
    folder = Path(tempfile.mkdtemp(prefix="dltest-bench-", dir="/var/tmp"))
    folder.chmod(0o755)
    started: list[tuple[subprocess.Popen[bytes], int]] = []
    try:
        port = free_port()
        commands = {
            "postgresql": (postgresql_command(folder), signal.SIGINT),
            "redis": (redis_command(folder, port), signal.SIGTERM),
        }
        for name, (command, ending) in commands.items():
            with (folder / f"{name}.log").open("wb") as log:
                process = subprocess.Popen(command, cwd="/", stdout=log, stderr=log)
            started.append((process, ending))
        await_servers(folder, port)
        yield Servers(database_url(folder), f"redis://127.0.0.1:{port}/0", folder)
    finally:
        for process, how in reversed(started):
            process.send_signal(how)
            process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def database_url(folder: Path) -> str:
    return f"postgresql://dltest@/postgres?host={folder / 'postgresql'}"


def postgresql_command(folder: Path, *options: str) -> list[str]:
    """Makes the files below the folder; gives what serves them."""
    home = folder / "postgresql"
    home.mkdir()
    if os.geteuid() == 0:
        shutil.chown(home, "nobody", "nogroup")
    make = [str(POSTGRESQL_BIN / "initdb"), "-D", str(home / "data"), "-U", "dltest"]
    make += ["-A", "trust", "-N", "--locale=C.UTF-8", "-E", "UTF8"]
    subprocess.run(_unprivileged(make), check=True, cwd="/", stdout=subprocess.DEVNULL)
    server = [str(POSTGRESQL_BIN / "postgres"), "-D", str(home / "data"), "-k", str(home)]
    return _unprivileged([*server, "--listen_addresses=", "--max_connections=200", *options])


def redis_command(folder: Path, port: int) -> list[str]:
    """Makes the folder of its data, `redis`; gives what serves it."""
    home = folder / "redis"
    home.mkdir()
    return [
        *("redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(home)),
        *("--save", "", "--appendonly", "yes", "--maxmemory-policy", "noeviction"),
    ]


def await_servers(folder: Path, port: int) -> None:
    """Return once both answer.

    Raises:
        TimeoutError: one does not.
    """
    database = ["-h", str(folder / "postgresql"), "-U", "dltest", "-d", "postgres"]
    await_(lambda: _is_well(["psql", *database, "-c", "SELECT 1"]), "PostgreSQL is up")
    await_(lambda: _is_well(["redis-cli", "-p", str(port), "ping"]), "Redis is up")


def _is_well(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _unprivileged(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *command]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def await_(condition: Callable[[], object], what: str, seconds: float = START_SECONDS) -> None:
    """Return as soon as it holds.

    Raises:
        TimeoutError: it does not in time.
    """
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(0.02)
