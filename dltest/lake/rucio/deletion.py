"""Ways to let data go and to keep it, over Rucio's REST interface."""

from abc import abstractmethod
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from rucio.common.exception import (
    DatabaseException,
    DataIdentifierAlreadyExists,
    DuplicateContent,
    FileAlreadyExists,
    RuleNotFound,
    UnsupportedOperation,
)

from dltest.errors import CatalogueError
from dltest.lake.rucio.calls import RucioCalls, batches


class DeletionCalls(RucioCalls):
    """Rules change by one call each; datasets are filled in bulk."""

    @abstractmethod
    def urls(self, rse: str, names: Sequence[str], protocol: str | None = None) -> list[str]:
        """See `ports.Catalogue`."""

    @abstractmethod
    def protocols(self, rse: str) -> list[dict[str, Any]]:
        """How the RSE can be reached, in Rucio's words."""

    def end_rule(self, rule_id: str) -> None:
        change = {"locked": False, "lifetime": 0, "purge_replicas": True}
        self._update_rule(f"end rule {rule_id}", rule_id, change)

    def set_rule_lifetime(self, rule_id: str, lifetime: timedelta, *, purge: bool) -> None:
        seconds = int(lifetime.total_seconds())
        change = {"lifetime": seconds, "purge_replicas": purge}
        self._update_rule(f"let rule {rule_id} end in {seconds} s", rule_id, change)

    def lock_rule(self, rule_id: str, *, locked: bool) -> None:
        verb = "lock" if locked else "unlock"
        self._update_rule(f"{verb} rule {rule_id}", rule_id, {"locked": locked})

    def delete_rule(self, rule_id: str) -> None:
        operation = f"delete rule {rule_id}"

        def delete(client: Any) -> None:
            try:
                client.delete_replication_rule(rule_id)
            except RuleNotFound:
                return
            except UnsupportedOperation as error:
                message = f"{operation}: {error}"
                raise CatalogueError(message, code="rule-locked", operation=operation) from error

        self._session.call(operation, delete)

    def add_dataset(self, dataset: str, files: Sequence[str], lifetime: timedelta) -> None:
        self._make_dataset(dataset, lifetime)
        for batch in batches([{"scope": self._scope, "name": name} for name in files]):
            self._attach(dataset, batch)

    def quarantine(self, rse: str, names: Sequence[str]) -> None:
        """One by one: of a list that Rucio passes over in part nobody could tell which part."""
        for name, path in zip(names, self._paths(rse, names), strict=True):
            # Without scope and name the dark-reaper stumbles over the file when it is gone.
            replica = {"scope": self._scope, "name": name, "path": path}
            self._quarantine(rse, replica)

    def _quarantine(self, rse: str, replica: dict[str, str]) -> None:
        def quarantine(client: Any) -> None:
            try:
                client.quarantine_replicas([replica], rse=rse)
            except DatabaseException:
                # What Rucio passes over, since it is known or in quarantine already, leaves it with
                # no row to insert, at which it fails (rucio/core/quarantined_replica.py). Should
                # its database have failed for another reason, the file stays, and that is seen.
                return

        self._session.call(f"quarantine {replica['name']} at {rse}", quarantine, rse=rse)

    def _paths(self, rse: str, names: Sequence[str]) -> list[str]:
        """Relative to the prefix of the RSE, as its quarantine wants them."""
        prefixes = {one["scheme"]: one["prefix"].strip("/") for one in self.protocols(rse)}
        parts = [urlsplit(url) for url in self.urls(rse, names)]
        return [
            part.path.strip("/").removeprefix(prefixes[part.scheme]).strip("/") for part in parts
        ]

    def _update_rule(self, operation: str, rule_id: str, change: dict[str, Any]) -> None:
        def update(client: Any) -> None:
            try:
                client.update_replication_rule(rule_id, change)
            except RuleNotFound:
                return

        self._session.call(operation, update)

    def _make_dataset(self, dataset: str, lifetime: timedelta) -> None:
        def add(client: Any) -> None:
            try:
                seconds = int(lifetime.total_seconds())
                client.add_dataset(self._scope, dataset, lifetime=seconds)
            except DataIdentifierAlreadyExists:
                return

        self._session.call(f"make dataset {dataset}", add)

    def _attach(self, dataset: str, batch: Sequence[dict[str, str]]) -> None:
        """What an earlier, lost call attached already is attached; the rest is, one by one."""

        def attach(client: Any) -> None:
            try:
                client.attach_dids(self._scope, dataset, batch)
            except (DuplicateContent, FileAlreadyExists):
                if len(batch) > 1:
                    for file in batch:
                        self._attach(dataset, [file])

        self._session.call(f"attach files to {dataset}", attach)
