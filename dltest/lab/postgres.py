"""The lab's own PostgreSQL cluster, which holds Rucio's catalogue and dltest's store."""

from pathlib import Path

from dltest.errors import LabError
from dltest.lab.description import Lab

# A crash of the machine may lose the last half second, never consistency.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # No socket file: the lab may lie deeper than a socket's path can be long.
    "unix_socket_directories": "",
    "synchronous_commit": "off",
    "shared_buffers": "64MB",
    "max_connections": "250",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    "autovacuum_naptime": "20s",
}


def find_programs() -> Path:
    """The folder of the newest PostgreSQL server programs of the distribution."""
    homes = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4])
    )
    if not homes:
        raise LabError("PostgreSQL is not installed; run `make setup`, or apt install postgresql")
    return homes[-1].parent


def create_command(lab: Lab) -> tuple[str, ...]:
    """Makes the cluster's files; the loopback is trusted, since only it can connect."""
    return (
        str(find_programs() / "initdb"),
        *("-D", str(lab.layout.database), "-U", "rucio", "-A", "trust"),
        *("-E", "UTF8", "--no-locale", "--no-sync"),
    )


def command(lab: Lab) -> tuple[str, ...]:
    settings = SETTINGS | {"port": str(lab.ports["postgres"])}
    options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
    return (str(find_programs() / "postgres"), "-D", str(lab.layout.database), *options)


def database_url(lab: Lab, name: str) -> str:
    """SQLAlchemy's URL of one of the databases; each has a user of its own name."""
    return f"postgresql+psycopg://{name}@127.0.0.1:{lab.ports['postgres']}/{name}"
