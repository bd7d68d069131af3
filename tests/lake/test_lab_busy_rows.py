"""Rucio sets a DID aside for up to 40 minutes when it meets a locked row; a lab cannot wait so long."""

import time
import uuid
from pathlib import Path

import psycopg

from dltest.lake.rucio.session import RucioSession
from dltest.settings import LakeSettings


def test_a_dataset_whose_rule_was_busy_is_deleted_soon_after(lab) -> None:
    settings = LakeSettings.load(lab.lake_file)
    session, scope = RucioSession(settings.rucio), settings.rucio.scope
    name = f"dltest.busy.{uuid.uuid4().hex[:12]}"

    session.call("add a dataset", lambda client: client.add_dataset(scope, name))
    session.call(
        "add a rule",
        lambda client: client.add_replication_rule([{"scope": scope, "name": name}], 1, "XRD1"),
    )
    url = lab.status()["endpoints"]["rucio_database"].replace("+psycopg", "")
    with psycopg.connect(url) as database:
        database.execute("SELECT id FROM rules WHERE name = %s FOR UPDATE", [name])
        session.call(
            "expire the dataset",
            lambda client: client.set_metadata(scope, name, "lifetime", 0.0001),
        )
        _await(lambda: "Locks detected" in _log_of(lab, "undertaker"))

    _await(lambda: not _exists(session, scope, name))


def _exists(session: RucioSession, scope: str, name: str) -> bool:
    found = session.call(
        "look for the dataset", lambda client: list(client.list_dids(scope, {"name": name}))
    )
    return bool(found)


def _log_of(lab, part: str) -> str:
    return Path(lab.part(part)["log"]).read_text(encoding="utf-8")


def _await(condition, seconds: float = 60) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.2)
