"""The catalogue port over Rucio's REST interface.

Uses only calls that rucio-clients 38 to 41 have in common. Sizes of batches are those that a
server was measured to answer best, and below the 1,000 items that its schema allows a call.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from os.path import commonprefix
from typing import Any

from rucio.common.exception import (
    DataIdentifierNotFound,
    DuplicateRule,
    RequestNotFound,
    RuleNotFound,
)

from dltest.errors import CatalogueError
from dltest.lake.ports import FileFacts, Replica, Rule, RuleState, TransferRequest
from dltest.lake.rucio.aging import Aging
from dltest.lake.rucio.bad_replicas import BadReplicaCalls
from dltest.lake.rucio.calls import batches
from dltest.lake.rucio.deletion import DeletionCalls
from dltest.lake.rucio.diagnosis import DiagnosisCalls
from dltest.lake.rucio.reading import replica_from, request_from, rse_from, rule_from, seen_now
from dltest.model import Lake, Watch, WatchKind
from dltest.settings import LakeSettings

# The names travel in the URL, of which gunicorn takes 4,094 bytes, and each gets `&lfns=`.
URL_BYTES = 3200
LISTING_SECONDS = 0.5
RSE_FACTS_SECONDS = 60.0
INVENTORY_THREADS = 4
# A DID's lifetime in seconds that is over when the undertaker next looks; Rucio refuses 0.
ENDED = 0.0001
# Ends the name of a dataset that was made to let files end.
STRAY = ".stray"


class RucioCatalogue(BadReplicaCalls, DeletionCalls, DiagnosisCalls):
    """Safe to share between threads."""

    def __init__(self, settings: LakeSettings) -> None:
        super().__init__(settings)
        self._lake = settings.name
        self._activity = settings.activity
        self._schemes = settings.storage.schemes
        self._rse_facts = Aging[str, dict[str, Any]](RSE_FACTS_SECONDS)
        self._rse_attributes = Aging[str, dict[str, Any]](RSE_FACTS_SECONDS)
        self._listings = Aging[str, dict[str, dict[str, Any]]](LISTING_SECONDS)

    def ping(self) -> str:
        return str(self._session.call("ping Rucio", lambda c: c.ping()["version"]))

    def inventory(self) -> Lake:
        listed = self._session.call("list RSEs", lambda c: list(c.list_rses()))
        with ThreadPoolExecutor(INVENTORY_THREADS) as pool:
            known = pool.map(self._ask_attributes, [answer["rse"] for answer in listed])
            rses = [rse_from(answer, told) for answer, told in zip(listed, known, strict=True)]
        rses.sort(key=lambda rse: rse.name)
        return Lake(name=self._lake, rses=tuple(rses), seen_at=datetime.now(UTC))

    def urls(self, rse: str, names: Sequence[str], protocol: str | None = None) -> list[str]:
        """Asked of the server, whose policy decides; the names travel in the URL, so in batches."""
        wanted = (protocol,) if protocol else self._schemes
        scheme = _scheme(rse, self.protocols(rse), wanted)
        lfns = [f"{self._scope}:{name}" for name in names]
        pfns: dict[str, str] = {}
        for batch in batches(lfns, max(1, URL_BYTES // (max(map(len, lfns), default=1) + 10))):
            pfns |= self._locations(rse, batch, scheme)
        return [pfns[lfn] for lfn in lfns]

    def wants_token(self, rse: str) -> bool:
        """As Rucio's own daemons decide it, by the RSE's attribute `oidc_support`."""
        told = self._rse_attributes.get(rse, lambda: self._ask_attributes(rse))
        return told.get("oidc_support") is True

    def token_base(self, rse: str) -> str:
        """Rucio leaves it out too, by the RSE's attribute `oidc_base_path`."""
        told = self._rse_attributes.get(rse, lambda: self._ask_attributes(rse))
        return str(told.get("oidc_base_path", "/"))

    def register(
        self, dataset: str, rse: str, files: Sequence[FileFacts], lifetime: timedelta
    ) -> None:
        replicas = [
            {"scope": self._scope, "name": f.name, "bytes": f.size_bytes, "adler32": f.adler32}
            for f in files
        ]
        for batch in batches(replicas):
            self._call_batch(f"register replicas at {rse}", "add_replicas", rse, batch)
        self.add_dataset(dataset, [file.name for file in files], lifetime)

    def add_rule(
        self, dataset: str, rse: str, *, tag: str, lifetime: timedelta, source: str | None = None
    ) -> str:
        if existing := self._tagged(tag):
            return existing

        def add(client: Any) -> str | None:
            try:
                ids = client.add_replication_rule(
                    [{"scope": self._scope, "name": dataset}],
                    1,
                    rse,
                    lifetime=int(lifetime.total_seconds()),
                    source_replica_expression=source,
                    activity=self._activity,
                    purge_replicas=True,
                    comment=tag,
                )
            except DuplicateRule:
                return self._tagged(tag)
            return str(ids[0])

        rule_id = self._session.call(f"add a rule for {dataset} at {rse}", add, rse=rse)
        if rule_id is None:
            raise CatalogueError(
                f"Rucio calls the rule for {dataset} at {rse} a duplicate, and has none of ours",
                code="rucio-refused",
                operation="add a rule",
                rse=rse,
            )
        return rule_id

    def rule(self, rule_id: str) -> Rule:
        """Served from one listing of all our rules, whatever the number of runs."""
        listed = self._own_rules().get(rule_id)
        return rule_from(listed) if listed else self._one_rule(rule_id)

    def rules(self, tag_prefix: str) -> list[Rule]:
        return [
            rule_from(answer)
            for answer in self._own_rules().values()
            if str(answer.get("comments") or "").startswith(tag_prefix)
        ]

    def replicas(self, names: Sequence[str], rse: str) -> list[Replica]:
        found: dict[str, dict[str, Any]] = {}
        for batch in batches(names):
            found.update(self._listed_replicas(batch, rse))
        return [replica_from(name, rse, found.get(name)) for name in names]

    def look_over(self, watches: Sequence[Watch]) -> list[str]:
        names = sorted({watch.key for watch in watches if watch.kind is WatchKind.REPLICA})
        listed: dict[str, dict[str, Any]] = {}
        for batch in batches(names):
            listed |= self._listed_replicas(batch)
        rules = self._own_rules() if any(w.kind is WatchKind.RULE for w in watches) else {}
        return [seen_now(watch, rules, listed) for watch in watches]

    def dids(self, prefix: str) -> list[str]:
        def ask(client: Any) -> list[str]:
            return list(client.list_dids(self._scope, [{"name": f"{prefix}*"}], did_type="all"))

        names = self._session.call(f"list DIDs {prefix}*", ask)
        return sorted(set(names) - self._lost(names))

    def requests(self, names: Sequence[str], rse: str) -> list[TransferRequest]:
        known = (self._request(name, rse) for name in names)
        return [request for request in known if request is not None]

    def expire(self, dataset: str) -> None:
        """What no rule ever kept Rucio never deletes, so such files get one that ends at once."""
        for rse in self._unruled_places(dataset):
            self._add_last_rule(dataset, rse)
        self._end_did(dataset)

    def expire_files(self, names: Sequence[str]) -> None:
        """Files end with a dataset, so those that never came into one get one of their own.

        Its rule ends at once, which gives the replicas their tombstones. A second asking before
        the reaper came would lift these again, so leave it minutes.
        """
        prefix = commonprefix(list(names))  # noqa: RUF071 - names, not paths
        listed = self.dids(prefix)
        known = set(listed) & set(names)
        if not known or any(name.endswith(STRAY) for name in listed):
            # Nothing to do, or an earlier call is being carried out.
            return
        dataset = min(known) + STRAY
        # Should this be cut short, the dataset goes by itself.
        self.add_dataset(dataset, sorted(known), timedelta(seconds=30))
        self.expire(dataset)

    def _add_last_rule(self, dataset: str, rse: str) -> None:
        """What has ended in the meantime, by an earlier call, needs none."""
        tag = f"{dataset}.end.{rse}"
        try:
            self.add_rule(dataset, rse, tag=tag, lifetime=timedelta(seconds=1))
        except CatalogueError as error:
            if not isinstance(error.__cause__, DataIdentifierNotFound):
                raise

    def _end_did(self, name: str) -> None:
        def end(client: Any) -> None:
            try:
                client.set_metadata(self._scope, name, "lifetime", ENDED)
            except DataIdentifierNotFound:
                return

        self._session.call(f"end {name}", end)

    def _unruled_places(self, dataset: str) -> list[str]:
        """RSEs with files of the dataset where none of its rules keeps them."""

        def ask(client: Any) -> list[str]:
            try:
                rules = list(client.list_did_rules(self._scope, dataset))
                places = list(client.list_dataset_replicas(self._scope, dataset, deep=True))
            except DataIdentifierNotFound:
                return []
            # Each of our rules is for one RSE, by its name.
            ruled = {rule["rse_expression"] for rule in rules}
            return sorted({place["rse"] for place in places} - ruled)

        return self._session.call(f"look for rules of {dataset}", ask)

    def _locations(self, rse: str, lfns: Sequence[str], scheme: str) -> dict[str, str]:
        def ask(client: Any) -> dict[str, str]:
            return dict(client.lfns2pfns(rse, lfns, operation="write", scheme=scheme))

        return self._session.call(f"ask where files lie at {rse}", ask, rse=rse)

    def protocols(self, rse: str) -> list[dict[str, Any]]:
        """How the RSE can be reached, in Rucio's words."""
        return list(self._rse_facts.get(rse, lambda: self._ask_rse(rse))["protocols"])

    def _ask_attributes(self, rse: str) -> dict[str, Any]:
        return dict(
            self._session.call(
                f"read attributes of {rse}", lambda c: c.list_rse_attributes(rse), rse=rse
            )
        )

    def _ask_rse(self, rse: str) -> dict[str, Any]:
        return dict(
            self._session.call(f"read the protocols of {rse}", lambda c: c.get_rse(rse), rse=rse)
        )

    def _call_batch(self, operation: str, method: str, *arguments: object) -> None:
        self._session.call(operation, lambda c: getattr(c, method)(*arguments))

    def _own_rules(self) -> dict[str, dict[str, Any]]:
        def ask(client: Any) -> dict[str, dict[str, Any]]:
            answers = client.list_replication_rules(filters={"account": self._account})
            return {answer["id"]: answer for answer in answers}

        return self._listings.get("rules", lambda: self._session.call("list rules", ask))

    def _one_rule(self, rule_id: str) -> Rule:
        def ask(client: Any) -> Rule:
            try:
                return rule_from(client.get_replication_rule(rule_id))
            except RuleNotFound:
                return Rule(id=rule_id, state=RuleState.GONE)

        return self._session.call(f"read rule {rule_id}", ask)

    def _tagged(self, tag: str) -> str | None:
        def ask(client: Any) -> str | None:
            filters = {"account": self._account, "comments": tag}
            answers = list(client.list_replication_rules(filters=filters))
            return str(answers[0]["id"]) if answers else None

        return self._session.call(f"look for rule {tag}", ask)

    def _listed_replicas(
        self, names: Sequence[str], rse: str | None = None
    ) -> dict[str, dict[str, Any]]:
        """By name; at all RSEs when none is named."""

        def ask(client: Any) -> dict[str, dict[str, Any]]:
            dids = [{"scope": self._scope, "name": name} for name in names]
            try:
                answers = list(client.list_replicas(dids, rse_expression=rse, all_states=True))
            except DataIdentifierNotFound:
                return {}
            return {answer["name"]: answer for answer in answers}

        return self._session.call(f"list replicas at {rse or 'all RSEs'}", ask, rse=rse)

    def _request(self, name: str, rse: str) -> TransferRequest | None:
        live = self._asked_request("list_request_by_did", name, rse)
        if live is not None:
            return request_from(live, archived=False)
        past = self._asked_request("list_request_history_by_did", name, rse)
        return request_from(past, archived=True) if past is not None else None

    def _asked_request(self, method: str, name: str, rse: str) -> dict[str, Any] | None:
        def ask(client: Any) -> dict[str, Any] | None:
            try:
                answer = getattr(client, method)(name, rse, self._scope)
                return answer if isinstance(answer, dict) else next(iter(answer), None)
            except (RequestNotFound, DataIdentifierNotFound):
                return None

        return self._session.call(f"read the request for {name} at {rse}", ask, rse=rse)


def _scheme(rse: str, protocols: Sequence[dict[str, Any]], wanted: Sequence[str]) -> str:
    """The first of the wanted protocols that the RSE offers."""
    offered = {protocol["scheme"] for protocol in protocols}
    scheme = next((scheme for scheme in wanted if scheme in offered), None)
    if scheme is None:
        raise CatalogueError(
            f"{rse} offers {', '.join(sorted(offered)) or 'no protocol'}; the scenario's step, or"
            f" else the lake's file, wants {' or '.join(wanted)}",
            code="no-common-protocol",
            operation="compute file locations",
            rse=rse,
        )
    return scheme
