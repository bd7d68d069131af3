"""What is kept over a restart comes back as it was."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from dltest.lab.transfer_service.database import Database
from dltest.lab.transfer_service.identity import Identity
from dltest.lab.transfer_service.records import Submission
from dltest.lab.transfer_service.submission import Surroundings, build_submission


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "transfers.sqlite")
    yield database
    database.close()


def submission() -> Submission:
    entry = {
        "sources": ["mock://a/x"],
        "destinations": ["mock://b/y"],
        "metadata": {"nested": [1, None, "ü"]},
    }
    around = Surroundings(Identity("/CN=tester", "vo"), 1000, {}, lambda _: 0)
    return build_submission({"files": [entry], "params": {"dst_file_report": True}}, around)


def test_a_submission_comes_back_as_it_was(database: Database) -> None:
    given = submission()
    assert database.insert(given)
    assert database.job(given.job.job_id) == given.job
    assert database.files_of(given.job.job_id) == list(given.files)


def test_a_job_is_stored_once(database: Database) -> None:
    given = submission()
    assert database.insert(given)
    assert not database.insert(given)
    assert len(database.files_of(given.job.job_id)) == 1


def test_a_broken_transaction_changes_nothing(database: Database) -> None:
    given = submission()
    database.insert(given)

    def half_done() -> None:
        with database.transaction():
            database.update_job(given.job.job_id, job_state="ACTIVE")
            with database.transaction():
                raise RuntimeError

    with pytest.raises(RuntimeError):
        half_done()
    stored = database.job(given.job.job_id)
    assert stored
    assert stored.job_state == "SUBMITTED"


def test_an_unknown_column_is_an_error(database: Database) -> None:
    with pytest.raises(KeyError, match="odd"):
        database.update_file(1, odd=1)


def test_a_state_of_an_older_version_gains_what_is_new(tmp_path: Path) -> None:
    file = tmp_path / "transfers.sqlite"
    given = submission()
    database = Database(file)
    database.insert(given)
    database.close()
    with sqlite3.connect(file) as older:
        older.execute("ALTER TABLE file DROP COLUMN leftover")
    older.close()
    database = Database(file)
    (stored,) = database.files_of(given.job.job_id)
    database.close()
    assert stored.source_surl == given.files[0].source_surl
    assert not stored.leftover
