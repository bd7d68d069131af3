"""The door to Rucio."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from dltest.lake.ports.answers import FileFacts, Replica, Rule, TransferRequest
from dltest.lake.ports.bad_replicas import BadReplicas
from dltest.lake.ports.deletion import Deletion
from dltest.lake.ports.diagnosis import Diagnosis
from dltest.model import Lake, Watch


class Catalogue(BadReplicas, Deletion, Diagnosis, Protocol):
    """Rucio. Names are those of DIDs in the lake's own scope."""

    def inventory(self) -> Lake:
        """All RSEs with their attributes, now."""

    def urls(self, rse: str, names: Sequence[str], protocol: str | None = None) -> list[str]:
        """Where these files lie, or will lie, on the RSE: one URL a name, in order.

        `protocol` is the URLs' scheme, else the lake's usual one; an RSE that does not offer it
        refuses with `no-common-protocol`.
        """

    def wants_token(self, rse: str) -> bool:
        """Whether the RSE's storage is talked to with a token, and not otherwise."""

    def token_base(self, rse: str) -> str:
        """The part of the RSE's paths that paths in tokens leave out; `/` is none."""

    def register(
        self, dataset: str, rse: str, files: Sequence[FileFacts], lifetime: timedelta
    ) -> None:
        """Tell the catalogue of files that already lie at the RSE, in one dataset, in bulk."""

    def add_rule(
        self, dataset: str, rse: str, *, tag: str, lifetime: timedelta, source: str | None = None
    ) -> str:
        """Ask for the dataset, or one file, at the RSE; the rule carries `tag` as its comment."""

    def rule(self, rule_id: str) -> Rule:
        """The rule now; may be served from a listing of half a second ago."""

    def rules(self, tag_prefix: str) -> list[Rule]:
        """The rules whose comment starts with the tag; empty when none is left."""

    def replicas(self, names: Sequence[str], rse: str) -> list[Replica]:
        """What the catalogue says of these files at the RSE, one each, in order."""

    def dids(self, prefix: str) -> list[str]:
        """Names of all DIDs of the scope that start with the prefix.

        Without files that Rucio has declared lost: it remembers those for ever.
        """

    def look_over(self, watches: Sequence[Watch]) -> list[str]:
        """How these rules and replicas stand now, as `Watch.seen` has it, in order.

        A few calls for any number.
        """

    def requests(self, names: Sequence[str], rse: str) -> list[TransferRequest]:
        """Latest known transfer request towards the RSE for each of these files that has one."""

    def end_rule(self, rule_id: str) -> None:
        """Let the rule end now, locked or not, and its replicas be deleted at once."""

    def expire(self, dataset: str) -> None:
        """End the dataset with everything of it: rules, files, replicas, bytes."""

    def expire_files(self, names: Sequence[str]) -> None:
        """End files that never came into a dataset; unknown names are passed over.

        To be asked once and then waited for: each asking may put the end off.
        """

    def ping(self) -> str:
        """Rucio's version."""
