"""A real instance of the transfer service, and real storage elements to copy between."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from transfer_rig import (
    HTTP_THIRD_PARTY,
    SERVER_CONFIGURATION,
    Service,
    Storage,
    free_port,
    give_to_server,
)

from dltest.lab.authority import Authority


@pytest.fixture(scope="session")
def workplace() -> Iterator[Path]:
    """A folder that also the unprivileged user of the storage servers can enter."""
    folder = Path(tempfile.mkdtemp(prefix="dltest-transfers-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def authority(workplace: Path) -> Authority:
    authority = Authority(workplace / "ca")
    authority.ensure()
    return authority


@pytest.fixture(scope="session")
def new_service(workplace: Path, authority: Authority) -> Iterator[Callable[..., Service]]:
    """Starts instances of its own for a test; all are stopped in the end."""
    started: list[Service] = []

    def make(**settings: Any) -> Service:
        folder = Path(tempfile.mkdtemp(prefix="service-", dir=workplace))
        given = {
            "host": "127.0.0.1",
            "port": free_port(),
            "state_dir": str(folder / "state"),
            "log_file": str(folder / "log"),
            "ca_file": str(authority.certificate),
            "ca_dir": str(authority.folder),
            "staging_poll_seconds": 0.1,
        }
        service = Service(folder, {**given, **settings})
        started.append(service)
        service.start()
        return service

    yield make
    for service in started:
        service.stop()


@pytest.fixture(scope="session")
def service(new_service: Callable[..., Service]) -> Service:
    """The instance that tests share; each submits jobs of its own."""
    return new_service()


@pytest.fixture(scope="session")
def new_storage(workplace: Path, authority: Authority) -> Iterator[Callable[..., Storage]]:
    started: list[Storage] = []

    def make(name: str, *more: str, third_party: bool = True) -> Storage:
        home = workplace / name
        for folder in ("admin", "run", "data"):
            (home / folder).mkdir(parents=True)
        (home / "authdb").write_text("h localhost / a\n")
        shutil.copy(authority.host_certificate, home / "host.pem")
        shutil.copy(authority.host_key, home / "host.key")
        port = free_port()
        (home / "xrootd.cfg").write_text(
            SERVER_CONFIGURATION.format(
                port=port, name=name, home=home, certificates=authority.folder
            )
            + "\n".join((*more, *([HTTP_THIRD_PARTY] if third_party else ()), ""))
        )
        give_to_server(home)
        trust = {
            "X509_CERT_DIR": str(authority.folder),
            "SSL_CERT_FILE": str(authority.certificate),
            "XRD_CONNECTIONWINDOW": "10",
            "XRD_CONNECTIONRETRY": "1",
        }
        storage = Storage(home, port, {**os.environ, **trust})
        started.append(storage)
        storage.start()
        return storage

    yield make
    for storage in started:
        if storage.process and storage.process.poll() is None:
            storage.kill()


@pytest.fixture(scope="session")
def here(new_storage: Callable[..., Storage]) -> Storage:
    return new_storage("here")


@pytest.fixture(scope="session")
def there(new_storage: Callable[..., Storage]) -> Storage:
    return new_storage("there")


@pytest.fixture(scope="session")
def slow(new_storage: Callable[..., Storage]) -> Storage:
    """Gives its bytes at 1 MB/s."""
    return new_storage("slow", "xrootd.fslib throttle default", "throttle.throttle data 1m")
