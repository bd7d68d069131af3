"""Jobs and files in SQLite: what a killed service finds again.

One connection, used by one thread. WAL without a sync at each commit survives the death of the
process (not of the machine), which is what a lab needs.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any, TypeVar

from dltest.lab.transfer_service.records import (
    FILE_FIELDS,
    FLAG_FIELDS,
    JOB_FIELDS,
    JSON_FIELDS,
    File,
    Job,
    Submission,
)
from dltest.lab.transfer_service.tokens import Token
from dltest.lab.transfer_service.vocabulary import FileState

TOKEN_FIELDS = tuple(one.name for one in fields(Token))
Row = dict[str, Any]
Record = TypeVar("Record", Job, File)

_COLUMNS = {
    "job": ("job_id TEXT PRIMARY KEY", *JOB_FIELDS[1:]),
    "file": (
        "file_id INTEGER PRIMARY KEY AUTOINCREMENT",
        *(name for name in FILE_FIELDS if name != "file_id"),
    ),
    "retry_error": ("file_id", "attempt", "datetime", "reason", "transfer_host", "log_file"),
    "banned_se": (
        "se TEXT PRIMARY KEY",
        "vo",
        "status",
        "message",
        "addition_time",
        "admin_dn",
    ),
    "storage": ("storage TEXT PRIMARY KEY", "settings"),
    "operation_limit": ("vo", "host", "operation", "concurrent_ops"),
    "token": ("token_id TEXT PRIMARY KEY", *TOKEN_FIELDS[1:]),
}
_UNFINISHED = "file_state NOT IN ('FINISHED', 'FAILED', 'CANCELED')"
_INDEXES = (
    "CREATE INDEX IF NOT EXISTS file_job ON file(job_id)",
    f"CREATE INDEX IF NOT EXISTS file_state ON file(file_state) WHERE {_UNFINISHED}",
    "CREATE INDEX IF NOT EXISTS job_unfinished ON job(max_time_in_queue) "
    "WHERE job_finished IS NULL",
    "CREATE INDEX IF NOT EXISTS retry_error_file ON retry_error(file_id)",
)


class Database:
    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._depth = 0
        file.chmod(0o600)  # it holds tokens
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._make_tables()

    def _make_tables(self) -> None:
        """What is missing; a state left by an older version of this service gains its columns."""
        for table, columns in _COLUMNS.items():
            self.execute(f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(columns)})")
            found = {row["name"] for row in self.rows(f"PRAGMA table_info({table})")}
            for column in columns:
                if column.partition(" ")[0] not in found:
                    self.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
        for index in _INDEXES:
            self.execute(index)

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; may be nested."""
        self._depth += 1
        if self._depth == 1:
            self._connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._depth -= 1
            if not self._depth:
                self._connection.execute("ROLLBACK")
            raise
        self._depth -= 1
        if not self._depth:
            self._connection.execute("COMMIT")

    # -- jobs and files ------------------------------------------------------------------

    def insert(self, submission: Submission) -> bool:
        """Stores it whole; false when the job is already there. Files get their ids."""
        with self.transaction():
            if self.job(submission.job.job_id):
                return False
            self._insert("job", JOB_FIELDS, submission.job)
            columns = [name for name in FILE_FIELDS if name != "file_id"]
            for file in submission.files:
                file.file_id = self._insert("file", columns, file)
            for token in submission.tokens:
                self.keep_token(token)
        return True

    def job(self, job_id: str) -> Job | None:
        rows = self._records(Job, "SELECT * FROM job WHERE job_id = ?", job_id)
        return rows[0] if rows else None

    def jobs(self, where: str, *values: object) -> list[Job]:
        return self._records(Job, f"SELECT * FROM job WHERE {where}", *values)  # noqa: S608

    def file(self, file_id: int) -> File | None:
        rows = self._records(File, "SELECT * FROM file WHERE file_id = ?", file_id)
        return rows[0] if rows else None

    def files(self, where: str, *values: object) -> list[File]:
        query = f"SELECT * FROM file WHERE {where} ORDER BY file_id"  # noqa: S608
        return self._records(File, query, *values)

    def files_of(self, job_id: str) -> list[File]:
        return self.files("job_id = ?", job_id)

    def file_states(self, job_id: str) -> list[tuple[int, FileState]]:
        """(file_index, state) of each file of the job."""
        rows = self._connection.execute(
            "SELECT file_index, file_state FROM file WHERE job_id = ? ORDER BY file_id", (job_id,)
        )
        return [(row[0], FileState(row[1])) for row in rows]

    def file_fields(self, job_id: str, names: Collection[str]) -> list[Row]:
        """Only these fields of the job's files; `names` must be fields of `File`."""
        columns = ", ".join(name for name in FILE_FIELDS if name in names)
        rows = self._connection.execute(
            f"SELECT {columns or 'NULL'} FROM file WHERE job_id = ? ORDER BY file_id",  # noqa: S608
            (job_id,),
        )
        return [_decoded(row) if columns else {} for row in rows]

    def update_job(self, job_id: str, **changes: object) -> None:
        self._update("job", JOB_FIELDS, changes, "job_id = ?", (job_id,))

    def update_file(self, file_id: int, **changes: object) -> None:
        self._update("file", FILE_FIELDS, changes, "file_id = ?", (file_id,))

    def update_files(self, job_id: str, states: Iterable[FileState], **changes: object) -> None:
        """Change all files of the job that are in one of these states."""
        wanted = tuple(states)
        where = f"job_id = ? AND file_state IN ({', '.join('?' * len(wanted))})"
        self._update("file", FILE_FIELDS, changes, where, (job_id, *wanted))

    def forget_finished(self, before: float) -> None:
        """Drop jobs that ended before that time, with their files."""
        old = "(SELECT job_id FROM job WHERE job_finished < ?)"
        with self.transaction():
            files = f"(SELECT file_id FROM file WHERE job_id IN {old})"  # noqa: S608
            self.execute(f"DELETE FROM retry_error WHERE file_id IN {files}", before)  # noqa: S608
            self.execute(f"DELETE FROM file WHERE job_id IN {old}", before)  # noqa: S608
            self.execute("DELETE FROM job WHERE job_finished < ?", before)

    # -- tokens --------------------------------------------------------------------------

    def token(self, token_id: str | None) -> Token | None:
        rows = self.rows("SELECT * FROM token WHERE token_id = ?", token_id)
        return Token(**rows[0]) if rows else None

    def keep_token(self, token: Token) -> None:
        marks = ", ".join("?" * len(TOKEN_FIELDS))
        self.execute(f"INSERT OR REPLACE INTO token VALUES ({marks})", *astuple(token))  # noqa: S608

    def forget_tokens(self) -> None:
        """Drop those of files that have ended."""
        used = " UNION ".join(
            f"SELECT {side} FROM file WHERE {_UNFINISHED} AND {side} IS NOT NULL"  # noqa: S608
            for side in ("src_token_id", "dst_token_id")
        )
        self.execute(f"DELETE FROM token WHERE token_id NOT IN ({used})")  # noqa: S608

    # -- the rest ------------------------------------------------------------------------

    def remember_retry(self, file: File, reason: str, now: float) -> None:
        self._connection.execute(
            "INSERT INTO retry_error VALUES (?, ?, ?, ?, ?, ?)",
            (file.file_id, file.retry + 1, now, reason, file.transfer_host, file.log_file),
        )

    def rows(self, query: str, *values: object) -> list[Row]:
        return [dict(row) for row in self._connection.execute(query, values)]

    def execute(self, statement: str, *values: object) -> None:
        self._connection.execute(statement, values)

    def _insert(self, table: str, columns: Collection[str], record: Job | File) -> int:
        marks = ", ".join("?" * len(columns))
        cursor = self._connection.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608
            [_encoded(name, getattr(record, name)) for name in columns],
        )
        return cursor.lastrowid or 0

    def _update(
        self,
        table: str,
        known: Collection[str],
        changes: Mapping[str, object],
        where: str,
        values: tuple[object, ...],
    ) -> None:
        if unknown := changes.keys() - set(known):
            message = f"{table} has no {', '.join(unknown)}"
            raise KeyError(message)
        setters = ", ".join(f"{name} = ?" for name in changes)
        encoded = [_encoded(name, value) for name, value in changes.items()]
        self._connection.execute(
            f"UPDATE {table} SET {setters} WHERE {where}",  # noqa: S608 - names were checked
            (*encoded, *values),
        )

    def _records(self, kind: type[Record], query: str, *values: object) -> list[Record]:
        return [kind(**_decoded(row)) for row in self._connection.execute(query, values)]


def _encoded(name: str, value: object) -> object:
    if name in JSON_FIELDS and value is not None:
        return json.dumps(value)
    return value


def _decoded(row: sqlite3.Row) -> Row:
    return {name: _value(name, row[name]) for name in row.keys()}  # noqa: SIM118 - not a dict


def _value(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in JSON_FIELDS:
        return json.loads(value)
    return bool(value) if name in FLAG_FIELDS else value
