"""Real servers of the component tests' own, below a private folder, gone afterwards."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dltest.store import Store

POSTGRESQL_BIN = Path("/usr/lib/postgresql/15/bin")
START_SECONDS = 30


def _unprivileged(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *command]


def _await(ready: Callable[[], bool], what: str) -> None:
    limit = time.monotonic() + START_SECONDS
    while not ready():
        if time.monotonic() > limit:
            pytest.fail(f"{what} did not start in {START_SECONDS} s")
        time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes], how: int) -> None:
    process.send_signal(how)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(20)


@pytest.fixture(scope="session")
def servers_dir() -> Iterator[Path]:
    # Not pytest's own: the path of a socket may have 107 characters, and `nobody` must enter.
    folder = Path(tempfile.mkdtemp(prefix="dltest-servers-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgresql(servers_dir: Path) -> Iterator[Callable[[str], subprocess.CompletedProcess[str]]]:
    """A server on a socket of its own; the fixture's value runs one SQL statement as superuser."""
    data = servers_dir / "postgresql"
    data.mkdir()
    if os.geteuid() == 0:
        shutil.chown(data, "nobody", "nogroup")
    initdb = [POSTGRESQL_BIN / "initdb", "-D", data / "data", "-U", "dltest", "-A", "trust", "-N"]
    subprocess.run(
        _unprivileged([*map(str, initdb), "--locale=C.UTF-8", "-E", "UTF8"]),
        check=True,
        cwd="/",
        stdout=subprocess.DEVNULL,
    )
    server = [POSTGRESQL_BIN / "postgres", "-D", data / "data", "-k", data]
    options = ["listen_addresses=", "fsync=off", "max_connections=200", "logging_collector=off"]
    with (data.parent / "postgresql.log").open("wb") as log:
        process = subprocess.Popen(
            _unprivileged([*map(str, server), *(f"--{option}" for option in options)]),
            cwd="/",
            stdout=log,
            stderr=log,
        )

    def psql(statement: str) -> subprocess.CompletedProcess[str]:
        command = ["psql", "-h", str(data), "-U", "dltest", "-d", "postgres", "-Atc", statement]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    try:
        _await(lambda: psql("SELECT 1").returncode == 0, "PostgreSQL")
        yield psql
    finally:
        _stop(process, signal.SIGINT)


Psql = Callable[[str], subprocess.CompletedProcess[str]]


def _new_database(psql: Psql, servers_dir: Path, template: str = "template0") -> str:
    name = f"test_{uuid.uuid4().hex}"
    made = psql(f"CREATE DATABASE {name} TEMPLATE {template}")
    assert made.returncode == 0, made.stderr
    return f"postgresql://dltest@/{name}?host={servers_dir / 'postgresql'}"


@pytest.fixture(scope="session")
def migrated(postgresql: Psql, servers_dir: Path) -> str:
    """Name of a migrated database to copy, which is quicker than to migrate again."""
    url = _new_database(postgresql, servers_dir)
    with Store.open(url) as opened:
        opened.migrate()
    return url.partition("?")[0].rpartition("/")[2]


@pytest.fixture
def postgresql_url(postgresql: Psql, servers_dir: Path) -> str:
    """An empty database."""
    return _new_database(postgresql, servers_dir)


@pytest.fixture
def migrated_postgresql_url(postgresql: Psql, servers_dir: Path, migrated: str) -> str:
    return _new_database(postgresql, servers_dir, migrated)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'state' / 'dltest.sqlite3'}"


@pytest.fixture
def migrated_sqlite_url(sqlite_url: str) -> str:
    with Store.open(sqlite_url) as opened:
        opened.migrate()
    return sqlite_url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """An empty database of either kind."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of either kind."""
    return str(request.getfixturevalue(f"migrated_{request.param}_url"))


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A migrated store of either kind."""
    with Store.open(database_url) as opened:
        yield opened


@pytest.fixture
def postgresql_store(migrated_postgresql_url: str) -> Iterator[Store]:
    with Store.open(migrated_postgresql_url) as opened:
        yield opened


@pytest.fixture(scope="session")
def redis_url(servers_dir: Path) -> Iterator[str]:
    """A Redis on loopback; tests share it and use databases of their own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(servers_dir)]
    process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)

    def answers() -> bool:
        ping = ["redis-cli", "-p", str(port), "ping"]
        return subprocess.run(ping, capture_output=True, check=False).stdout == b"PONG\n"

    try:
        _await(answers, "Redis")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        _stop(process, signal.SIGTERM)
