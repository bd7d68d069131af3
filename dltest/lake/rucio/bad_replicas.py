"""Rucio's bad replicas: declared, and looked up."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime
from inspect import signature
from typing import Any

from rucio.client.baseclient import BaseClient
from rucio.common import constants
from rucio.common.exception import DataIdentifierNotFound
from rucio.common.utils import build_url

from dltest.errors import CatalogueError
from dltest.lake.ports import BadReplica, BadState
from dltest.lake.rucio.calls import RucioCalls, batches
from dltest.lake.rucio.reading import moment

ALREADY = "Already declared"
LOST = "LOST"


class BadReplicaCalls(RucioCalls, ABC):
    """The part of the catalogue port that is about bad replicas."""

    def declare_bad(self, rse: str, names: Sequence[str], reason: str) -> None:
        replicas = [{"scope": self._scope, "name": name, "rse": rse} for name in names]
        for batch in batches(replicas):
            self._declare("declare_bad_file_replicas", rse, list(batch), reason)

    def declare_suspicious(self, rse: str, names: Sequence[str], reason: str) -> None:
        """By their PFNs: Rucio takes nothing else."""
        for batch in batches(self.urls(rse, names)):
            self._declare("declare_suspicious_file_replicas", rse, list(batch), reason)

    def bad_replicas(self, names: Sequence[str], rse: str, since: datetime) -> list[BadReplica]:
        wanted = set(names)
        moment_text = since.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()
        asked = {"rse": rse, "younger_than": f"{moment_text}.000000"}
        listed = self._session.call(
            f"list bad replicas at {rse}", lambda c: _states(c, asked), rse=rse
        )
        known = [_bad_replica(line) for line in listed if line["name"] in wanted]
        return sorted(known, key=lambda line: line.declared_at)

    def dataset_files(self, dataset: str) -> list[str]:
        def ask(client: Any) -> list[str]:
            try:
                return sorted(file["name"] for file in client.list_files(self._scope, dataset))
            except DataIdentifierNotFound:
                return []

        return self._session.call(f"list files of {dataset}", ask)

    @abstractmethod
    def urls(self, rse: str, names: Sequence[str], protocol: str | None = None) -> list[str]:
        """As the catalogue port has it."""

    def _declare(self, method: str, rse: str, replicas: list[Any], reason: str) -> None:
        """Rucio answers with what it did not declare; that it was declared before is fine."""
        operation = f"declare replicas at {rse} {method.split('_')[1]}"
        answer = self._session.call(
            operation, lambda c: getattr(c, method)(replicas, reason), rse=rse
        )
        told = [str(line) for lines in (answer or {}).values() for line in lines]
        refused = [line for line in told if ALREADY not in line]
        if refused:
            message = f"{operation}: {refused[0]}"
            raise CatalogueError(message, code="rucio-refused", operation=operation, rse=rse)

    def _lost(self, names: Sequence[str]) -> set[str]:
        """Those of these files that Rucio has declared lost."""
        return {name for batch in batches(names) for name in self._lost_of(batch)}

    def _lost_of(self, names: Sequence[str]) -> list[str]:
        def ask(client: Any) -> list[str]:
            dids = [{"scope": self._scope, "name": name} for name in names]
            known = client.get_metadata_bulk(dids)
            return [told["name"] for told in known if str(told.get("availability")) == LOST]

        return self._session.call("look for lost files", ask)


def _states(client: Any, asked: dict[str, str]) -> list[dict[str, Any]]:
    """The client has no call for this list, and what sends its requests changed in release 39."""
    url = build_url(client.host, path="replicas/bad/states", params=asked)
    send = client._send_request  # noqa: SLF001 - see above
    if "method" in signature(BaseClient._send_request).parameters:  # noqa: SLF001
        answer = send(url, method=constants.HTTPMethod.GET)
    else:
        answer = send(url, type_="GET")
    if not answer.ok:
        kind, message = client._get_exception(  # noqa: SLF001
            headers=answer.headers, status_code=answer.status_code, data=answer.content
        )
        raise kind(message)
    return list(client._load_json_data(answer))  # noqa: SLF001


def _bad_replica(line: dict[str, Any]) -> BadReplica:
    return BadReplica(
        name=line["name"],
        rse=line["rse"],
        state=BadState(str(line["state"]).removeprefix("BadFilesStatus.")),
        declared_at=moment(line["created_at"]) or datetime.now(UTC),
        updated_at=moment(line["updated_at"]) or datetime.now(UTC),
    )
