"""Changes of the words that a column may hold."""

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op


def allow(table: str, column: str, words: Iterable[str]) -> None:
    """From here on the column holds one of these words.

    In a batch, since SQLite changes no CHECK but in a table that is made anew.
    """
    check = op.f(f"ck_{table}_{column}")
    listed = ", ".join(repr(word) for word in words)
    with op.batch_alter_table(table) as batch:
        batch.drop_constraint(check, type_="check")
        batch.create_check_constraint(check, sa.text(f"{column} IN ({listed})"))


def forbid(table: str, column: str, words: Iterable[str]) -> None:
    """Rows with these words are gone, so that `allow` may leave them out."""
    word: sa.ColumnClause[str] = sa.column(column)
    op.execute(sa.delete(sa.table(table, word)).where(word.in_(list(words))))
