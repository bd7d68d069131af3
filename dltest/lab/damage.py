"""Damage to the rows of Rucio's database: done and undone in one transaction each.

What the rows were is kept in the same database and the same transaction, so that healing
restores them exactly, whoever died in between.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from dltest.errors import LabError
from dltest.lab.description import Lab

_KEPT = """
CREATE SCHEMA IF NOT EXISTS lab;
CREATE TABLE IF NOT EXISTS lab.damages (
    fault text, target text, place text, columns text[], kept jsonb NOT NULL,
    PRIMARY KEY (fault, target)
)
"""


@dataclass(frozen=True, slots=True)
class Damage:
    """Rows that are changed (`change`: column to SQL expression), or removed without it.

    `where` may name `%(target)s`. `keys` are the columns by which a changed row is found again.
    """

    table: LiteralString
    where: LiteralString
    keys: tuple[str, ...] = ()
    change: Mapping[str, LiteralString] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shut:
    """A setting of Rucio's whole database; who is in it is thrown out, to meet it anew.

    `starves` where nobody who needs the database can start meanwhile.
    """

    on: LiteralString
    off: LiteralString
    starves: bool = False


def inflict(lab: Lab, fault: str, target: str | None, damage: Damage | Shut) -> None:
    """Do it, unless it is done already.

    Raises:
        LabError: Rucio's database is out of reach, has no such rows, or they are damaged already.
    """
    if isinstance(damage, Shut):
        _set(lab, damage.on)
        return
    known = {"fault": fault, "target": target or ""}
    with _connected(lab) as connection:
        connection.execute(_KEPT)
        done = "SELECT 1 FROM lab.damages WHERE fault = %(fault)s AND target = %(target)s"
        if connection.execute(done, known).fetchone():
            return
        rows = _rows(connection, damage, known)
        _demand_no_other(connection, damage, known, rows)
        if not rows:
            raise LabError(f"{fault}: {damage.table} has no rows to damage for {target}")
        connection.execute(
            "INSERT INTO lab.damages"
            " VALUES (%(fault)s, %(target)s, %(place)s, %(columns)s, %(kept)s)",
            {
                **known,
                "place": damage.table,
                "columns": list(damage.change),
                "kept": json.dumps(rows),
            },
        )
        connection.execute(_doing(damage), known)


def mend(lab: Lab, fault: str, target: str | None, damage: Damage | Shut) -> None:
    """Undo it; nothing to do is fine.

    Raises:
        LabError: Rucio's database is out of reach.
    """
    if isinstance(damage, Shut):
        _set(lab, damage.off)
        return
    known = {"fault": fault, "target": target or ""}
    with _connected(lab) as connection:
        connection.execute(_KEPT)
        kept = connection.execute(
            "DELETE FROM lab.damages WHERE fault = %(fault)s AND target = %(target)s"
            " RETURNING kept",
            known,
        ).fetchone()
        if kept is not None:
            connection.execute(_undoing(damage), {"rows": json.dumps(kept["kept"])})


def _set(lab: Lab, setting: LiteralString) -> None:
    with _connected(lab, "postgres") as connection:
        connection.autocommit = True
        connection.execute(sql.SQL("ALTER DATABASE rucio {}").format(sql.SQL(setting)))
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'rucio'"
        )


@contextmanager
def _connected(lab: Lab, database: str = "rucio") -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """One transaction, which writes also where the database is set to be read only."""
    where = f"host=127.0.0.1 port={lab.ports['postgres']} user=rucio dbname={database}"
    writing = "-c default_transaction_read_only=off"
    try:
        with psycopg.connect(
            where, row_factory=dict_row, connect_timeout=10, options=writing
        ) as connection:
            yield connection
    except psycopg.Error as trouble:
        raise LabError(f"Rucio's database does not do it: {trouble}") from trouble


def _demand_no_other(
    connection: psycopg.Connection[dict[str, Any]],
    damage: Damage,
    known: Mapping[str, str],
    rows: list[Any],
) -> None:
    """Of two damages to the same rows, neither could be mended exactly before the other."""
    others = connection.execute(
        "SELECT fault, columns, kept FROM lab.damages WHERE place = %(place)s"
        " AND (columns && %(columns)s OR columns = '{}' OR %(columns)s = '{}')",
        {"place": damage.table, "columns": list(damage.change)},
    )
    for other in others:
        changed = {*damage.change, *other["columns"]}
        if not rows or _share_a_row(rows, other["kept"], changed):
            raise LabError(
                f"{known['fault']} and {other['fault']} change the same rows; heal that one first"
            )


def _share_a_row(some: list[Any], others: list[Any], changed: set[str]) -> bool:
    """Whether a row is in both, but for the columns that were changed."""

    def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
        return all(one[column] == other[column] for column in one.keys() - changed)

    return any(same(one, other) for one in some for other in others)


def _rows(
    connection: psycopg.Connection[dict[str, Any]], damage: Damage, known: Mapping[str, str]
) -> list[Any]:
    query = sql.SQL("SELECT to_jsonb(t) AS row FROM {} t WHERE {} FOR UPDATE").format(
        sql.Identifier(damage.table), sql.SQL(damage.where)
    )
    return [found["row"] for found in connection.execute(query, known)]


def _doing(damage: Damage) -> sql.Composed:
    table, where = sql.Identifier(damage.table), sql.SQL(damage.where)
    if not damage.change:
        return sql.SQL("DELETE FROM {} WHERE {}").format(table, where)
    changes = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(column), sql.SQL(value))
        for column, value in damage.change.items()
    )
    return sql.SQL("UPDATE {} SET {} WHERE {}").format(table, changes, where)


def _undoing(damage: Damage) -> sql.Composed:
    table = sql.Identifier(damage.table)
    was = sql.SQL("jsonb_populate_recordset(NULL::{}, %(rows)s)").format(table)
    if not damage.change:
        return sql.SQL("INSERT INTO {} SELECT * FROM {} ON CONFLICT DO NOTHING").format(table, was)
    columns = [sql.Identifier(column) for column in damage.change]
    changes = sql.SQL(", ").join(sql.SQL("{} = was.{}").format(one, one) for one in columns)
    same = sql.SQL(" AND ").join(
        sql.SQL("t.{} = was.{}").format(sql.Identifier(key), sql.Identifier(key))
        for key in damage.keys
    )
    return sql.SQL("UPDATE {} t SET {} FROM {} was WHERE {}").format(table, changes, was, same)
