"""A real worker or beat of the service on the instant lake, and the plain task beside it.

    python -m bench.engine.worker DATABASE BROKER FOLDER control|beat

`bench.insert` is what our steps are compared with: one task, one INSERT, nothing else.
"""

import sys
import uuid
from pathlib import Path

from sqlalchemy import text

from bench.engine.instant import InstantLake
from dltest.settings import LakeSettings, Settings
from dltest.store import Store
from dltest.worker.app import app
from dltest.worker.service import beat, work
from dltest.worker.station import Station, current

# What is measured is the engine, not its patience with one link.
LIMITS = {"parallel_per_rse": 100, "parallel_per_link": 100, "waiting_rules": 1_000_000}

INSERT = "bench.insert"
TABLE = "CREATE TABLE IF NOT EXISTS bench_insert (id text PRIMARY KEY, body text NOT NULL)"


@app.task(name=INSERT)
def insert(body: str) -> None:
    """Write one row."""
    with current().store._database.writing("insert") as connection:
        connection.execute(
            text("INSERT INTO bench_insert (id, body) VALUES (:id, :body)"),
            {"id": uuid.uuid4().hex, "body": body},
        )


def station(database: str, broker: str, folder: Path) -> Station:
    """A process of the service whose lake is the instant one."""
    rucio = {"url": "http://127.0.0.1:1", "account": "bench", "scope": "bench"}
    lake = LakeSettings.model_validate({"name": "bench", "rucio": rucio})
    settings = Settings.model_validate(
        {
            "database": database,
            "broker": broker,
            "state_dir": folder / "state",
            "scenarios": folder / "scenarios",
            **LIMITS,
        }
    )
    made = Station(settings, lake, Store.open(database))
    made.__dict__["lake"] = InstantLake(folder)
    return made


def main() -> None:
    """Work until told to stop."""
    database, broker, folder, role = sys.argv[1:]
    opened = station(database, broker, Path(folder))
    if role == "beat":
        beat(opened)
    else:
        sys.exit(work(opened, [role]))


if __name__ == "__main__":
    main()
