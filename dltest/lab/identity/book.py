"""What the nodes remember together: codes, refresh tokens, and what has been revoked.

Names of entries are secrets, and only their digests are kept.
"""

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

TABLE = """
CREATE TABLE IF NOT EXISTS entry (
    kind TEXT NOT NULL, digest TEXT NOT NULL, facts TEXT NOT NULL, expires REAL NOT NULL,
    PRIMARY KEY (kind, digest)
)
"""
BUSY_SECONDS = 10.0


class Kind(StrEnum):
    """What is remembered: of codes and refresh tokens what they stand for, and of a `jti` no more.

    A DEVICE is known by its device code, and what its user said of it by the USER_CODE.
    """

    CODE = "code"
    DEVICE = "device"
    USER_CODE = "user-code"
    REFRESH = "refresh"
    REVOKED = "revoked"


class Book:
    """Entries that expire, in one SQLite file; safe to use from threads and processes at once."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "grants.sqlite"
        with self._open() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(TABLE)
        self._file.chmod(0o600)

    def put(self, kind: Kind, name: str, facts: Mapping[str, Any], seconds: float) -> None:
        """Remember for so long, in place of what was known."""
        row = (kind, _digest(name), json.dumps(dict(facts)), time.time() + seconds)
        with self._open() as connection:
            connection.execute("DELETE FROM entry WHERE expires < ?", (time.time(),))
            connection.execute("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?)", row)

    def get(self, kind: Kind, name: str) -> dict[str, Any] | None:
        where = "kind = ? AND digest = ? AND expires > ?"
        with self._open() as connection:
            row = connection.execute(
                f"SELECT facts FROM entry WHERE {where}",  # noqa: S608 - no value is in it
                (kind, _digest(name), time.time()),
            ).fetchone()
        facts: dict[str, Any] | None = json.loads(row[0]) if row else None
        return facts

    def forget(self, kind: Kind, name: str) -> None:
        with self._open() as connection:
            where = (kind, _digest(name))
            connection.execute("DELETE FROM entry WHERE kind = ? AND digest = ?", where)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._file, timeout=BUSY_SECONDS)) as connection, connection:
            yield connection


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
