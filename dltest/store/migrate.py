"""Brings a database to the newest tables; safe when many processes start at once."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, text

from dltest.errors import StoreError
from dltest.store.database import Database

# Any constant serves as long as nothing else in the same database uses it.
ADVISORY_LOCK = 5_349_871


def config_for(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def migrate(database: Database) -> None:
    """All in one transaction, which both databases allow for DDL: all tables, or none.

    Raises:
        StoreError: out of reach, or made by a newer dltest.
    """
    with database.writing("bring the tables up to date") as connection:
        if database.is_postgresql:
            connection.execute(text("SET LOCAL lock_timeout = '120s'"))
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
        try:
            command.upgrade(config_for(connection), "head")
        except CommandError as error:
            raise StoreError(
                f"the tables in {database.where} are of another dltest: {error}; "
                "upgrade dltest, or name another database"
            ) from None
