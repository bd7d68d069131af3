"""`bench bytes`: a large file and many small ones, uploaded and copied, against raw gfal2."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from bench.figure import Figure, compared
from bench.lab import running_lab
from bench.raw import RawOrder
from bench.through_dltest import Elapsed, Load, run
from dltest.lake.rucio import RucioCatalogue
from dltest.lake.storage.environment import mover_environment
from dltest.settings import LakeSettings

LARGE = Load(1, "1 GiB", 1 << 30)
SMALL = Load(1000, "64 KiB", 64 << 10)
LOOP_FILES = 20
SOURCE, DESTINATION = "XRD1", "XRD2"
PROGRAM_SECONDS = 900


def measure(lab: Path | None, samples: int) -> Iterator[Figure]:
    """The figures, each as soon as it is known."""
    with running_lab(lab) as folder, tempfile.TemporaryDirectory(prefix="dltest-bench-") as home:
        lake = LakeSettings.load(folder / "lake.yaml")
        yield from _large(folder, Path(home), lake, samples)
        yield from _small(folder, Path(home), lake, samples)


def _large(lab: Path, home: Path, lake: LakeSettings, samples: int) -> Iterator[Figure]:
    ours, raw = _in_turns(lab, home, lake, LARGE, samples)
    yield _rate("upload", LARGE, ours, raw, "upload_seconds", aim=0.9)
    yield _rate("copy", LARGE, ours, raw, "copy_seconds", aim=0.9)


def _small(lab: Path, home: Path, lake: LakeSettings, samples: int) -> Iterator[Figure]:
    ours, raw = _in_turns(lab, home, lake, SMALL, samples)
    yield _files_rate("upload", ours, raw, "upload_seconds")
    yield _files_rate("copy", ours, raw, "copy_seconds")
    loop = [LOOP_FILES / _upload_client_seconds(home, lake) for _ in range(samples)]
    per_second = [SMALL.files / one.upload_seconds for one in ours]
    yield compared(
        f"upload-{SMALL.name}-against-upload-client", "files/s", per_second, loop, aim=10.0
    )


def _in_turns(
    lab: Path, home: Path, lake: LakeSettings, load: Load, samples: int
) -> tuple[list[Elapsed], list[Elapsed]]:
    """Alternately gfal2 and dltest, so that a busy minute of the machine hits both."""
    ours, raw = [], []
    for number in range(samples):
        raw.append(_raw(lake, load))
        ours.append(run(lab, home, load, SOURCE, DESTINATION))
        print(
            f"{load.name} {number + 1}/{samples}: raw {raw[-1]}, ours {ours[-1]}", file=sys.stderr
        )
    return ours, raw


def _rate(
    what: str, load: Load, ours: list[Elapsed], raw: list[Elapsed], field: str, *, aim: float
) -> Figure:
    values, references = (
        [load.total_bytes / getattr(one, field) for one in many] for many in (ours, raw)
    )
    return compared(f"{what}-{load.name}", "B/s", values, references, aim=aim)


def _files_rate(what: str, ours: list[Elapsed], raw: list[Elapsed], field: str) -> Figure:
    values, references = (
        [SMALL.files / getattr(one, field) for one in many] for many in (ours, raw)
    )
    return compared(f"{what}-{SMALL.name}", "files/s", values, references)


def _raw(lake: LakeSettings, load: Load) -> Elapsed:
    catalogue = RucioCatalogue(lake)
    names = [f"bench-raw.{uuid4().hex}" for _ in range(load.files)]
    order = RawOrder(
        first=catalogue.urls(SOURCE, names),
        second=catalogue.urls(DESTINATION, names),
        size_bytes=load.size_bytes,
        threads=lake.storage.parallel_files,
        bearer=lake.storage.bearer.get_secret_value() if lake.storage.bearer else None,
    )
    told = _program("bench.raw", order.to_json(), mover_environment(lake.storage))
    return Elapsed(**told)


def _upload_client_seconds(home: Path, lake: LakeSettings) -> float:
    """One loop over Rucio's client; its files are ended afterwards."""
    names = [f"bench-loop.{uuid4().hex}" for _ in range(LOOP_FILES)]
    order = {
        "scope": lake.rucio.scope,
        "rse": SOURCE,
        "scheme": lake.storage.schemes[0],
        "names": names,
        "size_bytes": SMALL.size_bytes,
    }
    config = _client_config(home, lake)
    environment = mover_environment(lake.storage) | {"RUCIO_CONFIG": str(config)}
    try:
        return _program("bench.upload_client", json.dumps(order), environment)["seconds"]
    finally:
        RucioCatalogue(lake).expire_files(names)


def _client_config(home: Path, lake: LakeSettings) -> Path:
    """A `rucio.cfg`: the upload client makes further clients, which ask it who they are."""
    rucio = lake.rucio
    client = {
        "rucio_host": rucio.url,
        "auth_host": rucio.auth_url or rucio.url,
        "account": rucio.account,
        "auth_type": rucio.auth_type,
        "username": rucio.username,
        "password": rucio.secret(),
        "auth_token_file_path": home / "rucio-token",
    }
    file = home / "rucio.cfg"
    file.touch(mode=0o600)
    file.write_text("\n".join(["[client]", *(f"{key} = {client[key]}" for key in client)]) + "\n")
    return file


def _program(module: str, order: str, environment: dict[str, str]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", module],
        input=order,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        timeout=PROGRAM_SECONDS,
        check=True,
    )
    told: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return told
