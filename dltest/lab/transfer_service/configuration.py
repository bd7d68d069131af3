"""What the service is told at its start: one JSON file, read once."""

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from dltest.errors import SettingsError

_PATHS = ("state_dir", "log_file", "ca_file", "ca_dir", "certificate", "key")


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """All times in seconds."""

    host: str
    port: int
    state_dir: Path
    log_file: Path
    ca_file: Path | None = None
    ca_dir: Path | None = None
    vo: str = "dltest"
    user_dn: str = "/CN=dltest lab"
    workers: int = 4
    per_link: int = 4
    scheduling_seconds: float = 0.2
    retry_delay: float = 120.0  # used when a job asks for retries and names no delay, as FTS does
    operation_seconds: float = 50.0  # gfal2's own limit is 60 s, reported as a wrong errno
    stall_seconds: float = 60.0
    timeout_margin_seconds: float = 60.0  # what url-copy allows beyond the limit gfal2 is given
    cancel_grace_seconds: float = 1.5
    seconds_per_mb: float = 2.0
    staging_poll_seconds: float = 0.5
    staging_poll_max_seconds: float = 30.0
    metadata_size_limit: int = 4096
    keep_seconds: float = 7 * 86400.0  # how long finished jobs can be asked for, as in FTS
    verify_checksums: bool = True  # False: as a broken service that says so and does not
    # A second door with TLS, for clients that show a token: at a port, with certificate and key.
    tls_port: int | None = None
    certificate: Path | None = None
    key: Path | None = None
    issuer: str | None = None  # of all tokens, its name as they spell it
    audiences: tuple[str, ...] = ("localhost",)  # of tokens for this service
    client_id: str = "fts"
    client_secret: str = field(default="", repr=False)
    renew_before_seconds: float = 60.0  # a token that ends sooner is renewed before its copy begins
    tpc_fallback: bool = True  # try a push where the pull fails; never streams through this host

    @classmethod
    def load(cls, file: Path) -> Self:
        """Raises `SettingsError` for a file that cannot be read or has a wrong key."""
        try:
            given: dict[str, Any] = json.loads(file.read_text())
            return cls.of(given)
        except (OSError, ValueError, TypeError) as error:
            message = f"the transfer service cannot use its configuration {file}: {error}"
            raise SettingsError(message) from error

    @classmethod
    def of(cls, given: dict[str, Any]) -> Self:
        known = {one.name for one in fields(cls)}
        if unknown := sorted(given.keys() - known):
            message = f"unknown keys {', '.join(unknown)}; known are {', '.join(sorted(known))}"
            raise ValueError(message)
        paths = {name for name in _PATHS if given.get(name)}
        values: dict[str, Any] = {k: Path(v) if k in paths else v for k, v in given.items()}
        return cls(**values)


def client_environment(config: ServiceConfig) -> dict[str, str]:
    """What gfal2 needs to trust the lab's CA quickly and to give up on dead servers.

    Without SSL_CERT_FILE every TLS context loads the system's whole bundle (nine times slower);
    without XRD_* a dead port is tried again for eight minutes.
    """
    given = {
        "XRD_CONNECTIONWINDOW": "10",
        "XRD_CONNECTIONRETRY": "1",
        "XRD_REQUESTTIMEOUT": "45",
        "XRD_STREAMTIMEOUT": "30",
        "XRD_TIMEOUTRESOLUTION": "1",
    }
    if config.ca_file:
        given["SSL_CERT_FILE"] = str(config.ca_file)
    if config.ca_dir:
        given["SSL_CERT_DIR"] = given["X509_CERT_DIR"] = str(config.ca_dir)
    return given
