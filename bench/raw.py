"""gfal2 alone: files written to one storage and copied to another, timed without all else.

`python -m bench.raw`, with an order in JSON on stdin: a process of its own, because gfal2 reads
the client's environment once. Same threads, same checks of checksums and folders as dltest's
mover and the transfer service make; sources lie ready in memory.
"""

import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import local
from typing import Any
from urllib.parse import urlsplit

import gfal2

from dltest.lake.payload import write_payload

SEED = "bench"
LIMIT_SECONDS = 600


@dataclass(frozen=True, slots=True)
class RawOrder:
    """Where each file goes first, and where it is copied from there."""

    first: list[str]
    second: list[str]
    size_bytes: int
    threads: int
    bearer: str | None

    def to_json(self) -> str:
        return json.dumps(asdict(self))


class Copier:
    """Copies lists of files with a context a thread."""

    def __init__(self, order: RawOrder) -> None:
        self._order = order
        self._own = local()

    def copy(self, jobs: list[tuple[str, str, str]], mode: Any) -> float:
        """Seconds for (source, destination, Adler-32) of all jobs."""
        began = time.perf_counter()
        with ThreadPoolExecutor(self._order.threads) as threads:
            list(threads.map(lambda job: self._copy(job, mode), jobs))
        return time.perf_counter() - began

    def unlink(self, urls: list[str]) -> None:
        with ThreadPoolExecutor(self._order.threads) as threads:
            list(threads.map(lambda url: self._context().unlink(url), urls))

    def _copy(self, job: tuple[str, str, str], mode: Any) -> None:
        source, destination, adler32 = job
        context = self._context()
        parameters = context.transfer_parameters()
        parameters.overwrite = True
        parameters.create_parent = True
        parameters.timeout = LIMIT_SECONDS
        parameters.set_checksum(mode, "ADLER32", adler32)
        context.filecopy(parameters, source, destination)

    def _context(self) -> Any:
        if not hasattr(self._own, "context"):
            self._own.context = gfal2.creat_context()
            for url in {_origin(url) for url in self._order.first + self._order.second}:
                if self._order.bearer:
                    credential = self._own.context.cred_new("BEARER", self._order.bearer)
                    self._own.context.cred_set(url, credential)
        return self._own.context


def measure(order: RawOrder) -> dict[str, float]:
    """Seconds of writing all files, and of copying all of them; leaves none."""
    copier = Copier(order)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        files = [_file(Path(folder), index, order) for index in range(len(order.first))]
        upload = [
            (f"file://{path}", url, sum_)
            for (path, sum_), url in zip(files, order.first, strict=True)
        ]
        copy = [
            (source, destination, sum_)
            for source, destination, (_, sum_) in zip(order.first, order.second, files, strict=True)
        ]
        uploaded = copier.copy(upload, gfal2.checksum_mode.target)
        copied = copier.copy(copy, gfal2.checksum_mode.both)
        copier.unlink(order.first + order.second)
    return {"upload_seconds": uploaded, "copy_seconds": copied}


def _file(folder: Path, index: int, order: RawOrder) -> tuple[Path, str]:
    path = folder / str(index)
    with path.open("wb", buffering=0) as target:
        return path, write_payload(target.fileno(), SEED, index, order.size_bytes)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


if __name__ == "__main__":
    print(json.dumps(measure(RawOrder(**json.load(sys.stdin)))))
