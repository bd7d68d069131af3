"""The ports of a simulated lake that another process serves (`server`)."""

import json
import select
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

from dltest.errors import CatalogueError, FaultError, LakeError, TransferError
from dltest.lake.ports import Catalogue, Faults, JobState, JobStatus, StorageJob, Transfers
from dltest.lake.simulated import wire

ANSWER_SECONDS = 30
LISTEN_SECONDS = 0.5


class Wire:
    """A connection a thread; one that broke is made anew with the next call."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._own = threading.local()

    def ask(self, request: bytes) -> dict[str, Any]:
        """The answer to a request.

        Raises:
            OSError: there is none.
        """
        if not hasattr(self._own, "stream"):
            with connected(self._path) as connection:
                # Lives on in its stream, and ends with it and the thread.
                self._own.stream = connection.makefile("rwb")
        try:
            self._own.stream.write(request)
            self._own.stream.flush()
            return _document(self._own.stream.readline())
        except OSError:
            del self._own.stream
            raise


class Door:
    """One port: every call goes over the wire, in the shape that the Protocol gives it."""

    def __init__(self, name: str, wire: Wire, silent: Callable[[str, str], LakeError]) -> None:
        self._name = name
        self._wire = wire
        self._silent = silent

    def __getattr__(self, call: str) -> Callable[..., Any]:
        def asked(*args: Any, **kwargs: Any) -> Any:
            request = wire.request(self._name, call, args, kwargs)
            try:
                told = self._wire.ask(request)
            except OSError as error:
                message = (
                    f"{call}: the simulated lake does not answer ({error}); start it with"
                    " `python -m dltest.lake.simulated`"
                )
                raise self._silent(message, call) from error
            return wire.read_answer(self._name, call, told)

        return asked


def open_catalogue(path: Path) -> Catalogue:
    silent = partial(_silence, CatalogueError, "rucio-unreachable")
    return cast("Catalogue", Door("catalogue", Wire(path), silent))


def open_transfers(path: Path) -> Transfers:
    silent = partial(_silence, TransferError, "transfer-service-unreachable")
    return cast("Transfers", Door("transfers", Wire(path), silent))


def open_faults(path: Path) -> Faults:
    def silent(message: str, call: str) -> FaultError:
        return FaultError(message, operation=call)

    return cast("Faults", Door("faults", Wire(path), silent))


def _silence(kind: type[LakeError], code: str, message: str, call: str) -> LakeError:
    return kind(message, code=code, operation=call, retryable=True, answered=False)


def move(
    job: StorageJob,
    path: Path,
    *,
    on_progress: Callable[[JobStatus], None] = lambda _status: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> JobStatus:
    """Do the job in the lake's own storage and wait for its end, as `storage.run_job` does.

    The bytes move as long as this process keeps its connection: they stop when it is killed.
    """
    limit = job.limit.total_seconds()
    ends_at = time.monotonic() + limit
    with connected(path) as connection:
        connection.sendall(wire.line({"job": job.model_dump(mode="json")}))
        while not select.select([connection], [], [], LISTEN_SECONDS)[0]:
            on_progress(JobStatus(state=JobState.RUNNING))
            if time.monotonic() > ends_at:
                detail = f"killed at its limit of {limit:g} s"
                return JobStatus(state=JobState.LOST, detail=detail, timed_out=True)
            if is_cancelled():
                return JobStatus(state=JobState.LOST, detail="cancelled")
        with connection.makefile("rb") as stream:
            return JobStatus.model_validate(_document(stream.readline()))


def connected(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(ANSWER_SECONDS)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        raise
    return connection


def _document(line: bytes) -> dict[str, Any]:
    if not line:
        raise ConnectionResetError("it closed the connection")
    told: dict[str, Any] = json.loads(line)
    return told
