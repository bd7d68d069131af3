"""Questions about one transfer, over Rucio's REST interface."""

from collections.abc import Sequence
from typing import Any

from rucio.common.exception import (
    AccessDenied,
    DataIdentifierNotFound,
    RequestNotFound,
    RucioException,
)

from dltest.lake.ports import Heartbeat, Operation, Replica, TransferRequest, Usage
from dltest.lake.rucio.calls import RucioCalls
from dltest.lake.rucio.reading import (
    heartbeats_from,
    replica_from,
    request_from,
    rse_from,
    usage_from,
)
from dltest.lake.rucio.session import RucioSession
from dltest.model import RSE
from dltest.settings import LakeSettings, RucioSettings


class DiagnosisCalls(RucioCalls):
    """Nothing here is kept for the next caller: what is wrong now is what is asked."""

    def __init__(self, settings: LakeSettings) -> None:
        super().__init__(settings)
        self._operators = _operators(settings.rucio, self._session)

    def rse(self, name: str) -> RSE:
        def ask(client: Any) -> RSE:
            return rse_from(client.get_rse(name), client.list_rse_attributes(name))

        return self._session.call(f"read the state of {name}", ask, rse=name)

    def allow(self, rse: str, operation: Operation, *, allowed: bool) -> None:
        verb = "allow" if allowed else "forbid"
        change = {f"availability_{operation}": allowed}
        self._session.call(
            f"{verb} to {operation} at {rse}", lambda c: c.update_rse(rse, change), rse=rse
        )

    def usage(self, rse: str) -> Usage:
        def ask(client: Any) -> Usage:
            told = list(client.get_rse_usage(rse))
            own = list(client.get_local_account_usage(self._account, rse))
            return usage_from(told, own)

        return self._session.call(f"read the usage of {rse}", ask, rse=rse)

    def distance(self, source: str, destination: str) -> int | None:
        def ask(client: Any) -> int | None:
            told = list(client.get_distance(source, destination))
            return int(told[0]["distance"]) if told else None

        return self._session.call(f"read the distance {source} -> {destination}", ask)

    def places(self, name: str) -> list[Replica]:
        def ask(client: Any) -> list[Replica]:
            dids = [{"scope": self._scope, "name": name}]
            try:
                answers = list(client.list_replicas(dids, all_states=True))
            except DataIdentifierNotFound:
                return []
            return [replica_from(name, rse, told) for told in answers for rse in told["states"]]

        return self._session.call(f"list the replicas of {name}", ask)

    def ended_attempts(self, names: Sequence[str], rse: str) -> list[TransferRequest]:
        def ask(client: Any) -> list[TransferRequest]:
            past = (_past(client, name, rse, self._scope) for name in names)
            return [request_from(told, archived=True) for told in past if told]

        return self._session.call(f"read ended requests towards {rse}", ask, rse=rse)

    def tries(self, rule_id: str) -> int:
        def ask(client: Any) -> int:
            told = client.examine_replication_rule(rule_id)
            return max((int(one["attempts"]) for one in told["transfers"]), default=0)

        return self._session.call(f"examine rule {rule_id}", ask)

    def boost(self, rule_id: str) -> None:
        self._session.call(
            f"boost rule {rule_id}",
            lambda c: c.update_replication_rule(rule_id, {"boost_rule": True}),
        )

    def heartbeats(self) -> list[Heartbeat]:
        return self._operators.call("list heartbeats", lambda c: heartbeats_from(_beats(c)))


def _operators(settings: RucioSettings, session: RucioSession) -> RucioSession:
    """Who may see what only Rucio's operators may; ourselves, unless the lake file says who."""
    if settings.operator is None:
        return session
    update = {**settings.operator.model_dump(), "auth_type": "userpass"}
    return RucioSession(settings.model_copy(update=update))


def _past(client: Any, name: str, rse: str, scope: str) -> dict[str, Any] | None:
    try:
        told = client.list_request_history_by_did(name, rse, scope)
    except (RequestNotFound, DataIdentifierNotFound):
        return None
    return told if isinstance(told, dict) else next(iter(told), None)


def _beats(client: Any) -> list[dict[str, Any]]:
    """rucio-clients have no call for this; the way that they make calls differs by release."""
    answer = client.session.get(
        f"{client.host}/heartbeats",
        headers={"X-Rucio-Auth-Token": client.auth_token},
        timeout=client.timeout,
    )
    if answer.headers.get("ExceptionClass") == "AccessDenied":
        raise AccessDenied("only Rucio's operators may see its daemons' heartbeats")
    if not answer.ok:
        raise RucioException(f"heartbeats: HTTP {answer.status_code}")
    beats: list[dict[str, Any]] = answer.json()
    return beats
