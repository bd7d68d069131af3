"""The many ways in which Rucio lets data go, and those in which it is made to stay."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol


class Deletion(Protocol):
    """Calls that end rules, keep files from their end, and give dark files away."""

    def set_rule_lifetime(self, rule_id: str, lifetime: timedelta, *, purge: bool) -> None:
        """Let the rule end so long from now; a rule that is gone is passed over.

        With `purge` its replicas are deleted at once then, else when their RSE needs the space.
        """

    def delete_rule(self, rule_id: str) -> None:
        """Delete the rule as `rucio rule remove` does; a rule that is gone is passed over.

        Soft, since Rucio's REST interface knows no other: the rule expires in one hour, and a
        second time shortens nothing. A locked rule is refused with `rule-locked`.
        """

    def lock_rule(self, rule_id: str, *, locked: bool) -> None:
        """Keep the rule, and the dataset that it is for, from ending until it is unlocked."""

    def add_dataset(self, dataset: str, files: Sequence[str], lifetime: timedelta) -> None:
        """Make a dataset of files that the catalogue knows; they may be in others too."""

    def quarantine(self, rse: str, names: Sequence[str]) -> None:
        """Report files that have no replica at the RSE; Rucio's dark-reaper removes them there.

        What has a replica there is passed over.
        """
