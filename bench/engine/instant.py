"""A lake that does all at once and remembers nothing, so that any number of processes share it.

Rules wait for a word: the listing, a file of JSON lines as Rucio would send them, says which are
not OK yet. Polls and looks at single rules are noted with their times, beside the listing.
"""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dltest.lake.ports import (
    FileFacts,
    FileOutcome,
    JobState,
    JobStatus,
    Replica,
    ReplicaState,
    Rule,
    RuleState,
    StorageJob,
    TransferFile,
    TransferRequest,
)
from dltest.lake.rucio.reading import seen_now
from dltest.model import Lake, Watch


class InstantCatalogue:
    """Every rule is OK at once, unless the listing says otherwise; whatever is ended is gone."""

    def __init__(self, folder: Path) -> None:
        self._listing = folder / "rules.jsonl"
        self._looks = folder / "looks"
        self._polls = folder / "polls"

    def rule(self, rule_id: str) -> Rule:
        if rule_id.startswith("listed"):
            with self._looks.open("a") as looks:
                looks.write(f"{rule_id} {time.time()}\n")
        return Rule(id=rule_id, state=RuleState.OK, locks_ok=1)

    def look_over(self, watches: Sequence[Watch]) -> list[str]:
        with self._polls.open("a") as polls:
            polls.write(f"{time.time()}\n")
        rules = {}
        with self._listing.open() as lines:
            for line in lines:
                answer = json.loads(line)
                rules[answer["id"]] = answer
        return [seen_now(watch, rules, {}) for watch in watches]

    def urls(self, rse: str, names: Sequence[str], protocol: str | None = None) -> list[str]:
        return [f"instant://{rse}/{name}" for name in names]

    def register(
        self, dataset: str, rse: str, files: Sequence[FileFacts], lifetime: timedelta
    ) -> None:
        return

    def add_rule(self, dataset: str, rse: str, *, tag: str, **_: Any) -> str:
        return tag

    def rules(self, tag_prefix: str) -> list[Rule]:
        return []

    def replicas(self, names: Sequence[str], rse: str) -> list[Replica]:
        return [Replica(name=name, rse=rse, state=ReplicaState.MISSING) for name in names]

    def dids(self, prefix: str) -> list[str]:
        return []

    def requests(self, names: Sequence[str], rse: str) -> list[TransferRequest]:
        return []

    def expire(self, dataset: str) -> None:
        return

    def inventory(self) -> Lake:
        return Lake(name="bench", rses=(), seen_at=datetime.now(UTC))


class InstantStorage:
    """Every job is done before it is looked at."""

    def start(self, job: StorageJob) -> None:
        return

    def look(self, job_id: str) -> JobStatus:
        outcome = FileOutcome(url=job_id, adler32="00000001", size_bytes=1)
        return JobStatus(state=JobState.DONE, outcomes=(outcome,), seconds=0.1)

    def cancel(self, job_id: str) -> None:
        return


class InstantTransfers:
    def files(self, host: str, job_id: str) -> list[TransferFile]:
        return []


class InstantLake:
    """`ports.LakePorts`, as far as upload, replicate and clean-up go."""

    def __init__(self, folder: Path) -> None:
        self.name = "bench"
        self.catalogue = InstantCatalogue(folder)
        self.storage = InstantStorage()
        self.transfers = InstantTransfers()
