"""`dltest serve` as a process: up with or without its store, and down when told."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

PATIENCE_SECONDS = 40

LAKE = """
name: lab
rucio: {{url: "http://127.0.0.1:1", account: root, scope: test}}
database: "{database}"
broker: "redis://127.0.0.1:1/0"
"""


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[str], tuple[subprocess.Popen[bytes], str]]]:
    """Starts `dltest serve` over a database; gives the process and where it answers."""
    started: list[subprocess.Popen[bytes]] = []

    def start(database: str) -> tuple[subprocess.Popen[bytes], str]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        lake = tmp_path / "lake.yaml"
        lake.write_text(LAKE.format(database=database))
        command = [sys.executable, "-m", "dltest.cli.main", "serve"]
        options = ["--lake", str(lake), "--port", str(port)]
        started.append(subprocess.Popen([*command, *options], stderr=subprocess.DEVNULL))
        where = f"http://127.0.0.1:{port}"
        _await_health(where, started[-1])
        return started[-1], where

    yield start
    for process in started:
        process.kill()
        process.wait(10)


def _await_health(where: str, process: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < limit and process.poll() is None:
        try:
            if httpx2.get(f"{where}/health", timeout=5).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    pytest.fail(f"`dltest serve` does not answer; exit code {process.poll()}")


def test_it_serves_metrics_and_ends_when_told(serve, sqlite_url: str) -> None:
    process, where = serve(sqlite_url)
    assert "dltest_exporter_up 1.0" in httpx2.get(f"{where}/metrics").text
    assert httpx2.get(f"{where}/").status_code == 200
    ready = httpx2.get(f"{where}/ready", timeout=30)
    assert ready.status_code == 503
    assert ready.json()["components"]["store"]["well"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) in {0, -signal.SIGTERM}


def test_without_its_store_it_says_so(serve) -> None:
    _, where = serve("postgresql://u:h0le-secret@127.0.0.1:1/x")
    assert "dltest_exporter_up 0.0" in httpx2.get(f"{where}/metrics", timeout=30).text
    page = httpx2.get(f"{where}/", timeout=30)
    assert page.status_code == 503
    assert "h0le-secret" not in page.text
