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

POSTGRESQL_BIN = Path("/usr/lib/postgresql/15/bin")
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
        started.append((_postgresql(folder), signal.SIGINT))
        port = _free_port()
        started.append((_redis(folder, port), signal.SIGTERM))
        database = f"postgresql://dltest@/postgres?host={folder / 'postgresql'}"
        yield Servers(database, f"redis://127.0.0.1:{port}/0", folder)
    finally:
        for process, how in reversed(started):
            process.send_signal(how)
            process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def _postgresql(folder: Path) -> subprocess.Popen[bytes]:
    home = folder / "postgresql"
    home.mkdir()
    if os.geteuid() == 0:
        shutil.chown(home, "nobody", "nogroup")
    made = [POSTGRESQL_BIN / "initdb", "-D", home / "data", "-U", "dltest", "-A", "trust"]
    subprocess.run(
        _unprivileged([*map(str, made), "--locale=C.UTF-8", "-E", "UTF8"]),
        check=True,
        cwd="/",
        stdout=subprocess.DEVNULL,
    )
    server = [POSTGRESQL_BIN / "postgres", "-D", home / "data", "-k", home]
    options = ["--listen_addresses=", "--max_connections=200"]
    with (folder / "postgresql.log").open("wb") as log:
        process = subprocess.Popen(
            _unprivileged([*map(str, server), *options]), cwd="/", stdout=log, stderr=log
        )
    ready = ["pg_isready", "-q", "-h", str(home), "-U", "dltest"]
    await_(lambda: subprocess.run(ready, check=False).returncode == 0, "PostgreSQL is up")
    return process


def _unprivileged(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *command]


def _redis(folder: Path, port: int) -> subprocess.Popen[bytes]:
    options = ["--bind", "127.0.0.1", "--dir", str(folder), "--appendonly", "yes", "--save", ""]
    process = subprocess.Popen(
        ["redis-server", "--port", str(port), *options], stdout=subprocess.DEVNULL
    )
    ping = ["redis-cli", "-p", str(port), "ping"]

    def answers() -> bool:
        return subprocess.run(ping, capture_output=True, check=False).stdout == b"PONG\n"

    await_(answers, "Redis is up")
    return process


def _free_port() -> int:
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
