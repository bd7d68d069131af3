"""The door to the transfer service."""

from datetime import datetime
from typing import Protocol

from dltest.model import Value


class TransferFile(Value):
    """One file of an FTS job: FTS's state, its reason (`SOURCE [112] ...`) and its times."""

    job_id: str
    source_url: str
    destination_url: str
    state: str
    reason: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


class Transfers(Protocol):
    """The transfer service, read only: dltest never submits, Rucio does."""

    def files(self, host: str, job_id: str) -> list[TransferFile]:
        """The files of one job, empty when the service does not know it."""

    def ping(self, host: str) -> None:
        """Raises `TransferError` when the service does not answer."""
