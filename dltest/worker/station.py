"""What a worker process works with: opened once by the command that starts it."""

import os
import socket
import threading
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from dltest.engine import House, Rules
from dltest.errors import Problem
from dltest.lake.adapter import open_lake
from dltest.lake.ports import LakePorts
from dltest.scheduling import Folder
from dltest.settings import LakeSettings, Settings
from dltest.store import Store
from dltest.worker.queued import QueuedStorage

PARALLEL_MOVES = 4


@dataclass
class Station:
    """One process of the service. `owner` is what its leases are signed with."""

    settings: Settings
    lake_settings: LakeSettings
    store: Store
    owner: str = field(
        default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    )
    # Set when the process was asked to end: moves give their jobs back.
    ending: threading.Event = field(default_factory=threading.Event)
    moving: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(PARALLEL_MOVES)
    )

    problems_told: tuple[Problem, ...] = ()

    @cached_property
    def lake(self) -> LakePorts:
        storage = QueuedStorage(self.store, self.lake_settings)
        return open_lake(self.lake_settings, storage=storage)

    @cached_property
    def folder(self) -> Folder:
        return Folder(self.settings.scenarios)

    @cached_property
    def house(self) -> House:
        rules = Rules(
            patience=self.settings.patience,
            cleanup_limit=self.settings.cleanup_limit,
            poll_every=timedelta(seconds=self.settings.poll_seconds),
        )
        return House(self.store, self.lake, rules, self.settings.data_lifetime)

    def open_house(self) -> None:
        """Before there are threads, which might open it several times at once."""
        assert self.house.lake is self.lake  # noqa: S101 - reading them is what opens them


_occupied: list[Station] = []


def occupy(station: Station) -> None:
    """Make this the process's station; Celery's tasks take no objects as arguments."""
    _occupied[:] = [station]


def current() -> Station:
    if not _occupied:
        raise RuntimeError("no station: start the worker with `dltest worker`")
    return _occupied[0]
