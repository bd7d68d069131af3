"""The part of Rucio that knows which replicas are not what they should be."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from dltest.model import Value


class BadState(StrEnum):
    """Rucio's words (rucio.db.sqla.constants.BadFilesStatus).

    BAD: declared, and being looked after. RECOVERED: copied anew from a good replica. LOST: there
    was none. DELETED: ended before either.
    """

    BAD = "BAD"
    SUSPICIOUS = "SUSPICIOUS"
    RECOVERED = "RECOVERED"
    LOST = "LOST"
    DELETED = "DELETED"
    TEMPORARY_UNAVAILABLE = "TEMPORARY_UNAVAILABLE"


class BadReplica(Value):
    """A line of Rucio's list of bad replicas; a replica has one for each time it was declared."""

    name: str
    rse: str
    state: BadState
    declared_at: datetime
    updated_at: datetime


class BadReplicas(Protocol):
    """Calls about bad replicas. To declare one bad, Rucio's own policy permits `root` alone."""

    def declare_bad(self, rse: str, names: Sequence[str], reason: str) -> None:
        """Declare the replicas bad; one that is declared already stays so."""

    def declare_suspicious(self, rse: str, names: Sequence[str], reason: str) -> None:
        """Say that somebody had trouble with these replicas; each call counts once more."""

    def bad_replicas(self, names: Sequence[str], rse: str, since: datetime) -> list[BadReplica]:
        """What the list of bad replicas says of these files at the RSE, the oldest line first.

        `since` keeps the answer small: the list of a production RSE is never emptied. Rucio
        writes its times in whole seconds.
        """

    def dataset_files(self, dataset: str) -> list[str]:
        """Names of the files in the dataset, sorted; empty when there is no dataset."""
