"""Rucio's answers as our values."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from dltest.lake.ports import (
    Heartbeat,
    Replica,
    ReplicaState,
    Rule,
    RuleState,
    TransferRequest,
    Usage,
    rule_seen,
)
from dltest.model import RSE, Watch, WatchKind


def moment(value: object) -> datetime | None:
    """Rucio's times are UTC without saying so: naive datetimes, or ISO text in some answers."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def rule_from(answer: Mapping[str, Any]) -> Rule:
    return Rule(
        id=answer["id"],
        state=RuleState(answer["state"]),
        did=answer["name"],
        rse=answer["rse_expression"],
        locks_ok=answer["locks_ok_cnt"],
        locks_replicating=answer["locks_replicating_cnt"],
        locks_stuck=answer["locks_stuck_cnt"],
        error=answer["error"],
        created_at=moment(answer["created_at"]),
        updated_at=moment(answer["updated_at"]),
        expires_at=moment(answer.get("expires_at")),
    )


def seen_now(
    watch: Watch,
    rules: Mapping[str, Mapping[str, Any]],
    replicas: Mapping[str, Mapping[str, Any]],
) -> str:
    """How what is watched stands by these listings; a rule that is not listed is gone."""
    if watch.kind is WatchKind.REPLICA:
        return replica_from(watch.key, watch.rse, replicas.get(watch.key)).state.value
    rule = rules.get(watch.key)
    return rule_seen(rule["state"], rule["error"]) if rule else rule_seen(RuleState.GONE, None)


def replica_from(name: str, rse: str, answer: Mapping[str, Any] | None) -> Replica:
    """A file that the catalogue does not list at the RSE is MISSING there."""
    state = answer["states"].get(rse) if answer else None
    if answer is None or state is None:
        return Replica(name=name, rse=rse, state=ReplicaState.MISSING)
    return Replica(
        name=name,
        rse=rse,
        state=ReplicaState(state),
        size_bytes=answer["bytes"],
        adler32=answer["adler32"],
    )


def request_from(answer: Mapping[str, Any], *, archived: bool) -> TransferRequest:
    """`registered_at` is when the row was archived: the finisher's last act on it."""
    return TransferRequest(
        name=answer["name"],
        state=str(answer["state"]).removeprefix("RequestState."),
        source=answer.get("source_rse"),
        destination=answer["dest_rse"],
        attempt=(answer.get("retry_count") or 0) + 1,
        error=answer.get("err_msg"),
        transfer_host=answer.get("external_host"),
        transfer_id=answer.get("external_id"),
        created_at=moment(answer.get("created_at")),
        submitted_at=moment(answer.get("submitted_at")),
        started_at=moment(answer.get("started_at")),
        transferred_at=moment(answer.get("transferred_at")),
        registered_at=moment(answer.get("updated_at")) if archived else None,
    )


def rse_from(answer: Mapping[str, Any], attributes: Mapping[str, Any]) -> RSE:
    return RSE(
        name=answer["rse"],
        site=str(attributes["site"]) if "site" in attributes else None,
        type=str(answer.get("rse_type", "DISK")),
        attributes={name: str(value) for name, value in attributes.items()},
        readable=bool(answer.get("availability_read", True)),
        writable=bool(answer.get("availability_write", True)),
        deletable=bool(answer.get("availability_delete", True)),
    )


def usage_from(told: Sequence[Mapping[str, Any]], own: Sequence[Mapping[str, Any]]) -> Usage:
    """What the storage says of itself, else what Rucio counted; quotas are of our account."""
    by_source = {answer["source"]: answer for answer in told}
    best = by_source.get("storage") or by_source.get("rucio") or {}
    left = own[0].get("bytes_remaining") if own else None
    return Usage(
        used=best.get("used"),
        free=best.get("free"),
        left=int(left) if isinstance(left, int | float) and left != float("inf") else None,
        seen_at=moment(best.get("updated_at")),
    )


def heartbeats_from(answers: Iterable[Mapping[str, Any]]) -> list[Heartbeat]:
    """One a daemon: that of the thread that beat last. Times are those of HTTP headers."""
    latest: dict[str, datetime] = {}
    for answer in answers:
        name, at = str(answer["readable"]), parsedate_to_datetime(answer["updated_at"])
        latest[name] = max(at.astimezone(UTC), latest.get(name, at))
    return [Heartbeat(daemon=name, seen_at=at) for name, at in sorted(latest.items())]
