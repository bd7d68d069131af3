"""What Rucio can be asked when something does not come to an end, or must be kept from one."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from dltest.lake.ports.answers import Replica, TransferRequest
from dltest.model import RSE, Value


class Operation(StrEnum):
    """What Rucio may be forbidden to do at an RSE."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"


class Usage(Value):
    """Bytes as Rucio's abacus counted them last; `left` is what our account may still add."""

    used: int | None = None
    free: int | None = None
    left: int | None = None
    seen_at: datetime | None = None


class Heartbeat(Value):
    """One of Rucio's daemons, and when any of its threads was seen alive last."""

    daemon: str
    seen_at: datetime


class Diagnosis(Protocol):
    """Questions to Rucio about one transfer; none of them is asked while all goes well."""

    def rse(self, name: str) -> RSE:
        """The RSE with its attributes and what is allowed there, now."""

    def allow(self, rse: str, operation: Operation, *, allowed: bool) -> None:
        """Allow or forbid Rucio an operation at the RSE, for everybody."""

    def usage(self, rse: str) -> Usage:
        """How full the RSE is."""

    def distance(self, source: str, destination: str) -> int | None:
        """None when Rucio knows no way from one to the other."""

    def places(self, name: str) -> list[Replica]:
        """Where Rucio believes a file to be, in whatever state."""

    def ended_attempts(self, names: Sequence[str], rse: str) -> list[TransferRequest]:
        """A request towards the RSE that has ended, for each file that has one.

        Rucio does not say whether it was the last.
        """

    def tries(self, rule_id: str) -> int:
        """How often Rucio has tried the most stubborn of the rule's stuck files; 0: none is."""

    def boost(self, rule_id: str) -> None:
        """Have the judge-repairer look at a STUCK rule in its next round, not in half an hour."""

    def heartbeats(self) -> list[Heartbeat]:
        """Rucio's daemons.

        Raises:
            LakeError: as when only Rucio's operators may see them.
        """
