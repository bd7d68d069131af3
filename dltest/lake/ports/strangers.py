"""The door to Rucio as somebody else, who owns nothing of what a run has made there."""

from enum import StrEnum
from typing import Protocol

from dltest.model import Value


class Deed(StrEnum):
    """What another account may try with a run's belongings. All but READ must be refused.

    Each is such that no more than the run's own data, or the other account itself, would suffer
    from a Rucio that lets it happen.
    """

    READ = "read"
    REMOVE_RULE = "remove-rule"
    SHORTEN_RULE = "shorten-rule"
    ADD_RULE_BEYOND_QUOTA = "add-rule-beyond-quota"
    ADD_RULE_FOR_US = "add-rule-for-us"
    END_DATASET = "end-dataset"
    DETACH_FILE = "detach-file"
    CLOSE_DATASET = "close-dataset"
    MAKE_DATASET = "make-dataset"
    ADD_REPLICA = "add-replica"
    DELETE_REPLICA = "delete-replica"
    DECLARE_BAD = "declare-bad"
    RAISE_OWN_QUOTA = "raise-own-quota"


class Belongings(Value):
    """What a run has: a dataset with a file of so many bytes at an RSE, and the rule for it."""

    dataset: str
    file: str
    size_bytes: int
    rse: str
    rule_id: str


class Attempt(Value):
    """What came of a deed, and Rucio's own words."""

    done: bool
    code: str = ""
    words: str = ""


class Stranger(Protocol):
    """Another account, as the lake file names it."""

    @property
    def account(self) -> str: ...

    def attempt(self, deed: Deed, on: Belongings) -> Attempt:
        """Try it. A refusal is an answer; who is not let in at all raises `CredentialError`."""
