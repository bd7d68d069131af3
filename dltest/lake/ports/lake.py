"""A lake with all its doors, and the book of what a run makes there."""

from typing import Protocol

from dltest.lake.ports.catalogue import Catalogue
from dltest.lake.ports.faults import Faults
from dltest.lake.ports.storage import Storage
from dltest.lake.ports.strangers import Stranger
from dltest.lake.ports.tokens import Tokens
from dltest.lake.ports.transfers import Transfers
from dltest.model import LedgerEntry, LedgerState


class Ledger(Protocol):
    """The run's own book of what it makes outside; written before the effect, and durable."""

    def intend(self, *entries: LedgerEntry) -> None:
        """Write the entries; the same kind, name and RSE again changes nothing."""

    def settle(self, state: LedgerState, *entries: LedgerEntry) -> None: ...

    def entries(self) -> tuple[LedgerEntry, ...]: ...


class LakePorts(Protocol):
    """A lake with all its doors, as one argument."""

    @property
    def name(self) -> str: ...
    @property
    def catalogue(self) -> Catalogue: ...
    @property
    def storage(self) -> Storage: ...
    @property
    def transfers(self) -> Transfers: ...
    @property
    def faults(self) -> Faults | None:
        """None where nobody may break the lake on purpose."""

    @property
    def tokens(self) -> Tokens | None:
        """None where the lake file names no issuer."""

    @property
    def stranger(self) -> Stranger | None:
        """None where the lake file names no other account."""
