"""What is configured of storages: bans and settings (/ban/se, /config/se)."""

import json
import time
from collections.abc import Mapping
from typing import Any

from dltest.lab.transfer_service.answers import time_answer
from dltest.lab.transfer_service.database import Database
from dltest.lab.transfer_service.refusal import RefusedRequest

_SETTINGS: dict[str, type] = {
    "inbound_max_active": int,
    "inbound_max_throughput": float,
    "outbound_max_active": int,
    "outbound_max_throughput": float,
    "udt": int,
    "ipv6": int,
    "se_metadata": str,
    "site": str,
    "debug_level": int,
    "skip_eviction": int,
    "tpc_support": str,
    "overwrite_disk_enabled": int,
}
_TPC_ROLES = ("FULL", "PULL", "PUSH", "NONE")


class StorageSettings:
    def __init__(self, database: Database) -> None:
        self._database = database

    # -- bans ----------------------------------------------------------------------------

    def ban(self, storage: str, vo: str, status: str, message: str, admin_dn: str) -> None:
        self._database.execute(
            "INSERT OR REPLACE INTO banned_se VALUES (?, ?, ?, ?, ?, ?)",
            storage,
            vo,
            status,
            message,
            time.time(),
            admin_dn,
        )

    def unban(self, storage: str) -> None:
        self._database.execute("DELETE FROM banned_se WHERE se = ?", storage)

    def banned(self) -> dict[str, str]:
        """Storage element -> CANCEL, WAIT or WAIT_AS (wait, but submissions are taken)."""
        rows = self._database.rows("SELECT se, status FROM banned_se")
        return {row["se"]: row["status"] for row in rows}

    def bans_answer(self) -> list[dict[str, Any]]:
        rows = self._database.rows("SELECT * FROM banned_se ORDER BY se")
        return [{**row, "addition_time": time_answer(row["addition_time"])} for row in rows]

    # -- settings ------------------------------------------------------------------------

    def overwrite_disk_enabled(self, storage: str) -> bool:
        return bool(self._settings(storage).get("overwrite_disk_enabled"))

    def configure(self, body: Mapping[str, Any]) -> list[Any]:
        """Answers for the last storage named, as FTS does: its settings and its limits."""
        answer: list[Any] = [None, None]
        with self._database.transaction():
            for storage, wanted in body.items():
                if not storage.strip() or not isinstance(wanted, Mapping):
                    raise RefusedRequest("Malformed configuration")
                info = wanted.get("se_info")
                operations = wanted.get("operations")
                answer = [self._set_info(storage, info) if info else None, operations or {}]
                self._limit_operations(storage, operations or {})
        return answer

    def answer(self, storage: str | None) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for row in self._database.rows("SELECT * FROM storage"):
            given = json.loads(row["settings"])
            found[row["storage"]] = {"se_info": {name: given.get(name) for name in _SETTINGS}}
        for row in self._database.rows("SELECT * FROM operation_limit"):
            limits = found.setdefault(row["host"], {}).setdefault("operations", {})
            limits.setdefault(row["vo"], {})[row["operation"]] = row["concurrent_ops"]
        return found if storage is None else {k: v for k, v in found.items() if k == storage}

    def forget(self, storage: str) -> None:
        self._database.execute("DELETE FROM storage WHERE storage = ?", storage)
        self._database.execute("DELETE FROM operation_limit WHERE host = ?", storage)

    def _settings(self, storage: str) -> dict[str, Any]:
        rows = self._database.rows("SELECT settings FROM storage WHERE storage = ?", storage)
        return json.loads(rows[0]["settings"]) if rows else {}

    def _set_info(self, storage: str, info: Mapping[str, Any]) -> dict[str, Any]:
        given = {name: _typed(name, value) for name, value in info.items() if value is not None}
        settings = {**self._settings(storage), **given}
        self._database.execute(
            "INSERT OR REPLACE INTO storage VALUES (?, ?)", storage, json.dumps(settings)
        )
        return {"storage": storage, **settings}

    def _limit_operations(self, storage: str, operations: Mapping[str, Any]) -> None:
        for vo, limits in operations.items():
            for operation, limit in limits.items():
                self._database.execute(
                    "DELETE FROM operation_limit WHERE vo = ? AND host = ? AND operation = ?",
                    vo,
                    storage,
                    operation,
                )
                if int(limit) > 0:
                    self._database.execute(
                        "INSERT INTO operation_limit VALUES (?, ?, ?, ?)",
                        vo,
                        storage,
                        operation,
                        int(limit),
                    )


def _typed(name: str, value: Any) -> Any:
    if name not in _SETTINGS:
        raise RefusedRequest(f"Field {name} unknown")
    expected = _SETTINGS[name]
    accepted = (int, float) if expected is float else expected
    if not isinstance(value, accepted):
        try:
            value = expected(value if isinstance(value, str) else "no text")
        except ValueError as error:
            word = "Number" if expected is float else expected.__name__
            raise RefusedRequest(f"Field {name} is expected to be {word}") from error
    if name == "tpc_support" and value not in _TPC_ROLES:
        roles = ", ".join(_TPC_ROLES)
        raise RefusedRequest(f"Field {name} is expected to be one of the following: {roles}")
    return value
