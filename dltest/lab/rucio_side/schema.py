"""Creates the lab's databases, and in Rucio's its tables, its base VO and its root account.

Takes the port of PostgreSQL. Starts Rucio's database from nothing, so that it can follow an
attempt that was interrupted half-way; dltest's own database is left alone once it exists.
"""

import sys

import psycopg


def make_databases(port: int) -> None:
    where = f"host=127.0.0.1 port={port} user=rucio dbname=postgres"
    with psycopg.connect(where, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'dltest'").fetchone():
            connection.execute("CREATE ROLE dltest LOGIN")
        have = "SELECT 1 FROM pg_database WHERE datname = 'dltest'"
        if not connection.execute(have).fetchone():
            connection.execute("CREATE DATABASE dltest OWNER dltest")
        connection.execute("DROP DATABASE IF EXISTS rucio WITH (FORCE)")
        connection.execute("CREATE DATABASE rucio")


def main() -> None:
    make_databases(int(sys.argv[1]))
    # Rucio opens its database while it is imported.
    from rucio.db.sqla.util import (  # noqa: PLC0415
        build_database,
        create_base_vo,
        create_root_account,
    )

    build_database()
    create_base_vo()
    create_root_account()


if __name__ == "__main__":
    main()
