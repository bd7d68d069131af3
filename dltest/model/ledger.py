"""Everything a run makes outside itself, written down before it is made."""

from enum import StrEnum

from dltest.model.value import Value


class LedgerKind(StrEnum):
    DATASET = "dataset"
    FILES = "files"
    REPLICAS = "replicas"
    RULE = "rule"
    FAULT = "fault"
    BLOCK = "block"
    HOLD = "hold"
    DARK = "dark"


class LedgerState(StrEnum):
    """`intended` before the effect; `gone` after its absence was verified; else `leftover`."""

    INTENDED = "intended"
    GONE = "gone"
    LEFTOVER = "leftover"


class LedgerEntry(Value):
    """One kind of thing that a run made at one place. Names follow from the run's id.

    A fault is called after what is broken, a block after what it forbids at the RSE. A hold
    keeps files from being deleted; dark are files that the catalogue was never told of.

    `count` is how many there may be: files of a dataset, replicas on an RSE, rules.
    """

    kind: LedgerKind
    name: str
    rse: str | None = None
    count: int = 1
    state: LedgerState = LedgerState.INTENDED

    @property
    def is_open(self) -> bool:
        """Whether it may still be there."""
        return self.state is not LedgerState.GONE
