"""What the engine is given to work with: the rows, the lake and the limits."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from dltest.engine.rest import Rules
from dltest.lake.ports import LakePorts, Ledger
from dltest.model import LedgerEntry, Run, Watch


class Claim(Protocol):
    """A run that nobody else may touch while it is held."""

    @property
    def run(self) -> Run: ...

    @property
    def saved(self) -> Run | None: ...

    def save(self, run: Run) -> None: ...


class Runs(Protocol):
    """The engine's part of the store."""

    def claim(
        self, run_id: str, *, ended: bool = False, known: Run | None = None
    ) -> AbstractContextManager[Claim | None]: ...

    def run(self, run_id: str) -> Run | None: ...

    def cancel(self, run_id: str) -> bool: ...

    def watching(self, lake: str) -> list[tuple[str, Watch]]: ...

    def wake(self, run_ids: Sequence[str]) -> list[str]: ...

    def abandoned(self, lake: str, before: datetime) -> list[str]: ...

    def unsettled(self, lake: str) -> list[tuple[str, LedgerEntry]]: ...

    def ledger(self, run_id: str) -> Ledger: ...


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class House:
    """Everything `advance` needs. `data_lifetime` is the second net under the clean-up."""

    runs: Runs
    lake: LakePorts
    rules: Rules
    data_lifetime: timedelta
    now: Callable[[], datetime] = utc_now
